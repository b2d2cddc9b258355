import { useEffect, useState } from 'react';
import { FileText, Play, Square } from 'lucide-react';
import type { ScenarioRun } from '#shared/scenarios/report.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import { timelineOf } from '#shared/scenarios/timeline.ts';
import {
  loadScenarios,
  runScenario,
  saveReport,
  stopScenario,
  useScenarios,
} from '../../../stores/scenario-store.ts';
import { useStatus } from '../../../stores/status-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { ScenarioTimeline } from './scenario-timeline.tsx';
import { timeText } from './timeline-rows.ts';
import './scenario.css';

const drawEveryMs = 100;

/** The scenario that runs, else the one that is chosen, over time; nothing where the workspace has none. */
export function ScenarioStrip() {
  const { scenarios, run, toldAtMs } = useScenarios();
  const [chosen, setChosen] = useState<string | null>(null);
  const workspace = useStatus((store) => store.status?.workspace);
  // An edit of the file changes the status as well; so the list is asked for again.
  useEffect(() => void loadScenarios().catch(() => undefined), [workspace]);
  const active = run !== null && run.state !== 'ended' ? run : null;
  const elapsedMs = useElapsed(active, toldAtMs);
  const wanted = active?.scenario ?? chosen ?? run?.scenario;
  const scenario = scenarios?.find(({ name }) => name === wanted) ?? scenarios?.[0];
  if (scenario === undefined || scenarios === null) return null;
  const { timeline } = timelineOf(scenario);
  const own = run?.scenario === scenario.name ? run : null;
  return (
    <section className="scn" aria-label="Scenario">
      <div className="row scn-head">
        <ScenarioChoice
          scenarios={scenarios}
          name={scenario.name}
          locked={active !== null}
          onChoose={setChosen}
        />
        <span className="tag">scenario</span>
        <span className="sm t2 grow num" role="status">
          {stateText(own, elapsedMs, timeline.durationMs)}
        </span>
        {active?.state === 'running' ? (
          <button className="btn" onClick={() => void stopScenario()}>
            <Icon of={Square} />
            Stop
          </button>
        ) : (
          <button className="btn" disabled={active !== null} onClick={() => void runScenario(scenario.name)}>
            <Icon of={Play} />
            Run
          </button>
        )}
        <button
          className="btn ghost"
          disabled={own?.state !== 'ended'}
          title="Save the report of the last run"
          onClick={() => own !== null && void saveReport(own)}
        >
          <Icon of={FileText} />
          Report
        </button>
      </div>
      <ScenarioTimeline timeline={timeline} nowMs={active === null ? null : elapsedMs} />
    </section>
  );
}

interface ChoiceProps {
  readonly scenarios: readonly Scenario[];
  readonly name: string;
  /** One runs: it is the one that is shown. */
  readonly locked: boolean;
  onChoose(name: string): void;
}

function ScenarioChoice({ scenarios, name, locked, onChoose }: ChoiceProps) {
  if (scenarios.length === 1) return <h2 className="scn-name">{name}</h2>;
  return (
    <select
      className="scn-name"
      aria-label="Shown scenario"
      value={name}
      disabled={locked}
      onChange={(event) => onChoose(event.target.value)}
    >
      {scenarios.map((scenario) => (
        <option key={scenario.name}>{scenario.name}</option>
      ))}
    </select>
  );
}

/** What the agent told last, carried on by this window's clock while it runs. */
function useElapsed(active: ScenarioRun | null, toldAtMs: number): number {
  const running = active?.state === 'running';
  const [nowMs, setNowMs] = useState(toldAtMs);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNowMs(Date.now()), drawEveryMs);
    return () => clearInterval(timer);
  }, [running]);
  if (active === null) return 0;
  const sinceMs = running ? Math.max(0, nowMs - toldAtMs) : 0;
  return Math.min(active.durationMs, active.elapsedMs + sinceMs);
}

function stateText(run: ScenarioRun | null, elapsedMs: number, durationMs: number): string {
  if (run === null) return timeText(durationMs);
  if (run.state === 'reporting') return 'The last calls come in; the report is being made';
  if (run.state === 'ended') {
    return run.reason === null
      ? 'It ran to its end'
      : `Stopped after ${timeText(run.elapsedMs)}: ${run.reason}`;
  }
  const next = run.phases.find(({ fromMs }) => fromMs > elapsedMs);
  const coming =
    next === undefined ? '' : ` · next: ${next.name} in ${wholeSeconds(next.fromMs - elapsedMs)}`;
  return `${wholeSeconds(elapsedMs, Math.floor)} of ${timeText(durationMs)}${coming}`;
}

/** What counts down each second has no fractions. */
function wholeSeconds(ms: number, round: (seconds: number) => number = Math.ceil): string {
  return `${round(ms / 1000)} s`;
}
