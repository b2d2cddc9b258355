import type { Flow } from '#shared/flow/flow.ts';
import { formatDuration, formatHeld } from '../../../ui/words.ts';
import { timingParts } from './timing-parts.ts';
import type { PartName, TimingPart } from './timing-parts.ts';

const names: Record<PartName, string> = {
  blocked: 'Blocked',
  dns: 'DNS',
  connect: 'Connect',
  tls: 'TLS',
  send: 'Send',
  wait: 'Wait, upstream',
  held: 'Held by Spike',
  receive: 'Receive',
};

/** Where the time went, part by part, on one scale. */
export function TimingTab({ flow }: { flow: Flow }) {
  const parts = timingParts(flow);
  const last = parts.at(-1);
  const sum = last === undefined ? 0 : last.fromMs + (last.ms ?? 0);
  const whole = Math.max(flow.durationMs ?? 0, sum, 0.1);
  const step = tickStep(whole);
  const ticks = Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) => index * step);
  return (
    <div className="bd">
      <div className="timing" role="table" aria-label="Timing">
        <div className="scale" aria-hidden>
          {ticks.map((tick) => (
            <i key={tick} style={{ left: `${(tick / whole) * 100}%` }}>
              <span className="xs t3">{tickLabel(tick)}</span>
            </i>
          ))}
        </div>
        {parts.map((part) => (
          <Part key={part.name} part={part} whole={whole} reused={flow.upstream?.reused === true} />
        ))}
      </div>
      {flow.durationMs === null && <p className="xs t3">The call is still open.</p>}
      {flow.durationMs !== null && whole - sum > 1 && (
        <p className="xs t3">{formatDuration(whole - sum)} of the call were spent outside of these parts.</p>
      )}
    </div>
  );
}

function Part({ part, whole, reused }: { part: TimingPart; whole: number; reused: boolean }) {
  const { name, ms, fromMs } = part;
  const held = name === 'held';
  return (
    <div className={held ? 'part fault' : 'part'} role="row">
      <span role="rowheader" className={held ? '' : 't2'}>
        {names[name]}
      </span>
      <span className="track" aria-hidden>
        {(ms ?? 0) > 0 && (
          <i
            className={held ? 'held' : ''}
            style={{ left: `${(fromMs / whole) * 100}%`, width: `max(2px, ${((ms ?? 0) / whole) * 100}%)` }}
          />
        )}
      </span>
      <span role="cell" className={ms === null ? 'xs t3 r' : 'xs r'}>
        {ms === null ? missing(name, reused) : held ? formatHeld(ms) : formatDuration(ms)}
      </span>
    </div>
  );
}

function missing(name: PartName, reused: boolean): string {
  return reused && (name === 'dns' || name === 'connect' || name === 'tls') ? 'reused' : 'none';
}

/** 1, 2 or 5 times a power of ten, so that at most five lines are drawn. */
function tickStep(wholeMs: number): number {
  const rough = wholeMs / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
}

function tickLabel(ms: number): string {
  if (ms === 0) return '0';
  return ms >= 1000 ? `${ms / 1000} s` : `${Number(ms.toPrecision(2))} ms`;
}
