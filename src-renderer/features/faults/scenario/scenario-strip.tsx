import { useEffect, useState } from 'react';
import { ChartLine, FileText, Pencil, Play, Plus, Square } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { ScenarioRun } from '#shared/scenarios/report.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import { timelineOf } from '#shared/scenarios/timeline.ts';
import { freeRuleName, useRules } from '../../../stores/rules-store.ts';
import {
  loadScenarios,
  runScenario,
  saveReport,
  stopScenario,
  useScenarios,
} from '../../../stores/scenario-store.ts';
import { useStatus } from '../../../stores/status-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { RollingRestartDialog } from './rolling-restart-dialog.tsx';
import { ScenarioCharts } from './scenario-charts.tsx';
import { draftOfRules, draftOfScenario } from './scenario-draft.ts';
import type { ScenarioDraft } from './scenario-draft.ts';
import { ScenarioEditor } from './scenario-editor.tsx';
import { ScenarioTimeline } from './scenario-timeline.tsx';
import { timeText } from './timeline-rows.ts';
import { useSeries } from './use-series.ts';
import './scenario.css';

const drawEveryMs = 100;

type Editing = { readonly scenario: Scenario | null; readonly start: ScenarioDraft } | 'restart' | null;

/** The scenario that runs, else the one that is chosen, over time; and what its callers met. */
export function ScenarioStrip() {
  const { scenarios, run, toldAtMs } = useScenarios();
  const [chosen, setChosen] = useState<string | null>(null);
  const [editing, setEditing] = useState<Editing>(null);
  const [charts, setCharts] = useState(true);
  const workspace = useStatus((store) => store.status?.workspace);
  // An edit of the file changes the status as well; so the list is asked for again.
  useEffect(() => void loadScenarios().catch(() => undefined), [workspace]);
  const active = run !== null && run.state !== 'ended' ? run : null;
  const elapsedMs = useElapsed(active, toldAtMs);
  const wanted = active?.scenario ?? chosen ?? run?.scenario;
  const scenario = scenarios?.find(({ name }) => name === wanted) ?? scenarios?.[0] ?? null;
  const own = scenario !== null && run?.scenario === scenario.name ? run : null;
  const series = useSeries(charts ? own : null);
  if (scenarios === null) return null;
  return (
    <section className="scn" aria-label="Scenario">
      <div className="row scn-head">
        {scenario === null ? (
          <p className="sm t2 grow">
            <span className="m">No scenario yet.</span> Rules over time, with a report of what callers met.
          </p>
        ) : (
          <>
            <ScenarioChoice
              scenarios={scenarios}
              name={scenario.name}
              locked={active !== null}
              onChoose={setChosen}
            />
            <span className="tag">scenario</span>
            <span className="sm t2 grow num clip" role="status">
              {stateText(own, elapsedMs, timelineOf(scenario).timeline.durationMs)}
            </span>
            {own !== null && (
              <button
                className="btn ghost icon"
                aria-label="Charts of the callers"
                title={charts ? 'Hide the charts' : 'Show what callers met'}
                aria-pressed={charts}
                onClick={() => setCharts(!charts)}
              >
                <Icon of={ChartLine} />
              </button>
            )}
            <RunButtons scenario={scenario} active={active} own={own} />
            <button
              className="btn ghost"
              disabled={active !== null}
              title={active === null ? 'Edit its steps' : 'It runs; stop it first'}
              onClick={() => setEditing({ scenario, start: draftOfScenario(scenario) })}
            >
              <Icon of={Pencil} />
              Edit
            </button>
          </>
        )}
        <NewScenario scenarios={scenarios} onEdit={setEditing} />
      </div>
      {scenario !== null && (
        <ScenarioTimeline
          timeline={timelineOf(scenario).timeline}
          nowMs={active === null ? null : elapsedMs}
        />
      )}
      {own !== null && series !== null && <ScenarioCharts run={own} series={series} />}
      <EditingDialogs
        editing={editing}
        scenarios={scenarios}
        onEdit={setEditing}
        onSaved={(name) => {
          setChosen(name);
          setEditing(null);
        }}
      />
    </section>
  );
}

interface EditingDialogsProps {
  editing: Editing;
  scenarios: readonly Scenario[];
  onEdit: (editing: Editing) => void;
  onSaved: (name: string) => void;
}

function EditingDialogs({ editing, scenarios, onEdit, onSaved }: EditingDialogsProps) {
  if (editing === null) return null;
  const close = () => onEdit(null);
  if (editing !== 'restart') return <ScenarioEditor {...editing} onSaved={onSaved} onClose={close} />;
  return (
    <RollingRestartDialog
      name={freeRuleName('rolling restart', scenarios)}
      onMade={(made) => onEdit({ scenario: null, start: draftOfScenario(made) })}
      onClose={close}
    />
  );
}

interface RunButtonsProps {
  scenario: Scenario;
  active: ScenarioRun | null;
  /** The last run of this scenario. */
  own: ScenarioRun | null;
}

function RunButtons({ scenario, active, own }: RunButtonsProps) {
  return (
    <>
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
    </>
  );
}

interface NewScenarioProps {
  scenarios: readonly Scenario[];
  onEdit: (editing: Editing) => void;
}

/** Ways to a new scenario; each opens in the editor, and nothing is written until it is saved. */
function NewScenario({ scenarios, onEdit }: NewScenarioProps) {
  const rules = (useRules((store) => store.rules) ?? []).filter(({ origin }) => origin === undefined);
  const on = rules.filter(({ enabled }) => enabled);
  const name = freeRuleName('New scenario', scenarios);
  const start = (ids: readonly string[]) => onEdit({ scenario: null, start: draftOfRules(name, ids) });
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="btn ghost" aria-label="New scenario">
        <Icon of={Plus} />
        <span className="wide-only">New</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="pop menu" align="end" sideOffset={4}>
          <DropdownMenu.Item disabled={on.length === 0} onSelect={() => start(on.map(({ id }) => id))}>
            Of the rules that are on
          </DropdownMenu.Item>
          <DropdownMenu.Item disabled={rules.length === 0} onSelect={() => start(rules.map(({ id }) => id))}>
            Of all rules, one after the other
          </DropdownMenu.Item>
          <DropdownMenu.Item onSelect={() => onEdit('restart')}>Rolling restart…</DropdownMenu.Item>
          <DropdownMenu.Separator />
          <DropdownMenu.Item onSelect={() => start([])}>Empty</DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
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
