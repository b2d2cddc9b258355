import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { RunSeries, ScenarioRun, Slice } from '#shared/scenarios/report.ts';
import { useTheme } from '../../../stores/theme-store.ts';
import { hatchSpans } from '../../../ui/chart-hatch.ts';
import type { HatchedSpan } from '../../../ui/chart-hatch.ts';
import { formatDuration, unknown } from '../../../ui/words.ts';
import { timeText } from './timeline-rows.ts';

/** Callers that have a line of their own; more cannot be told apart. */
export const drawnCallers = 4;
const height = 62;
/** As wide as the names of the timeline, so that a moment is at the same place in all of them. */
const axisWidth = 60;

type Measure = (slice: Slice) => number | null;
const latencyOf: Measure = ({ p95 }) => p95;
const errorShareOf: Measure = ({ calls, errors }) => (calls === 0 ? null : (errors / calls) * 100);

/** A line a caller: its colour, and its dash, since hue alone must not tell them apart. */
const looks: readonly { readonly colour: string; readonly dash: readonly number[] }[] = [
  { colour: '--series-3', dash: [] },
  { colour: '--series-4', dash: [6, 3] },
  { colour: '--series-2', dash: [2, 2] },
  { colour: '--series-1', dash: [8, 3, 2, 3] },
];

/** What callers met, under the timeline: latency and errors over the same time, with one cursor. */
export function ScenarioCharts({ run, series }: { run: ScenarioRun; series: RunSeries }) {
  const [at, setAt] = useState<number | null>(null);
  const callers = series.callers.slice(0, drawnCallers);
  const spans = run.phases
    .filter(({ on, fromMs }) => on.length > 0 && fromMs <= series.elapsedMs)
    .map(({ fromMs, toMs }) => ({ from: fromMs / 1000, until: Math.min(toMs, series.elapsedMs) / 1000 }));
  const shared = { run, series, callers, spans, onCursor: setAt };
  return (
    <div className="scn-charts">
      <Legend
        callers={callers}
        at={at}
        sliceMs={series.sliceMs}
        more={series.callers.length - callers.length}
      />
      <Chart {...shared} title="p95 latency" measure={latencyOf} words={formatDuration} least={100} />
      <Chart {...shared} title="Errors" measure={errorShareOf} words={percentWords} least={5} />
      {!series.complete && <p className="xs t3">There were more calls than could be counted in time.</p>}
    </div>
  );
}

function percentWords(value: number | null): string {
  return value === null ? unknown : `${Number(value.toFixed(1))} %`;
}

interface LegendProps {
  callers: RunSeries['callers'];
  /** Under the cursor; null: none. */
  at: number | null;
  sliceMs: number;
  more: number;
}

function Legend({ callers, at, sliceMs, more }: LegendProps) {
  return (
    <div className="row scn-legend xs t2">
      <span className="t3 scn-legend-time num">{at === null ? 'Callers' : timeText(at * sliceMs)}</span>
      {callers.map(({ name, slices }, index) => {
        const slice = at === null ? undefined : slices[at];
        return (
          <span key={name} className="row nowrap">
            <svg width="18" height="6" aria-hidden>
              <line
                x1="0"
                x2="18"
                y1="3"
                y2="3"
                strokeWidth="2"
                stroke={`var(${looks[index]?.colour})`}
                strokeDasharray={looks[index]?.dash.join(' ')}
              />
            </svg>
            {name}
            {slice !== undefined && (
              <span className="num t1">
                {formatDuration(slice.p95)}, {percentWords(errorShareOf(slice))}
              </span>
            )}
          </span>
        );
      })}
      {more > 0 && <span className="t3">and {more} more in the report</span>}
    </div>
  );
}

interface ChartProps {
  run: ScenarioRun;
  series: RunSeries;
  callers: RunSeries['callers'];
  spans: readonly HatchedSpan[];
  title: string;
  measure: Measure;
  words: (value: number | null) => string;
  /** The scale reaches at least to here, so that nothing looks like much. */
  least: number;
  onCursor: (index: number | null) => void;
}

