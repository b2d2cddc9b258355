import { create } from 'zustand';
import type { Flow } from '#shared/flow/flow.ts';

export const detailTabs = ['overview', 'request', 'response', 'messages', 'timing', 'faults'] as const;
export type DetailTab = (typeof detailTabs)[number];

interface DetailTabs {
  /** As it was chosen; it stays when another call is selected, so that calls can be compared. */
  readonly tab: DetailTab;
  /** Those that the call that is shown has. */
  readonly offered: readonly DetailTab[];
}

export const useDetailTab = create<DetailTabs>(() => ({ tab: 'overview', offered: detailTabs }));

export function openTab(tab: DetailTab): void {
  useDetailTab.setState({ tab });
}

/** The tabs that make sense for a call: messages only where something passes inside it. */
export function tabsOf(flow: Flow): readonly DetailTab[] {
  const hasMessages = flow.messages !== null || flow.kind === 'websocket' || flow.kind === 'tcp';
  return detailTabs.filter((tab) => tab !== 'messages' || hasMessages);
}

/** The tab that is open for a call: the chosen one, or the first where it has none of that name. */
export function openTabOf({ tab, offered }: DetailTabs): DetailTab {
  return offered.includes(tab) ? tab : 'overview';
}

/** The tab so many to the right of the open one, without going round. */
export function stepTab(by: number): void {
  const state = useDetailTab.getState();
  const index = state.offered.indexOf(openTabOf(state)) + by;
  const tab = state.offered[Math.min(state.offered.length - 1, Math.max(0, index))];
  if (tab !== undefined) openTab(tab);
}
