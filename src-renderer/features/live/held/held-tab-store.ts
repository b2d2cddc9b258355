import { create } from 'zustand';

export const heldTabs = ['body', 'headers', 'request'] as const;
export type HeldTab = (typeof heldTabs)[number];

export const tabLabels: Readonly<Record<HeldTab, string>> = {
  body: 'Body',
  headers: 'Headers',
  request: 'Request',
};

/** The part of the message that is open; it stays when another call is selected. */
export const useHeldTab = create<{ tab: HeldTab }>(() => ({ tab: 'body' }));

export function openHeldTab(tab: HeldTab): void {
  useHeldTab.setState({ tab });
}

/** The tab so many to the right, without going round. */
export function stepHeldTab(by: number): void {
  const at = heldTabs.indexOf(useHeldTab.getState().tab) + by;
  const tab = heldTabs[Math.min(heldTabs.length - 1, Math.max(0, at))];
  if (tab !== undefined) openHeldTab(tab);
}
