import { create } from 'zustand';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { ScenarioRun } from '#shared/scenarios/report.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import { saveFile } from '../bridge/save-file.ts';
import { agent } from './connection-store.ts';
import { showToast, tellFailure } from './toast-store.ts';

interface ScenarioStore {
  /** Of the workspace file; null until the agent has said them. */
  scenarios: readonly Scenario[] | null;
  /** The run that lasts, else the last one. */
  run: ScenarioRun | null;
  /** When `run` was told, by this window's clock: the agent's may be another. */
  toldAtMs: number;
}

export const useScenarios = create<ScenarioStore>(() => ({ scenarios: null, run: null, toldAtMs: 0 }));

export async function loadScenarios(): Promise<void> {
  const { scenarios } = agent();
  const [list, { run }] = await Promise.all([scenarios.list(), scenarios.current()]);
  useScenarios.setState({ scenarios: list, run, toldAtMs: Date.now() });
}

/** Keeps the run in step with what the agent tells. */
export function applyScenarioEvent(event: AgentEvent): void {
  if (event.type === 'scenario.changed') takeRun(event.run);
}

function takeRun(run: ScenarioRun): void {
  useScenarios.setState({ run, toldAtMs: Date.now() });
}

/** Writes a scenario into the workspace file. @param before The name that it has there; null: it is new. */
export async function saveScenario(before: string | null, scenario: Scenario): Promise<void> {
  const { scenarios } = agent();
  if (before === null) await scenarios.create(scenario);
  else await scenarios.replace({ params: { name: before }, body: scenario });
  useScenarios.setState({ scenarios: await scenarios.list() });
}

/** Takes a scenario out of the workspace file, and offers to undo that: it comes back as the last. */
export async function removeScenario(scenario: Scenario): Promise<void> {
  await told(async () => {
    const { scenarios } = agent();
    await scenarios.remove({ name: scenario.name });
    useScenarios.setState({ scenarios: await scenarios.list() });
    showToast({
      tone: 'ok',
      text: `${scenario.name} was deleted`,
      action: { label: 'Undo', run: () => void told(() => saveScenario(null, scenario)) },
    });
  });
}

export async function runScenario(name: string): Promise<void> {
  await told(async () => takeRun(await agent().scenarios.run({ name })));
}

export async function stopScenario(): Promise<void> {
  await told(async () => takeRun(await agent().scenarios.stop()));
}

/** Saves the page of a run's report, wherever the user wants it. */
export async function saveReport({ id, scenario }: Pick<ScenarioRun, 'id' | 'scenario'>): Promise<void> {
  await told(async () => {
    const page = await agent().scenarios.report({ id, format: 'html' });
    const name = `${scenario.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.html`;
    const place = await saveFile(name, page);
    if (place !== null) showToast({ tone: 'ok', text: `The report is saved: ${place}` });
  });
}

async function told(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    tellFailure(error);
  }
}
