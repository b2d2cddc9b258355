import type { HeldCall } from '#shared/contract/held.ts';
import { useHeld } from '../../../stores/held-store.ts';
import { formatLeft } from './held-words.ts';
import { useNow } from './use-now.ts';

const soonMs = 10_000;

/** How long a call is held yet, in ms of this window's clock. */
function useLeft({ expiresAt }: HeldCall): number {
  const ahead = useHeld((store) => store.clockAheadMs ?? 0);
  return Math.max(0, Date.parse(expiresAt) + ahead - useNow());
}

export function TimeLeft({ call }: { call: HeldCall }) {
  const left = useLeft(call);
  return (
    <span className={left <= soonMs ? 'mono left warn m' : 'mono left'} role="timer" aria-label="Time left">
      {formatLeft(left)}
    </span>
  );
}

/** The same as a line that grows shorter. */
export function TimeBar({ call }: { call: HeldCall }) {
  const whole = Date.parse(call.expiresAt) - Date.parse(call.heldAt);
  const left = useLeft(call);
  const share = whole <= 0 ? 0 : Math.min(1, left / whole);
  return (
    <span className="time-bar" aria-hidden>
      <i className="hatch" style={{ width: `${(share * 100).toFixed(2)}%` }} />
    </span>
  );
}
