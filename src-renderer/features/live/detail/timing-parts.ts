import { injectedDelayMs } from '#shared/flow/flow.ts';
import type { Flow } from '#shared/flow/flow.ts';

export type PartName = 'blocked' | 'dns' | 'connect' | 'tls' | 'send' | 'wait' | 'held' | 'receive';

/** A part of a call's time. */
export interface TimingPart {
  name: PartName;
  /** null: it did not happen, as on a connection that was reused. */
  ms: number | null;
  /** Where it begins, in ms after the start of the call. */
  fromMs: number;
}

const order = ['blocked', 'dns', 'connect', 'tls', 'send', 'wait', 'receive'] as const;

/**
 * The parts of a call in the order in which they happened, with what Spike held between the upstream's first byte and the
 * last one passed on. Timings are those of the upstream's side; what is held is known as a sum, so it is drawn as one part.
 */
export function timingParts(flow: Flow): TimingPart[] {
  const parts: TimingPart[] = [];
  let at = 0;
  const add = (name: PartName, ms: number | null) => {
    parts.push({ name, ms, fromMs: at });
    at += ms ?? 0;
  };
  const held = injectedDelayMs(flow);
  for (const name of order) {
    if (name === 'receive' && held > 0) add('held', held);
    add(name, flow.timings[name]);
  }
  return parts;
}
