import { implement } from '@orpc/server';
import type { ResponseHeadersPluginContext } from '@orpc/server/plugins';
import { contract } from '#shared/contract/contract.ts';
import type { Status, WorkspaceStatus } from '#shared/contract/status.ts';
import type { Engine } from '../engine/engine-interface.ts';
import type { Scenarios } from '../engine/scenarios/scenario-runner.ts';
import type { ScenarioChange } from '../workspace/scenario-edit.ts';
import type { EventHub } from './event-hub.ts';

/** What the composition root knows of the agent and the engine does not. Asked at each use: all of it may change. */
export interface AgentFacts {
  readonly version: string;
  readonly shell: Status['shell'];
  workspaceStatus(): WorkspaceStatus;
  /** Whether the machine's own trust store holds the CA; null where that cannot be told. */
  caInSystemStore(): boolean | null;
  demoState(): Status['demo'];
  /** Starts the example shop; returns once it is starting. Rejects with `not-available` where it is not installed. */
  startDemo(): Promise<Status['demo']>;
  /** Changes the scenarios of the workspace, and its file. Rejects with `workspace-invalid` or `conflict`, and changes nothing then. */
  editScenarios(change: ScenarioChange): Promise<void>;
}

/** What every handler is given. `resHeaders` is there over REST only: the other transports have no headers. */
export interface ControlContext extends ResponseHeadersPluginContext {
  readonly engine: Engine;
  readonly events: EventHub;
  readonly scenarios: Scenarios;
  readonly startDemo: AgentFacts['startDemo'];
  readonly editScenarios: AgentFacts['editScenarios'];
  status(): Status;
}

/** Handlers are made from this. `NaN` turns validation of answers off: see the README for the reason. */
export const os = implement(contract)
  .$context<ControlContext>()
  .$config({ initialOutputValidationIndex: Number.NaN });
