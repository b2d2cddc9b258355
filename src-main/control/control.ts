import type { AgentEvent } from '#shared/contract/events.ts';
import type { Status } from '#shared/contract/status.ts';
import type { Clock } from '../engine/clock.ts';
import type { Engine } from '../engine/engine-interface.ts';
import type { Log } from '../engine/log.ts';
import type { Scenarios } from '../engine/scenarios/scenario-runner.ts';
import type { AgentFacts, ControlContext } from './context.ts';
import { EventHub } from './event-hub.ts';
import type { EventHubOptions } from './event-hub.ts';

export interface ControlOptions {
  readonly engine: Engine;
  readonly scenarios: Scenarios;
  readonly facts: AgentFacts;
  readonly clock: Clock;
  readonly log: Log;
  readonly eventLimits?: Pick<EventHubOptions, 'maxQueuedEvents' | 'maxReaders' | 'statusEveryMs'>;
}

/** One agent's answers, whatever carries them. Whoever creates it closes it, after the transports. */
export interface Control {
  readonly context: Omit<ControlContext, 'resHeaders'>;
  readonly events: EventHub;
  readonly log: Log;
  readonly clock: Clock;
  metricsText(): Promise<string>;
  /** What `status` says of the control API; '' until a transport with an address is up. */
  setUrl(url: string): void;
  close(): void;
}

export function createControl(options: ControlOptions): Control {
  const { engine, scenarios, facts, clock, log } = options;
  let url = '';
  const events = new EventHub({
    subscribe: (listener) => followed(engine, scenarios, listener),
    status,
    clock,
    ...options.eventLimits,
  });

  function status(): Status {
    return composeStatus(engine, facts, events, url);
  }

  return {
    context: {
      engine,
      events,
      scenarios,
      status,
      startDemo: () => facts.startDemo(),
      editScenarios: (change) => facts.editScenarios(change),
    },
    events,
    log,
    clock,
    metricsText: () => engine.metricsText(),
    setUrl: (text) => (url = text),
    close: () => events.close(),
  };
}

function followed(engine: Engine, scenarios: Scenarios, listener: (event: AgentEvent) => void): () => void {
  const ends = [
    engine.subscribe(listener),
    scenarios.onChange((run) => listener({ type: 'scenario.changed', run })),
  ];
  return () => ends.forEach((end) => end());
}

function composeStatus(engine: Engine, facts: AgentFacts, events: EventHub, control: string): Status {
  const { workers, dropped, limits, ...known } = engine.status();
  const { path, subject, fingerprint256, notAfter, keyMode } = engine.ca;
  return {
    ...known,
    version: facts.version,
    shell: facts.shell,
    control,
    workers: [...workers],
    ca: { path, subject, fingerprint256, notAfter, keyMode, inSystemStore: facts.caInSystemStore() },
    dropped: { ...dropped, events: events.droppedEvents },
    workspace: facts.workspaceStatus(),
    limits: {
      ...limits,
      'events.maxQueuedEvents': events.limits.maxQueuedEvents,
      'events.maxReaders': events.limits.maxReaders,
    },
    demo: facts.demoState(),
  };
}
