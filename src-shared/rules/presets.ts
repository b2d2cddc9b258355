import type { RuleInput } from './rule.ts';

/** Failures as they are known by name: each becomes a rule for the calls that are chosen. */
export interface Preset {
  readonly id: string;
  readonly title: string;
  /** A name of lucide. */
  readonly icon: string;
  /** One line: what it is like. */
  readonly description: string;
  /** It answers in HTTP, or is about TLS that is opened: nothing happens to bytes that are not. */
  readonly needsHttp: boolean;
  readonly effect: Pick<RuleInput, 'trigger' | 'faults'>;
}

/** bytes a second of so many kilobits. */
const kbit = (kilobits: number): number => (kilobits * 1000) / 8;

/** A link with the same delay both ways: half of its round trip each. */
function slowLink(roundTripMs: number, jitterMs: number, down: number, up: number): RuleInput['faults'] {
  const latencyMs = roundTripMs / 2;
  return [
    { type: 'latency', direction: 'request', latencyMs, jitterMs },
    { type: 'bandwidth', direction: 'request', bytesPerSecond: up },
    { type: 'latency', direction: 'response', latencyMs, jitterMs },
    { type: 'bandwidth', direction: 'response', bytesPerSecond: down },
  ];
}

export const presets: readonly Preset[] = [
  {
    id: 'flaky',
    title: 'Flaky',
    icon: 'circle-alert',
    description: '503 for 5 % of the calls.',
    needsHttp: true,
    effect: { trigger: { probability: 0.05 }, faults: [{ type: 'status', status: 503 }] },
  },
  {
    id: 'slow',
    title: 'Slow',
    icon: 'timer',
    description: 'Answers take 2 s ± 1 s more.',
    needsHttp: false,
    effect: { faults: [{ type: 'latency', latencyMs: 2000, jitterMs: 1000 }] },
  },
  {
    id: 'down',
    title: 'Down',
    icon: 'ban',
    description: 'As if nothing listened there.',
    needsHttp: false,
    effect: { faults: [{ type: 'refuse' }] },
  },
  {
    id: 'overloaded',
    title: 'Overloaded',
    icon: 'gauge-circle',
    description: '10 calls a second pass, those beyond get 429 with Retry-After.',
    needsHttp: true,
    effect: {
      trigger: { rate: '10/s' },
      faults: [{ type: 'status', status: 429 }],
    },
  },
  {
    // The figures of WebPageTest's "3G": 1.6 Mbit/s down, 768 kbit/s up, 300 ms there and back.
    id: '3g',
    title: '3G',
    icon: 'gauge',
    description: '300 ms there and back, 1.6 Mbit/s down, 768 kbit/s up.',
    needsHttp: false,
    effect: { faults: slowLink(300, 0, kbit(1600), kbit(768)) },
  },
  {
    // A satellite over the equator is 35,786 km away: 4 times that way at the speed of light are 477 ms, the rest is queues.
    id: 'satellite',
    title: 'Satellite',
    icon: 'hourglass',
    description: '600 ms there and back, 10 Mbit/s down, 1 Mbit/s up.',
    needsHttp: false,
    effect: { faults: slowLink(600, 20, kbit(10_000), kbit(1000)) },
  },
  {
    id: 'half-dead',
    title: 'Half-dead',
    icon: 'volume-x',
    description: 'Takes connections, and never answers.',
    needsHttp: false,
    effect: { faults: [{ type: 'silence' }] },
  },
  {
    id: 'bad-certificate',
    title: 'Bad certificate',
    icon: 'shield-alert',
    description: 'The certificate has expired.',
    needsHttp: true,
    effect: { faults: [{ type: 'tls-certificate' }] },
  },
];

/** Whose calls a preset is for, as patterns of a match; null: anybody's. */
export interface PresetEnds {
  readonly caller: string | null;
  readonly callee: string | null;
}

/** The rule of a preset, off: `payments: flaky`, `checkout → payments: flaky`. */
export function presetRule({ title, effect }: Preset, { caller, callee }: PresetEnds): RuleInput {
  const to = callee ?? 'every call';
  const who = caller === null ? to : `${caller} → ${callee ?? 'any'}`;
  return {
    name: `${who}: ${title === '3G' ? title : title.toLowerCase()}`,
    match: {
      ...(caller === null ? {} : { caller }),
      ...(callee === null ? {} : { callee }),
    },
    ...effect,
  };
}