function Chart({ run, series, callers, spans, title, measure, words, least, onCursor }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const hatched = useRef(spans);
  const cursor = useRef(onCursor);
  const theme = useTheme((store) => store.shown);
  const data = columns(series, callers, measure);
  const latest = useRef(data);
  useEffect(() => {
    [hatched.current, cursor.current, latest.current] = [spans, onCursor, data];
    plot.current?.setData(data);
  });
  const shape = `${run.id} ${callers.length} ${theme}`;
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const options = chartOptions({
      durationMs: run.durationMs,
      lines: callers.length,
      words,
      least,
      spans: () => hatched.current,
      onCursor: (index) => cursor.current(index),
    });
    const made = new uPlot({ ...options, width: element.clientWidth, height }, latest.current, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `shape` is what the chart is made for; data comes by setData
  }, [shape]);
  return (
    <div className="scn-chart">
      <span className="xs t3 scn-chart-title">{title}</span>
      <div
        ref={host}
        className="scn-plot"
        role="img"
        aria-label={`${title} of the callers: ${spoken(callers, measure, words)}`}
      />
    </div>
  );
}

/** For a reader of the screen: the highest of each caller. */
function spoken(callers: RunSeries['callers'], measure: Measure, words: ChartProps['words']): string {
  const said = callers.map(({ name, slices }) => {
    const values = slices.flatMap((slice) => measure(slice) ?? []);
    return `${name} at most ${values.length === 0 ? unknown : words(Math.max(...values))}`;
  });
  return said.length === 0 ? 'no calls' : said.join(', ');
}

function columns(
  { sliceMs, callers: [first] }: RunSeries,
  callers: RunSeries['callers'],
  measure: Measure,
): uPlot.AlignedData {
  const times = (first?.slices ?? []).map(({ fromMs }) => (fromMs + sliceMs / 2) / 1000);
  return [times, ...callers.map(({ slices }) => slices.map(measure))];
}

/** The next of 1, 2, 5, 10, 20, … with a little room: half of it is a round number as well. */
export function roundTop(value: number): number {
  if (value <= 0) return 0;
  const decade = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10, 20].map((step) => step * decade).find((top) => top >= value * 1.02) ?? value;
}

interface ChartShape {
  readonly durationMs: number;
  readonly lines: number;
  readonly words: (value: number | null) => string;
  readonly least: number;
  spans(): readonly HatchedSpan[];
  onCursor(index: number | null): void;
}

function chartOptions({ durationMs, lines, words, least, spans, onCursor }: ChartShape) {
  const tokens = getComputedStyle(document.documentElement);
  const token = (name: string) => tokens.getPropertyValue(name).trim();
  const axis = { stroke: token('--text-3'), font: `11px ${token('--font-ui')}`, ticks: { show: false } };
  const colours = { fault: token('--fault'), hatch: token('--hatch') };
  return {
    padding: [4, 0, 4, 0] as [number, number, number, number],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: false, y: false },
      sync: { key: 'scenario', setSeries: false },
    },
    scales: {
      x: { time: false, range: (): [number, number] => [0, durationMs / 1000] },
      y: {
        range: (_plot: uPlot, _low: number, high: number): [number, number] => [
          0,
          Math.max(least, roundTop(high ?? 0)),
        ],
      },
    },
    axes: [
      { show: false },
      {
        ...axis,
        size: axisWidth,
        gap: 6,
        grid: { stroke: token('--line'), width: 1 },
        splits: (_plot: uPlot, _axis: number, low: number, high: number) => [low, (low + high) / 2],
        values: (_plot: uPlot, at: number[]) => at.map((value) => (value === 0 ? '0' : words(value))),
      },
    ],
    series: [
      {},
      ...Array.from({ length: lines }, (_, index): uPlot.Series => {
        const look = looks[index];
        return {
          stroke: token(look?.colour ?? '--series-1'),
          width: 1.5,
          dash: [...(look?.dash ?? [])],
          points: { show: false },
          spanGaps: false,
        };
      }),
    ],
    hooks: {
      drawClear: [(plot: uPlot) => hatchSpans(plot, spans(), colours)],
      setCursor: [(plot: uPlot) => onCursor(plot.cursor.idx ?? null)],
    },
  } satisfies Omit<uPlot.Options, 'width' | 'height'>;
}
