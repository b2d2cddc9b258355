import type { Timeline } from '#shared/scenarios/timeline.ts';
import { rowsOf, ticksOf, timeText } from './timeline-rows.ts';

/** When which rule is on: a row a rule, hatched where it is, and a line where the run is now. */
export function ScenarioTimeline({ timeline, nowMs }: { timeline: Timeline; nowMs: number | null }) {
  const at = (ms: number): string => `${(ms / timeline.durationMs) * 100}%`;
  return (
    <div className="scn-body">
      <div className="scn-axis num xs t3" aria-hidden="true">
        {ticksOf(timeline.durationMs).map((ms) => (
          <span key={ms} style={{ left: at(ms) }}>
            {timeText(ms)}
          </span>
        ))}
      </div>
      <ul className="scn-rows" aria-label="Rules over time">
        {rowsOf(timeline).map(({ rule, spans }) => (
          <li key={rule} className="scn-row">
            <span className="scn-rule sm t2" title={rule}>
              {rule}
            </span>
            <div className="scn-track">
              {spans.map(({ fromMs, toMs, label }) => (
                <span
                  key={fromMs}
                  className="scn-bar"
                  style={{ left: at(fromMs), width: at(toMs - fromMs) }}
                  title={`${label}, ${timeText(fromMs)} to ${timeText(toMs)}`}
                >
                  {label}
                </span>
              ))}
            </div>
          </li>
        ))}
      </ul>
      <div className="scn-over" aria-hidden="true">
        {timeline.phases.map(({ fromMs }) => (
          <i key={fromMs} className="scn-line" style={{ left: at(fromMs) }} />
        ))}
        {nowMs !== null && <i className="scn-now" data-testid="scenario-now" style={{ left: at(nowMs) }} />}
      </div>
    </div>
  );
}
