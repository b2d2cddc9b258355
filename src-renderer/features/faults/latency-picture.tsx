import type { FaultOf } from '#shared/rules/fault.ts';
import { duration } from '#shared/rules/fault-effects.ts';
import { latencyShape } from './latency-shape.ts';
import type { LatencyShape } from './latency-shape.ts';

const width = 520;
const base = 24;
const height = 16;

const words = {
  uniform: 'evenly',
  normal: 'most of them near the middle',
  lognormal: 'with a long tail',
  percentiles: 'as recorded',
} as const;

/** Where the delays fall. */
export function LatencyPicture({ fault }: { fault: FaultOf<'latency'> }) {
  const shape = latencyShape(fault);
  const { middleMs, lowMs, highMs, endMs } = shape;
  const x = (ms: number) => (ms / endMs) * width;
  // The delay is named before its bounds, where there is no room for all.
  const ticks = [0, endMs, middleMs, lowMs, highMs].filter((ms, at, all) => all.indexOf(ms) === at);
  const apart = ticks.filter(
    (ms, at) => at === 0 || ticks.slice(0, at).every((other) => Math.abs(x(ms) - x(other)) > 44),
  );
  return (
    <svg
      className="latency-picture"
      viewBox={`0 0 ${width + 10} 42`}
      role="img"
      aria-label={`Delays from ${rounded(lowMs)} to ${rounded(highMs)}, ${words[fault.distribution]}`}
    >
      <line className="gl" x1={0} x2={width} y1={base + 0.5} y2={base + 0.5} />
      <path d={outline(shape)} fill="var(--fault)" opacity={0.35} />
      <line x1={x(middleMs)} x2={x(middleMs)} y1={4} y2={base} stroke="var(--fault)" strokeWidth={1.5} />
      {apart.map((ms) => (
        <text key={ms} x={x(ms)} y={38} textAnchor={ms === 0 ? 'start' : ms === endMs ? 'end' : 'middle'}>
          {ms === 0 ? '0' : rounded(ms)}
        </text>
      ))}
    </svg>
  );
}

function rounded(ms: number): string {
  return duration(ms < 1000 ? Math.round(ms) : ms);
}

/** A sharp edge (a uniform spread) is drawn as one: each sample is a step. */
function outline({ heights, lowMs, highMs, endMs }: LatencyShape): string {
  if (heights.length === 0) return '';
  const isFlat = heights.every((share) => share === 0 || share === 1);
  if (isFlat) {
    const from = (lowMs / endMs) * width;
    return `M${from} ${base}V${base - height}H${(highMs / endMs) * width}V${base}Z`;
  }
  const apart = width / (heights.length - 1);
  const points = heights.map(
    (share, at) => `${(at * apart).toFixed(1)} ${(base - share * height).toFixed(1)}`,
  );
  return `M0 ${base}L${points.join('L')}L${width} ${base}Z`;
}
