import type uPlot from 'uplot';
import { edgesOfSpan, hatchSpans } from '../../ui/chart-hatch.ts';
import type { HatchedSpan } from '../../ui/chart-hatch.ts';
import { formatCount } from '../../ui/words.ts';
import type { FaultSpan } from './fault-spans.ts';

type Options = Omit<uPlot.Options, 'width' | 'height'>;

/** How the latency chart looks; colours are taken from the theme once, so a new theme needs a new chart. */
export function chartOptions(spans: () => readonly FaultSpan[]): Options {
  const tokens = getComputedStyle(document.documentElement);
  const token = (name: string) => tokens.getPropertyValue(name).trim();
  const font = `11px ${token('--font-ui')}`;
  const axis = {
    stroke: token('--text-3'),
    font,
    ticks: { show: false },
    grid: { stroke: token('--line'), width: 1 },
    border: { show: false },
  };
  const line = (colour: string, width: number): uPlot.Series => ({
    stroke: token(colour),
    width,
    points: { show: false },
  });
  return {
    padding: [6, 18, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { distr: 3, range: (_plot, low, high) => latencyRange(low, high) } },
    axes: [
      { ...axis, grid: { show: false }, size: 20, gap: 4, space: 60, values: (_plot, at) => at.map(minute) },
      {
        ...axis,
        size: 42,
        gap: 6,
        splits: (_plot, _axis, low, high) => decades(low, high),
        filter: (_plot, at) => at,
        values: (_plot, at) => at.map(decadeWords),
      },
    ],
    series: [{}, line('--series-1', 1.5), line('--series-3', 2), line('--series-4', 1.5)],
    hooks: {
      drawClear: [
        (plot) =>
          hatchSpans(plot, spans().map(inSeconds), { fault: token('--fault'), hatch: token('--hatch') }),
      ],
      draw: [(plot) => nameSpans(plot, spans(), { font, fault: token('--fault'), under: token('--bg-1') })],
    },
  };
}

/** Room around the lines, and at least one power of ten, so that a quiet edge is a line and not a mountain range. */
export function latencyRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [10, 1000];
  const [bottom, top] = [low * 0.6, high * 1.7];
  const decade = 10 ** Math.round(Math.log10(Math.sqrt(bottom * top)));
  return [Math.max(0.05, Math.min(bottom, decade * 0.4)), Math.max(top, decade * 4)];
}

/** The powers of ten within a range: only those have a line and a name. */
export function decades(low: number, high: number): number[] {
  const found: number[] = [];
  for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high; power += 1) {
    found.push(Number((10 ** power).toPrecision(1)));
  }
  return found;
}

function decadeWords(ms: number): string {
  if (ms < 100) return `${ms} ms`;
  return ms < 1000 ? '0.1 s' : `${formatCount(ms / 1000)} s`;
}

function minute(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  const two = (part: number) => String(part).padStart(2, '0');
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return date.getSeconds() === 0 ? clock : `${clock}:${two(date.getSeconds())}`;
}

/** Over the lines: the rule's name at the foot of its time. */
function nameSpans(
  plot: uPlot,
  spans: readonly FaultSpan[],
  look: { font: string; fault: string; under: string },
): void {
  const { ctx, bbox } = plot;
  const named = spans.findLast((span) => span.name !== null);
  if (named === undefined || named.name === null) return;
  const { left } = edgesOfSpan(plot, inSeconds(named));
  ctx.save();
  ctx.font = look.font.replace('11px', `${11 * devicePixelRatio}px`);
  const room = bbox.left + bbox.width - left - 8 * devicePixelRatio;
  const width = ctx.measureText(named.name).width;
  // Where the time has only just begun the name stands before it.
  const before = room < width;
  ctx.textAlign = before ? 'right' : 'left';
  ctx.textBaseline = 'bottom';
  const x = left + (before ? -5 : 5) * devicePixelRatio;
  const y = bbox.top + bbox.height - 2 * devicePixelRatio;
  ctx.lineJoin = 'round';
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.strokeStyle = look.under;
  ctx.strokeText(named.name, x, y);
  ctx.fillStyle = look.fault;
  ctx.fillText(named.name, x, y);
  ctx.restore();
}

/** The x scale of the chart is in seconds. */
function inSeconds({ from, until }: FaultSpan): HatchedSpan {
  return { from: from / 1000, until: until / 1000 };
}
