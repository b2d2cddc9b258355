import type { Stats } from '#shared/contract/topology.ts';

const height = 28;
const base = 30;
/** A bar that stands for at least one call is seen. */
const leastBar = 1.5;

/** The strip as drawn: three paths, and the way between pixels and time. */
export interface StripShape {
  calls: string;
  failed: string;
  injected: string;
  ticks: { at: number; x: number }[];
  withSeconds: boolean;
  label: string;
  /** Unix ms at a distance from the left edge, in px. */
  time(x: number): number;
  x(unixMs: number): number;
}

const tickSteps = [10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000];
const ticksAtMost = 8;

/** @param width in px. */
export function strip(stats: Stats, width: number): StripShape {
  const until = Date.parse(stats.at);
  const from = until - stats.windowMs;
  const x = (unixMs: number) => ((unixMs - from) / stats.windowMs) * width;
  const most = Math.max(1, ...stats.series.map((point) => point.calls));
  const barWidth = Math.max(1, Math.min((stats.stepMs / stats.windowMs) * width - 2, 12));
  const bars = (value: (point: Stats['series'][number]) => [above: number, count: number]) =>
    stats.series
      .map((point) => {
        const [above, count] = value(point);
        if (count === 0) return '';
        const top = Math.max(leastBar, (count / most) * height);
        const left = x(point.at).toFixed(1);
        return `M${left} ${(base - (above / most) * height).toFixed(1)}v${(-top).toFixed(1)}h${barWidth.toFixed(1)}v${top.toFixed(1)}z`;
      })
      .join('');
  const step = tickSteps.find((ms) => stats.windowMs / ms <= ticksAtMost) ?? 3_600_000;
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at < until; at += step) {
    if (x(at) > 20 && x(at) < width - 20) ticks.push({ at, x: x(at) });
  }
  const sum = (pick: (point: Stats['series'][number]) => number) =>
    stats.series.reduce((total, point) => total + pick(point), 0);
  return {
    calls: bars((point) => [0, point.calls]),
    injected: bars((point) => [0, point.injected]),
    failed: bars((point) => [point.injected, point.failed]),
    ticks,
    withSeconds: step < 60_000,
    label: `Calls over time: ${sum((point) => point.calls)}, ${sum((point) => point.failed)} failed, ${sum((point) => point.injected)} altered by Spike`,
    time: (px) => from + (px / width) * stats.windowMs,
    x,
  };
}
