import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Edge, EdgeDetail } from '#shared/contract/topology.ts';
import { useRules } from '../../stores/rules-store.ts';
import { useTheme } from '../../stores/theme-store.ts';
import { formatDuration } from '../../ui/words.ts';
import { chartOptions } from './chart-options.ts';
import { faultSpans } from './fault-spans.ts';
import type { FaultSpan } from './fault-spans.ts';
import { edgeTitle } from './edge-words.ts';

const height = 122;

/** Percentiles of the last minutes on a log scale; hatched while Spike was doing something to the calls. */
export function EdgeChart({ edge, detail }: { edge: Edge; detail: EdgeDetail | null }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const spans = useRef<readonly FaultSpan[]>([]);
  const latest = useRef<uPlot.AlignedData>([[], [], [], []]);
  const theme = useTheme((store) => store.shown);
  const rules = useRules((store) => store.rules);

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const options = chartOptions(() => spans.current);
    const made = new uPlot({ ...options, width: element.clientWidth, height }, latest.current, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme]);

  useEffect(() => {
    if (detail === null) return;
    const active = (rules ?? []).filter((rule) => edge.activeRules.includes(rule.id));
    spans.current = faultSpans(detail.series, detail.stepMs, active);
    latest.current = columns(detail);
    plot.current?.setData(latest.current);
  }, [detail, rules, edge.activeRules]);

  const last = detail?.series.findLast((point) => point.p95 !== null);
  const said = last === undefined ? 'no calls' : `p95 ${formatDuration(last.p95)}`;
  return (
    <div
      className="edge-chart"
      ref={host}
      role="img"
      aria-label={`Latency percentiles of ${edgeTitle(edge)}, last 5 minutes: ${said}`}
    />
  );
}

function columns({ series }: EdgeDetail): uPlot.AlignedData {
  return [
    series.map((point) => point.at / 1000),
    series.map((point) => drawable(point.p50)),
    series.map((point) => drawable(point.p95)),
    series.map((point) => drawable(point.p99)),
  ];
}

/** A log scale has no 0: what took less than 0.1 ms is drawn as that. */
function drawable(ms: number | null): number | null {
  return ms === null ? null : Math.max(0.1, ms);
}
