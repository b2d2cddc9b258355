import type { Direction } from '#shared/flow/flow.ts';
import type { FaultInput } from '#shared/rules/fault.ts';
import { longestDelayMs } from '#shared/rules/faults/parts.ts';

/** The attributes of a toxic, in the order in which Toxiproxy writes them: integers, whatever their unit. */
export type ToxicAttributes = Readonly<Record<string, bigint>>;

interface ToxicType {
  /** The struct that Toxiproxy reads the attributes into, for the words of an error. */
  readonly struct: string;
  readonly attributes: readonly string[];
  /** What it does, as a fault of Spike; null: nothing. */
  fault(attributes: ToxicAttributes, direction: Direction): FaultInput | null;
}

/** In thousands of bytes a second: a KB is 1000 bytes here, as `rate` bytes a millisecond show. */
const bytesPerKB = 1000;
/** Pieces of Toxiproxy's bandwidth toxic are this long. */
const bandwidthPieceMs = 100;

/** Every type of toxic of Toxiproxy 2.12. A value beyond what a fault takes acts as the nearest that it takes. */
const types: Readonly<Record<string, ToxicType>> = {
  latency: {
    struct: 'LatencyToxic',
    attributes: ['latency', 'jitter'],
    fault: (given, direction) => ({
      type: 'latency',
      direction,
      latencyMs: delay(given, 'latency'),
      jitterMs: delay(given, 'jitter'),
    }),
  },
  bandwidth: {
    struct: 'BandwidthToxic',
    attributes: ['rate'],
    fault: (given, direction) => ({
      type: 'bandwidth',
      direction,
      bytesPerSecond: within(given, 'rate', 0, 10_000_000) * bytesPerKB,
      pieceMs: bandwidthPieceMs,
    }),
  },
  slow_close: {
    struct: 'SlowCloseToxic',
    attributes: ['delay'],
    fault: (given, direction) => ({ type: 'slow-close', direction, delayMs: delay(given, 'delay') }),
  },
  timeout: {
    struct: 'TimeoutToxic',
    attributes: ['timeout'],
    fault: (given, direction) => ({
      type: 'timeout',
      direction,
      timeoutMs: delay(given, 'timeout'),
      closesWhenOff: true,
    }),
  },
  reset_peer: {
    struct: 'ResetToxic',
    attributes: ['timeout'],
    fault: (given, direction) => ({ type: 'reset-peer', direction, timeoutMs: delay(given, 'timeout') }),
  },
  slicer: {
    struct: 'SlicerToxic',
    attributes: ['average_size', 'size_variation', 'delay'],
    fault: (given, direction) => ({
      type: 'slicer',
      direction,
      averageBytes: within(given, 'average_size', 1, 1_048_576),
      variationBytes: within(given, 'size_variation', 0, 1_048_576),
      delayUs: within(given, 'delay', 0, longestDelayMs * 1000),
    }),
  },
  limit_data: {
    struct: 'LimitDataToxic',
    attributes: ['bytes'],
    fault: (given, direction) => ({
      type: 'limit-data',
      direction,
      bytes: within(given, 'bytes', 0, 1_000_000_000_000),
    }),
  },
  noop: { struct: 'NoopToxic', attributes: [], fault: () => null },
};

/** The type of that name; null when there is none. */
export function toxicType(name: string): ToxicType | null {
  return Object.hasOwn(types, name) ? (types[name] ?? null) : null;
}

function delay(attributes: ToxicAttributes, name: string): number {
  return within(attributes, name, 0, longestDelayMs);
}

function within(attributes: ToxicAttributes, name: string, least: number, most: number): number {
  return Math.min(most, Math.max(least, Number(attributes[name] ?? 0n)));
}
