import { RangeSet, StateEffect, StateField } from '@codemirror/state';
import type { EditorState, Extension } from '@codemirror/state';
import { Decoration, EditorView, GutterMarker, gutterLineClass } from '@codemirror/view';
import type { TextProblem } from './rule-text.ts';

/** Marks the line where a text is wrong; null: it is right. */
export const showProblem = StateEffect.define<TextProblem | null>();

/** Where the problem is; it goes along as the text changes. */
const problemAt = StateField.define<number | null>({
  create: () => null,
  update: (at, transaction) => {
    for (const effect of transaction.effects)
      if (effect.is(showProblem))
        return effect.value === null ? null : offsetIn(effect.value, transaction.state);
    return at === null ? null : transaction.changes.mapPos(at);
  },
});

/** Where a problem is; the text may have become shorter since. */
export function offsetIn(problem: TextProblem, { doc }: EditorState): number {
  const line = doc.line(Math.min(problem.line, doc.lines));
  return Math.min(line.from + problem.column - 1, line.to);
}

const markedLine = Decoration.line({ class: 'problem-line' });
const markedNumber = new (class extends GutterMarker {
  override elementClass = 'problem-number';
})();

/** @param describedBy the id of the words for it */
export function problemLine(describedBy: string): Extension {
  return [
    problemAt,
    EditorView.decorations.compute([problemAt, 'doc'], (state) => {
      const start = lineStart(state);
      return start === null ? Decoration.none : Decoration.set(markedLine.range(start));
    }),
    gutterLineClass.compute([problemAt, 'doc'], (state) => {
      const start = lineStart(state);
      return start === null ? RangeSet.empty : RangeSet.of(markedNumber.range(start));
    }),
    EditorView.contentAttributes.compute([problemAt], (state): Record<string, string> => {
      const isWrong = state.field(problemAt) !== null;
      return isWrong ? { 'aria-invalid': 'true', 'aria-describedby': describedBy } : {};
    }),
  ];
}

function lineStart(state: EditorState): number | null {
  const at = state.field(problemAt);
  return at === null ? null : state.doc.lineAt(at).from;
}
