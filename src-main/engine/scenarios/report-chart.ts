import type { CallerOutcome, PlayedPhase, Slice } from '#shared/scenarios/report.ts';
import { metricText } from '#shared/scenarios/assertion.ts';
import { escapeHtml } from './escape-html.ts';

const width = 1040;
const left = 56;
const right = 8;
const top = 18;
const latencyHeight = 90;
const gap = 10;
const errorHeight = 30;
const bottom = 18;
const height = top + latencyHeight + gap + errorHeight + bottom;

/** Latency above, errors below, phases with faults shaded: one picture of one caller. */
export function callerChart(
  { name, slices }: Pick<CallerOutcome, 'name' | 'slices'>,
  { phases, sliceMs }: { phases: readonly PlayedPhase[]; sliceMs: number },
): string {
  const startMs = phases[0]?.fromMs ?? 0;
  const spanMs = Math.max(1, (phases.at(-1)?.toMs ?? 1) - startMs);
  const x = (ms: number): number => round(left + ((ms - startMs) / spanMs) * (width - left - right));
  const mostMs = Math.max(1, ...slices.map(({ p95 }) => p95 ?? 0));
  const mostErrors = Math.max(1, ...slices.map(({ errors }) => errors));
  const errorsBottom = top + latencyHeight + gap + errorHeight;
  const label = `p95 latency and errors of the calls of ${name} over time`;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(label)}">
${phases.map((phase) => shaded(phase, x, errorsBottom)).join('')}
<text x="${left - 6}" y="${top + 9}" text-anchor="end">${metricText('p95', mostMs)}</text>
<text x="${left - 6}" y="${top + latencyHeight}" text-anchor="end">p95</text>
<text x="${left - 6}" y="${errorsBottom - errorHeight + 9}" text-anchor="end">${mostErrors}</text>
<text x="${left - 6}" y="${errorsBottom}" text-anchor="end">errors</text>
<path class="rate" d="${latencyPath(slices, sliceMs, x, mostMs)}"/>
${errorBars(slices, sliceMs, x, mostErrors, errorsBottom)}
<line class="edge" x1="${left}" x2="${width - right}" y1="${errorsBottom}" y2="${errorsBottom}"/>
${phases.map(({ fromMs }) => `<text x="${x(fromMs) + 2}" y="${height - 4}">${round(fromMs / 1000)} s</text>`).join('')}
</svg>`;
}

type Scale = (ms: number) => number;

function shaded({ name, fromMs, toMs, rules }: PlayedPhase, x: Scale, bottomY: number): string {
  const from = x(fromMs);
  const area =
    rules.length === 0
      ? ''
      : `<rect class="phase" x="${from}" y="${top}" width="${round(x(toMs) - from)}" height="${bottomY - top}"/>`;
  // Some six pixels a character: a name that would run into the next one is cut.
  const room = Math.max(1, Math.floor((x(toMs) - from) / 6));
  const shown = name.length <= room ? name : `${name.slice(0, Math.max(1, room - 1))}…`;
  return `${area}<line class="edge" x1="${from}" x2="${from}" y1="${top}" y2="${bottomY}"/><text class="${rules.length === 0 ? '' : 'name'}" x="${from + 2}" y="12">${escapeHtml(shown)}</text>`;
}

/** The line is broken where nobody was answered: nothing is made up between. */
function latencyPath(slices: readonly Slice[], sliceMs: number, x: Scale, mostMs: number): string {
  let path = '';
  let drawing = false;
  for (const { fromMs, p95 } of slices) {
    if (p95 === null) {
      drawing = false;
      continue;
    }
    const y = round(top + latencyHeight * (1 - p95 / mostMs));
    path += `${drawing ? 'L' : 'M'}${x(fromMs)} ${y}H${x(fromMs + sliceMs)}`;
    drawing = true;
  }
  return path;
}

function errorBars(
  slices: readonly Slice[],
  sliceMs: number,
  x: Scale,
  most: number,
  bottomY: number,
): string {
  return slices
    .filter(({ errors }) => errors > 0)
    .map(({ fromMs, errors }) => {
      const high = round((errors / most) * errorHeight);
      const wide = Math.max(1, round(x(fromMs + sliceMs) - x(fromMs) - 0.5));
      return `<rect class="errors" x="${x(fromMs)}" y="${round(bottomY - high)}" width="${wide}" height="${high}"/>`;
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
