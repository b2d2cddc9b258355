import { useEffect, useRef, useState } from 'react';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { html } from '@codemirror/lang-html';
import { json } from '@codemirror/lang-json';
import { bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { search, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import type { Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { codeColours } from './code-colours.ts';
import './code-view.css';

interface CodeEditorProps {
  /** The accessible name. */
  label: string;
  text: string;
  language: 'json' | 'html' | 'text';
  onChange: (text: string) => void;
}

/** A text to change; another text is another editor (`key`). Line breaks stay what they were at first. */
export function CodeEditor({ label, text, language, onChange }: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ text, onChange });
  useEffect(() => {
    latest.current = { text, onChange };
  });
  const [shape] = useState(() => shapeOf(text));
  useEffect(() => {
    if (host.current === null) return;
    const told = EditorView.updateListener.of((update) => {
      if (!update.docChanged) return;
      const now = update.state.sliceDoc();
      if (now !== latest.current.text) latest.current.onChange(now);
    });
    const extensions = [told, ...editingExtensions(label, language, shape)];
    const made = new EditorView({ doc: latest.current.text, extensions, parent: host.current });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
  }, [label, language, shape]);
  useEffect(() => {
    const shown = view.current?.state;
    if (shown === undefined || shown.sliceDoc() === text) return;
    view.current?.dispatch({ changes: { from: 0, to: shown.doc.length, insert: shown.toText(text) } });
  }, [text]);
  return <div className="code-view code-editor" ref={host} />;
}

interface Shape {
  readonly lineBreak: '\r\n' | '\n';
  readonly wraps: boolean;
}

/** To wrap a line of megabytes takes seconds. */
const mostWrapped = 1_048_576;

function shapeOf(text: string): Shape {
  return { lineBreak: lineBreakOf(text), wraps: text.length <= mostWrapped };
}

/**
 * What parts the lines of a text. CodeMirror takes every kind for a break and writes one of them: a text that has several
 * would be changed in places that nobody touched, so that only the newlines break it and the rest is drawn as it is.
 */
function lineBreakOf(text: string): '\r\n' | '\n' {
  return text.includes('\r\n') && !/[^\r]\n|^\n|\r(?!\n)/.test(text) ? '\r\n' : '\n';
}

// Ctrl+Enter would begin a line: it is left to whoever shows the editor.
const keys = defaultKeymap.filter(({ key }) => key !== 'Mod-Enter');

function editingExtensions(
  label: string,
  language: CodeEditorProps['language'],
  { lineBreak, wraps }: Shape,
): Extension[] {
  return [
    EditorState.lineSeparator.of(lineBreak),
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
    lineNumbers(),
    history(),
    bracketMatching(),
    search({ top: true }),
    keymap.of([...searchKeymap, ...historyKeymap, ...keys]),
    syntaxHighlighting(codeColours),
    ...(wraps ? [EditorView.lineWrapping] : []),
    ...(language === 'json' ? [json()] : []),
    ...(language === 'html' ? [html()] : []),
  ];
}
