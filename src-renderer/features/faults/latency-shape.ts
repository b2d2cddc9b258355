import type { FaultOf } from '#shared/rules/fault.ts';

type Latency = FaultOf<'latency'>;

/** How likely delays are along an axis from 0 to `endMs`. */
export interface LatencyShape {
  /** 0 to 1, the likeliest is 1; evenly apart from 0 to `endMs`. Empty: the delay is always `middleMs`. */
  readonly heights: readonly number[];
  /** The delay, or the median. */
  readonly middleMs: number;
  /** Between these nearly all delays are. */
  readonly lowMs: number;
  readonly highMs: number;
  readonly endMs: number;
}

const points = 104;

/** The distributions that the engine draws from; the spread means for each what its field says. */
export function latencyShape(fault: Latency): LatencyShape {
  const { distribution, latencyMs, jitterMs, percentiles } = fault;
  if (distribution === 'percentiles') return percentileShape(percentiles, latencyMs);
  if (jitterMs === 0) return always(latencyMs);
  const { lowMs, highMs, density } = curves[distribution](latencyMs, jitterMs);
  return shapeOf(latencyMs, Math.max(0, lowMs), highMs, density);
}

interface Curve {
  readonly lowMs: number;
  readonly highMs: number;
  density(ms: number): number;
}

/** All of a uniform spread, two standard deviations of the others. */
const curves: Readonly<
  Record<Exclude<Latency['distribution'], 'percentiles'>, (latencyMs: number, jitterMs: number) => Curve>
> = {
  uniform: (latencyMs, jitterMs) => ({
    lowMs: latencyMs - jitterMs,
    highMs: latencyMs + jitterMs,
    density: (ms) => (Math.abs(ms - latencyMs) <= jitterMs ? 1 : 0),
  }),
  normal: (latencyMs, jitterMs) => ({
    lowMs: latencyMs - 2 * jitterMs,
    highMs: latencyMs + 2 * jitterMs,
    density: (ms) => Math.exp(-(((ms - latencyMs) / jitterMs) ** 2) / 2),
  }),
  lognormal: (median, deviation) => {
    if (median === 0) return curves.normal(0, deviation);
    const sigma = Math.sqrt(Math.log((1 + Math.sqrt(1 + 4 * (deviation / median) ** 2)) / 2));
    return {
      lowMs: median * Math.exp(-2 * sigma),
      highMs: median * Math.exp(2 * sigma),
      density: (ms) => (ms <= 0 ? 0 : Math.exp(-((Math.log(ms / median) / sigma) ** 2) / 2) / ms),
    };
  },
};

/** Between two percentiles the line is straight: as many delays fall there as their share says. */
function percentileShape(percentiles: Latency['percentiles'], otherwiseMs: number): LatencyShape {
  const known = Object.entries(percentiles)
    .map(([name, ms]) => ({ at: Number(name.slice(1)) / 100, ms }))
    .sort((a, b) => a.at - b.at);
  const first = known[0];
  const last = known.at(-1);
  if (first === undefined || last === undefined || last.ms <= first.ms)
    return always(last?.ms ?? otherwiseMs);
  const density = (ms: number): number => {
    const above = known.findIndex((point) => point.ms >= ms);
    const upper = known[above];
    const lower = known[above - 1];
    if (upper === undefined || lower === undefined || upper.ms === lower.ms) return 0;
    return (upper.at - lower.at) / (upper.ms - lower.ms);
  };
  return shapeOf(percentiles['p50'] ?? (first.ms + last.ms) / 2, first.ms, last.ms, density);
}

function always(ms: number): LatencyShape {
  return { heights: [], middleMs: ms, lowMs: ms, highMs: ms, endMs: niceEnd(ms * 1.2) };
}

function shapeOf(
  middleMs: number,
  lowMs: number,
  highMs: number,
  density: (ms: number) => number,
): LatencyShape {
  const endMs = niceEnd(highMs * 1.2);
  const raw = Array.from({ length: points + 1 }, (_, at) => density((at / points) * endMs));
  const highest = Math.max(...raw);
  return {
    heights: raw.map((height) => (highest > 0 ? height / highest : 0)),
    middleMs,
    lowMs,
    highMs,
    endMs,
  };
}

/** The next of 1, 1.5, 2, 3, 5, 7 or 10 times a power of ten. */
export function niceEnd(ms: number): number {
  if (ms <= 0) return 10;
  const power = 10 ** Math.floor(Math.log10(ms));
  const step = [1, 1.5, 2, 3, 5, 7, 10].find((factor) => factor * power >= ms) ?? 10;
  return step * power;
}
