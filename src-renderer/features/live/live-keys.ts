import { followNewest, selectCall, useCalls, callLog } from '../../stores/calls-store.ts';
import { useKeys } from '../../ui/keys.ts';
import { searchBox } from './search-box.tsx';
import { stepTab } from './detail/detail-tab-store.ts';

/** The keys of Live (design: keys). */
export function useLiveKeys(): void {
  useKeys({
    '/': () => searchBox.focus(),
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    PageDown: () => step(20),
    PageUp: () => step(-20),
    Enter: openNewest,
    Escape: () => selectCall(null),
    '[': () => stepTab(-1),
    ']': () => stepTab(1),
    End: followNewest,
  });
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
