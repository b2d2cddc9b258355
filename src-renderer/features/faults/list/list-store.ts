import { create } from 'zustand';
import type { Grouping } from '../rule-groups.ts';

/** How the list of rules is looked at: kept while the window is open. */
interface ListStore {
  search: string;
  grouping: Grouping;
  /** Titles of the groups that show their heading alone. */
  closed: ReadonlySet<string>;
}

export const useList = create<ListStore>(() => ({ search: '', grouping: 'callee', closed: new Set() }));

export function toggleGroup(title: string): void {
  useList.setState(({ closed }) => {
    const next = new Set(closed);
    if (!next.delete(title)) next.add(title);
    return { closed: next };
  });
}
