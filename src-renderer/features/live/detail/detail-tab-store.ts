import { create } from 'zustand';

export const detailTabs = ['overview', 'request', 'response', 'timing', 'faults'] as const;
export type DetailTab = (typeof detailTabs)[number];

/** The open tab of the panel; it stays when another call is selected, so that calls can be compared. */
export const useDetailTab = create<{ tab: DetailTab }>(() => ({ tab: 'overview' }));

export function openTab(tab: DetailTab): void {
  useDetailTab.setState({ tab });
}

/** The tab so many to the right of the open one, without going round. */
export function stepTab(by: number): void {
  const index = detailTabs.indexOf(useDetailTab.getState().tab) + by;
  const tab = detailTabs[Math.min(detailTabs.length - 1, Math.max(0, index))];
  if (tab !== undefined) openTab(tab);
}
