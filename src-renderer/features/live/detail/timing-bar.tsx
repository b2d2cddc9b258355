import type { Flow } from '#shared/flow/flow.ts';
import { formatDuration, formatHeld } from '../../../ui/words.ts';
import { timingParts } from './timing-parts.ts';
import type { PartName } from './timing-parts.ts';

const shortNames: Record<PartName, string> = {
  blocked: 'blocked',
  dns: 'DNS',
  connect: 'connect',
  tls: 'TLS',
  send: 'send',
  wait: 'wait',
  held: 'held',
  receive: 'receive',
};

const leastShown = 0.02;
const namedAtMost = 4;

/** Where the time of the call went, in one line; what Spike held is hatched. */
export function TimingBar({ flow }: { flow: Flow }) {
  const parts = timingParts(flow).filter((part) => (part.ms ?? 0) > 0);
  const sum = parts.reduce((total, part) => total + (part.ms ?? 0), 0);
  if (sum === 0) return null;
  const longest = [...parts].sort((a, b) => (b.ms ?? 0) - (a.ms ?? 0)).slice(0, namedAtMost);
  const rule = flow.faults.find((fault) => (fault.delayedMs ?? 0) > 0)?.ruleName;
  return (
    <div className="timing-bar">
      <div className="parts" aria-hidden>
        {parts.map((part) => (
          <i
            key={part.name}
            className={part.name === 'held' ? 'held' : `part-${part.name}`}
            style={{ flexGrow: Math.max(leastShown, (part.ms ?? 0) / sum) }}
          />
        ))}
      </div>
      <div className="row xs t3 nowrap words">
        {parts
          .filter((part) => longest.includes(part))
          .map((part) =>
            part.name === 'held' ? (
              <span key="held" className="fault clip">
                held{rule === undefined ? '' : ` by “${rule}”`}{' '}
                <b className="m">{formatHeld(part.ms ?? 0)}</b>
              </span>
            ) : (
              <span key={part.name}>
                {shortNames[part.name]} <b className="t2 m">{formatDuration(part.ms).replace(' ms', '')}</b>
              </span>
            ),
          )}
      </div>
    </div>
  );
}
