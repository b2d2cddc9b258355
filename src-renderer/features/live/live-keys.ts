import { followNewest, selectCall, useCalls, callLog } from '../../stores/calls-store.ts';
import { closeHeld, stepHeld, useHeld } from '../../stores/held-store.ts';
import { useKeys } from '../../ui/keys.ts';
import { searchBox } from './search-box.tsx';
import { stepTab } from './detail/detail-tab-store.ts';
import { stepHeldTab } from './held/held-tab-store.ts';
import { leaveAnswerOf } from './held/desk-store.ts';

/** The keys of Live (design: keys). */
export function useLiveKeys(): void {
  useKeys({
    '/': () => searchBox.focus(),
    j: () => stepRow(1),
    ArrowDown: () => stepRow(1),
    k: () => stepRow(-1),
    ArrowUp: () => stepRow(-1),
    PageDown: () => step(20),
    PageUp: () => step(-20),
    Enter: openNewest,
    Escape: leaveLayer,
    '[': () => stepOpenTab(-1),
    ']': () => stepOpenTab(1),
    End: followNewest,
  });
}

/** The held calls are in the panel: keys that move are theirs. */
function isHeldShown(): boolean {
  return useHeld.getState().isOpen && useCalls.getState().selectedId === null;
}

function stepRow(by: number): void {
  if (isHeldShown()) stepHeld(by);
  else step(by);
}

function stepOpenTab(by: number): void {
  if (isHeldShown()) stepHeldTab(by);
  else stepTab(by);
}

/** A call lies over the held ones, an answer that is written over its call. */
function leaveLayer(): void {
  if (!isHeldShown()) return selectCall(null);
  if (!leaveAnswerOf(useHeld.getState().selectedId)) closeHeld();
}

/** Selects the call so many rows below the selected one; without one, the newest. */
function step(by: number): void {
  const { selectedId, first, end } = useCalls.getState();
  const from = selectedId === null ? -1 : callLog.indexOf(selectedId);
  const index = from < 0 ? end - 1 : Math.min(end - 1, Math.max(first, from + by));
  const row = callLog.at(index);
  if (row !== undefined && index >= first) selectCall(row.flow.id);
}

function openNewest(): void {
  if (useCalls.getState().selectedId === null) step(0);
}
