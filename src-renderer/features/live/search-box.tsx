import { useEffect, useRef, useState } from 'react';
import type { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import type { ViewUpdate } from '@codemirror/view';
import { CircleAlert, Search, X } from 'lucide-react';
import { completeSearch } from '#shared/flow/search.ts';
import { setSearchText, useCalls } from '../../stores/calls-store.ts';
import { useRoutes } from '../../stores/routes-store.ts';
import { useRules } from '../../stores/rules-store.ts';
import { useTopology } from '../../stores/topology-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { CompletionList } from './completion-list.tsx';
import { searchCompletions } from './search-completions.ts';
import type { Completion } from './search-completions.ts';
import { searchExtensions } from './search-editor.ts';

const searchAfterMs = 200;
/** The beginning of a field's name is hardly ever the word that is looked for: most probably the name will be completed. */
const searchHalfWordAfterMs = 1500;

/** The one search box of the view, for the key `/`. */
export const searchBox = {
  view: null as EditorView | null,
  focus(): void {
    this.view?.focus();
  },
};

interface Offer {
  options: Completion[];
  selected: number;
  left: number;
}

/** One line of our search language, with completion; the list follows 200 ms after typing. */
export function SearchBox() {
  const host = useRef<HTMLDivElement>(null);
  const [offer, setOffer] = useState<Offer | null>(null);
  const error = useCalls((store) => store.searchError);
  const searchText = useCalls((store) => store.searchText);
  const [focused, setFocused] = useState(false);
  useEditor(host, offer, setOffer, setFocused);
  return (
    <div className={focused ? 'search on' : 'search'} ref={host} data-invalid={error !== null || undefined}>
      <Icon of={Search} className="t3" />
      {searchText !== '' && (
        <button
          className="btn ghost sm icon clear"
          aria-label="Clear search"
          onClick={() => setSearchText('')}
        >
          <Icon of={X} size={12} />
        </button>
      )}
      {offer !== null && focused && (
        <CompletionList
          options={offer.options}
          selected={offer.selected}
          left={offer.left}
          onAccept={(option) => accept(option, setOffer)}
        />
      )}
      {error !== null && (offer === null || !focused) && (
        <p className="pop search-error" role="alert">
          <Icon of={CircleAlert} className="error" />
          <span>{error.message} The list keeps the last search.</span>
        </p>
      )}
    </div>
  );
}

type SetOffer = (offer: Offer | null) => void;

function accept(option: Completion, setOffer: SetOffer): void {
  const view = searchBox.view;
  if (view === null) return;
  setOffer(null);
  view.dispatch({
    changes: { from: 0, to: view.state.doc.length, insert: option.search },
    selection: { anchor: option.caret },
    userEvent: 'input.complete',
  });
  view.focus();
}

/** Makes the editor once; what its keys need to know of the offer is read through a ref. */
function useEditor(
  host: React.RefObject<HTMLDivElement | null>,
  offer: Offer | null,
  setOffer: SetOffer,
  setFocused: (focused: boolean) => void,
): void {
  const latest = useRef(offer);
  useEffect(() => {
    latest.current = offer;
  });
  useEffect(() => {
    if (host.current === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const applySoon = (text: string, afterMs: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => setSearchText(text), afterMs);
    };
    const onUpdate = (update: ViewUpdate) => {
      if (update.focusChanged) setFocused(update.view.hasFocus);
      const byUser = update.transactions.some(
        (transaction) => transaction.isUserEvent('input') || transaction.isUserEvent('delete'),
      );
      if (update.docChanged && byUser)
        applySoon(
          update.state.doc.toString(),
          endsInHalfField(update.state) ? searchHalfWordAfterMs : searchAfterMs,
        );
      if (byUser && update.view.hasFocus) setTimeout(() => setOffer(offerFor(update.view)), 0);
      else if (update.selectionSet) setOffer(null);
    };
    const view = new EditorView({
      doc: useCalls.getState().searchText,
      extensions: searchExtensions(searchKeyBindings(latest, setOffer, applySoon), onUpdate),
    });
    host.current.insertBefore(view.dom, host.current.children[1] ?? null);
    searchBox.view = view;
    const stopFollowing = useCalls.subscribe(({ searchText }, before) => {
      if (searchText !== before.searchText && searchText !== view.state.doc.toString()) {
        clearTimeout(timer);
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: searchText } });
      }
    });
    return () => {
      stopFollowing();
      clearTimeout(timer);
      searchBox.view = null;
      view.destroy();
    };
  }, [host, setOffer, setFocused]);
}

function searchKeyBindings(
  offer: React.RefObject<Offer | null>,
  setOffer: SetOffer,
  applySoon: (text: string, afterMs: number) => void,
) {
  const move = (by: number) => () => {
    const { current } = offer;
    if (current === null) return true; // up and down have no other meaning on one line
    const { length } = current.options;
    setOffer({ ...current, selected: (current.selected + by + length) % length });
    return true;
  };
  return [
    { key: 'ArrowDown', run: move(1) },
    { key: 'ArrowUp', run: move(-1) },
    {
      key: 'Tab',
      run: () => {
        const option = offer.current?.options[offer.current.selected];
        if (option === undefined) return false;
        accept(option, setOffer);
        return true;
      },
    },
    {
      key: 'Enter',
      run: (view: EditorView) => {
        setOffer(null);
        applySoon(view.state.doc.toString(), 0);
        return true;
      },
    },
    {
      key: 'Escape',
      run: (view: EditorView) => {
        if (offer.current === null) view.contentDOM.blur();
        else setOffer(null);
        return true;
      },
    },
    {
      key: 'Ctrl-Space',
      run: (view: EditorView) => {
        setOffer(offerFor(view));
        return true;
      },
    },
  ];
}

function endsInHalfField(state: EditorState): boolean {
  const { head } = state.selection.main;
  const found = completeSearch(state.doc.toString(), head);
  return found.key === null && found.from < head && found.options.length > 0;
}

function offerFor(view: EditorView): Offer | null {
  const caret = view.state.selection.main.head;
  const options = searchCompletions(view.state.doc.toString(), caret, {
    services: useTopology.getState().topology?.services.map((service) => service.name) ?? [],
    routes: useRoutes.getState().routes?.map((route) => route.name) ?? [],
    rules: useRules.getState().rules ?? [],
  });
  if (options.length === 0) return null;
  const box = view.dom.parentElement?.getBoundingClientRect();
  const at = view.coordsAtPos(caret);
  return { options, selected: 0, left: Math.max(0, (at?.left ?? 0) - (box?.left ?? 0) - 24) };
}
