import { create } from 'zustand';

/** The views in the order of the rail; `1` to `4` open them. */
export const viewNames = ['live', 'map', 'faults', 'setup'] as const;
export type ViewName = (typeof viewNames)[number];

/** What a view should open with: an edge of the map, a rule of Faults. */
export interface ViewTarget {
  view: ViewName;
  /** The id of what is to be shown in it; null: nothing in particular. */
  item: string | null;
}

export const useView = create<ViewTarget>(() => readFragment());

/** Goes to a view; the address (`#/faults/payments-is-slow`) follows, so that Back works. */
export function openView(view: ViewName, item: string | null = null): void {
  location.hash = `/${view}${item === null ? '' : `/${encodeURIComponent(item)}`}`;
}

/** Follows the address. */
export function followAddress(): void {
  window.addEventListener('hashchange', () => useView.setState(readFragment()));
  useView.setState(readFragment());
}

function readFragment(): ViewTarget {
  const [, view, item] = location.hash.split('/');
  return {
    view: viewNames.find((name) => name === view) ?? 'live',
    item: item === undefined || item === '' ? null : decodeURIComponent(item),
  };
}
