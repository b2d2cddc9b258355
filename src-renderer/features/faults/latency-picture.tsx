import { duration } from '#shared/rules/fault-effects.ts';

const width = 520;

/** Where the delays fall: the delay, and the uniform spread around it. */
export function LatencyPicture({ latencyMs, jitterMs }: { latencyMs: number; jitterMs: number }) {
  const low = Math.max(0, latencyMs - jitterMs);
  const high = latencyMs + jitterMs;
  const end = niceEnd(high * 1.2);
  const x = (ms: number) => (ms / end) * width;
  // The delay is named before its bounds, where there is no room for all.
  const ticks = [0, end, latencyMs, low, high].filter((ms, at, all) => all.indexOf(ms) === at);
  const apart = ticks.filter(
    (ms, at) => at === 0 || ticks.slice(0, at).every((other) => Math.abs(x(ms) - x(other)) > 44),
  );
  return (
    <svg
      className="latency-picture"
      viewBox={`0 0 ${width + 10} 42`}
      role="img"
      aria-label={`Delays from ${duration(low)} to ${duration(high)}, evenly`}
    >
      <line className="gl" x1={0} x2={width} y1={24.5} y2={24.5} />
      {high > low && (
        <rect
          x={x(low)}
          y={8}
          width={Math.max(1, x(high) - x(low))}
          height={16}
          fill="var(--fault)"
          opacity={0.35}
        />
      )}
      <line x1={x(latencyMs)} x2={x(latencyMs)} y1={4} y2={24} stroke="var(--fault)" strokeWidth={1.5} />
      {apart.map((ms) => (
        <text key={ms} x={x(ms)} y={38} textAnchor={ms === 0 ? 'start' : ms === end ? 'end' : 'middle'}>
          {ms === 0 ? '0' : duration(ms)}
        </text>
      ))}
    </svg>
  );
}

/** The next of 1, 1.5, 2, 3, 5, 7 or 10 times a power of ten. */
function niceEnd(ms: number): number {
  if (ms <= 0) return 10;
  const power = 10 ** Math.floor(Math.log10(ms));
  const step = [1, 1.5, 2, 3, 5, 7, 10].find((factor) => factor * power >= ms) ?? 10;
  return step * power;
}
