import { useEffect, useRef, useState } from 'react';
import type { Stats } from '#shared/contract/topology.ts';
import { setRange, useCalls } from '../../stores/calls-store.ts';
import { agent, useConnection } from '../../stores/connection-store.ts';
import { windowOf } from '../../stores/time-range.ts';
import { formatClock } from '../../ui/words.ts';
import { strip } from './strip-shape.ts';

const everyMs = 1000;
const leastDragPx = 4;

/** Calls over time, with failures and what Spike did; dragging over it sets the time. */
export function CallsStrip() {
  const range = useCalls((store) => store.range);
  const stats = useStats(useCalls((store) => windowOf(store.stripRange)));
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host);
  const drag = useDrag();
  const shape = stats === null || width === 0 ? null : strip(stats, width);
  const marked =
    drag.marked ?? (range.kind === 'between' && shape ? [shape.x(range.from), shape.x(range.until)] : null);
  return (
    <div className="strip" ref={host}>
      {shape && (
        <svg
          width={width}
          height={46}
          role="img"
          aria-label={shape.label}
          {...drag.handlers((from, until) =>
            setRange({ kind: 'between', from: shape.time(from), until: shape.time(until) }),
          )}
        >
          <line x1={0} x2={width} y1={30.5} y2={30.5} className="gl" />
          <path d={shape.calls} className="bar-calls" />
          <path d={shape.injected} className="bar-injected" />
          <path d={shape.failed} className="bar-failed" />
          {shape.ticks.map((tick) => (
            <text key={tick.at} x={tick.x} y={43} textAnchor="middle">
              {formatClock(tick.at).slice(0, shape.withSeconds ? 8 : 5)}
            </text>
          ))}
          {marked && (
            <rect
              className="marked"
              x={Math.min(marked[0]!, marked[1]!)}
              y={0}
              width={Math.max(1, Math.abs(marked[1]! - marked[0]!))}
              height={31}
            />
          )}
        </svg>
      )}
    </div>
  );
}

/** Figures of the agent, which see every call, also those that the list leaves out. */
function useStats(window: string): Stats | null {
  const [stats, setStats] = useState<Stats | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let current = true;
    const look = async () => {
      if (!document.hidden && useConnection.getState().state.phase === 'online') {
        try {
          const answer = await agent().topology.stats({ window });
          if (current) setStats(answer);
        } catch {
          // The connection notice tells that the agent is away; the next look tries again.
        }
      }
      if (current) timer = setTimeout(() => void look(), everyMs);
    };
    void look();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [window]);
  return stats;
}

function useWidth(host: React.RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (host.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(host.current);
    return () => observer.disconnect();
  }, [host]);
  return width;
}

/** Marks a span by dragging. Positions are px from the left edge. */
function useDrag() {
  const [marked, setMarked] = useState<readonly [number, number] | null>(null);
  const position = (event: React.PointerEvent<SVGSVGElement>) =>
    event.clientX - event.currentTarget.getBoundingClientRect().left;
  const handlers = (onMarked: (from: number, until: number) => void) => ({
    onPointerDown: (event: React.PointerEvent<SVGSVGElement>) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      setMarked([position(event), position(event)]);
    },
    onPointerMove: (event: React.PointerEvent<SVGSVGElement>) => {
      if (marked !== null) setMarked([marked[0], position(event)]);
    },
    onPointerUp: (event: React.PointerEvent<SVGSVGElement>) => {
      if (marked === null) return;
      const [from, until] = [marked[0], position(event)].sort((a, b) => a - b) as [number, number];
      setMarked(null);
      if (until - from >= leastDragPx) onMarked(from, until);
    },
  });
  return { marked, handlers };
}
