import type { FaultOf } from '#shared/rules/fault.ts';
import type { Random } from '../../clock.ts';

/** Draws one delay after the other, in ms, as a latency fault describes them; never negative. */
export function delayDraw(fault: FaultOf<'latency'>, random: Random): () => number {
  const { latencyMs, jitterMs, distribution } = fault;
  if (distribution === 'percentiles') return percentileDraw(fault.percentiles, latencyMs, random);
  if (jitterMs === 0) return () => latencyMs;
  switch (distribution) {
    case 'uniform':
      return () => Math.max(0, latencyMs + (random() * 2 - 1) * jitterMs);
    case 'normal':
      return () => Math.max(0, latencyMs + standardNormal(random) * jitterMs);
    case 'lognormal':
      return lognormalDraw(latencyMs, jitterMs, random);
  }
}

/** Box and Muller; the logarithm of 0 is avoided by drawing from (0, 1]. */
function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * Lognormal with the delay as its median and the spread as its standard deviation, as measured latencies mostly are: with
 * s² = ln((1 + √(1 + 4 (d/m)²)) / 2) its variance m² (e^s² - 1) e^s² is d².
 */
function lognormalDraw(median: number, deviation: number, random: Random): () => number {
  if (median === 0) return () => Math.abs(standardNormal(random)) * deviation;
  const sigma = Math.sqrt(Math.log((1 + Math.sqrt(1 + 4 * (deviation / median) ** 2)) / 2));
  return () => median * Math.exp(standardNormal(random) * sigma);
}

/** Between two recorded percentiles the line is straight; outside of them their nearest holds. */
function percentileDraw(
  percentiles: FaultOf<'latency'>['percentiles'],
  otherwise: number,
  random: Random,
): () => number {
  const points = Object.entries(percentiles)
    .map(([name, ms]) => ({ at: Number(name.slice(1)) / 100, ms }))
    .sort((a, b) => a.at - b.at);
  return () => {
    const drawn = random();
    const above = points.findIndex(({ at }) => at >= drawn);
    const upper = points.at(above);
    const lower = points[(above < 0 ? points.length : above) - 1] ?? upper;
    if (upper === undefined || lower === undefined) return otherwise;
    if (above < 0) return upper.ms;
    const span = upper.at - lower.at;
    return span === 0 ? upper.ms : lower.ms + ((drawn - lower.at) / span) * (upper.ms - lower.ms);
  };
}
