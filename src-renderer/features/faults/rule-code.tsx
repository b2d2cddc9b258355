import { useEffect, useImperativeHandle, useRef } from 'react';
import { defaultKeymap, history, historyKeymap, isolateHistory } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { bracketMatching, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { search, searchKeymap } from '@codemirror/search';
import { Annotation, EditorState } from '@codemirror/state';
import type { ChangeSpec, Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { codeColours } from '../../ui/code-colours.ts';
import '../../ui/code-view.css';
import { offsetIn, problemLine, showProblem } from './problem-line.ts';
import type { TextProblem } from './rule-text.ts';
import type { TextLanguage } from './rule-yaml.ts';
import { yamlIndent, yamlLanguage } from './yaml-language.ts';

export interface RuleCodeHandle {
  /** Puts the caret to what is wrong. */
  goTo(problem: TextProblem): void;
}

interface RuleCodeProps {
  text: string;
  /** Another language is another editor (`key`), and so is another rule. */
  language: TextLanguage;
  readOnly: boolean;
  problem: TextProblem | null;
  /** The id of what says the problem. */
  describedBy: string;
  onChange: (text: string) => void;
  onLeave: () => void;
  ref?: React.Ref<RuleCodeHandle>;
}

/** The text of a rule. What the form makes of it is put in where it differs, so that the caret stays; undo takes it back. */
export function RuleCode(props: RuleCodeProps) {
  const { text, language, readOnly, problem, describedBy, onChange, onLeave, ref } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ text, onChange });
  useEffect(() => {
    latest.current = { text, onChange };
  });
  useEffect(() => {
    if (host.current === null) return;
    const told = EditorView.updateListener.of(({ docChanged, state, transactions }) => {
      const isOurs = transactions.some((transaction) => transaction.annotation(fromForm) === true);
      if (docChanged && !isOurs) latest.current.onChange(state.sliceDoc());
    });
    const extensions = [told, problemLine(describedBy), ...editing(language, readOnly)];
    const made = new EditorView({ doc: latest.current.text, extensions, parent: host.current });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
  }, [language, readOnly, describedBy]);
  useEffect(() => {
    const shown = view.current?.state.sliceDoc();
    if (shown === undefined || shown === text) return;
    view.current?.dispatch({
      changes: difference(shown, text),
      annotations: [fromForm.of(true), isolateHistory.of('full')],
    });
  }, [text]);
  useEffect(() => {
    view.current?.dispatch({ effects: showProblem.of(problem) });
  }, [problem, text]);
  useImperativeHandle(ref, () => ({
    goTo: (found) => {
      const shown = view.current;
      if (shown === null) return;
      shown.dispatch({ selection: { anchor: offsetIn(found, shown.state) }, scrollIntoView: true });
      shown.focus();
    },
  }));
  return (
    <div
      className="code-view rule-code"
      ref={host}
      onBlur={({ currentTarget }) => {
        // Also told when another window comes to the front, while the focus stays where it is.
        if (!currentTarget.contains(document.activeElement)) onLeave();
      }}
    />
  );
}

const fromForm = Annotation.define<boolean>();

/** What lies between the common beginning and the common end. */
function difference(before: string, after: string): ChangeSpec {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}

/** Escape leaves the text, once there is nothing that it would close. Tab leaves it, as nothing here is bound to it. */
const leave = {
  key: 'Escape',
  run: ({ contentDOM }: EditorView) => {
    contentDOM.blur();
    return true;
  },
};
const keys = defaultKeymap.filter(({ key }) => key !== 'Escape' && key !== 'Mod-Enter');

function editing(language: TextLanguage, readOnly: boolean): Extension[] {
  return [
    EditorState.readOnly.of(readOnly),
    EditorView.contentAttributes.of({
      'aria-label': `Rule as ${language === 'json' ? 'JSON' : 'YAML'}`,
      ...(readOnly ? { 'aria-readonly': 'true' } : {}),
      tabindex: '0',
      spellcheck: 'false',
    }),
    lineNumbers(),
    history(),
    bracketMatching(),
    search({ top: true }),
    indentUnit.of('  '),
    keymap.of([...searchKeymap, ...historyKeymap, leave, ...keys]),
    syntaxHighlighting(codeColours),
    language === 'json' ? json() : [yamlLanguage, yamlIndent],
  ];
}
