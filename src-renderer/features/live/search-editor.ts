import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { EditorState, Prec } from '@codemirror/state';
import type { Extension } from '@codemirror/state';
import { Decoration, EditorView, keymap, placeholder, ViewPlugin, WidgetType } from '@codemirror/view';
import type { DecorationSet, KeyBinding, ViewUpdate } from '@codemirror/view';
import { tokenizeSearch } from '#shared/flow/search.ts';
import { formatCount } from '../../ui/words.ts';
import type { SearchToken } from '#shared/flow/search.ts';

const tokenClass: Record<SearchToken['kind'], string> = {
  key: 'q-k',
  operator: 'q-o',
  value: 'q-v',
  number: 'q-n',
  or: 'q-o',
  not: 'q-x',
  open: 'q-o',
  close: 'q-o',
  error: 'q-bad',
};

/** Colours the search by its own grammar. */
const colours = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = decorate(view.state);
    }
    update(update: ViewUpdate) {
      if (update.docChanged) this.decorations = decorate(update.state);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

/** A long list of ids says nothing to a reader: it stands as how many there are, and is deleted as one. */
class IdCount extends WidgetType {
  readonly #count: number;
  constructor(count: number) {
    super();
    this.#count = count;
  }
  override eq(other: IdCount): boolean {
    return other.#count === this.#count;
  }
  toDOM(): HTMLElement {
    const shown = document.createElement('span');
    shown.className = 'q-v q-ids';
    shown.textContent = `${formatCount(this.#count)} calls`;
    return shown;
  }
}

const fewIds = 3;

const idLists = EditorView.decorations.compute(['doc'], (state) => foldedIds(state));
const idListsWhole = EditorView.atomicRanges.of((view) => foldedIds(view.state));

function foldedIds(state: EditorState): DecorationSet {
  const tokens = tokenizeSearch(state.doc.toString());
  const lists = tokens.flatMap((token, index) => {
    const count = token.text.split(',').length;
    const isList = tokens[index - 2]?.text === 'id' && tokens[index - 1]?.kind === 'operator';
    if (!isList || count <= fewIds) return [];
    const folded = Decoration.replace({ widget: new IdCount(count) });
    return [folded.range(token.at, token.at + token.length)];
  });
  return Decoration.set(lists);
}

function decorate(state: EditorState): DecorationSet {
  const tokens = tokenizeSearch(state.doc.toString()).filter((token) => token.length > 0);
  return Decoration.set(
    tokens.map((token) =>
      Decoration.mark({ class: tokenClass[token.kind] }).range(token.at, token.at + token.length),
    ),
  );
}

/** Line breaks become spaces: the search is one line, also when several are pasted. */
const oneLine = EditorState.transactionFilter.of((transaction) => {
  if (!transaction.docChanged || transaction.newDoc.lines === 1) return transaction;
  const text = transaction.newDoc
    .toString()
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  const { length } = transaction.startState.doc;
  return { changes: { from: 0, to: length, insert: text }, selection: { anchor: text.length } };
});

/** The editor of the search box. @param keys come before the editor's own. */
export function searchExtensions(
  keys: readonly KeyBinding[],
  onUpdate: (update: ViewUpdate) => void,
): Extension {
  return [
    Prec.highest(keymap.of(keys)),
    history(),
    keymap.of([...historyKeymap, ...defaultKeymap]),
    oneLine,
    colours,
    idLists,
    idListsWhole,
    placeholder('Search calls: a word, path:/orders, status:5xx, latency>1s'),
    EditorView.contentAttributes.of({
      role: 'searchbox',
      'aria-label': 'Search calls',
      'aria-multiline': 'false',
      'aria-autocomplete': 'list',
      spellcheck: 'false',
    }),
    EditorView.updateListener.of(onUpdate),
  ];
}
