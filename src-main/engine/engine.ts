import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SpikeError } from '#shared/contract/errors.ts';
import type { AgentEvent } from '#shared/contract/events.ts';
import { WorkspaceSchema } from '#shared/workspace/workspace.ts';
import type { CaptureSettings, LimitSettings, TlsSettings } from '#shared/workspace/workspace.ts';
import { agentIdOf } from './agent-id.ts';
import { HeldDesk } from './breakpoints/held-desk.ts';
import { caFactsOf, createIdentities } from './ca-facts.ts';
import { createFlowStore } from './capture/flow-store.ts';
import type { RecordingFlowStore } from './capture/flow-store.ts';
import { createRecorder } from './capture/recorder-client.ts';
import type { RecorderClient } from './capture/recorder-client.ts';
import { WorkerPipes } from './capture/worker-pipes.ts';
import { DecisionDesk } from './cluster/decision-desk.ts';
import type { ToPrimary, WorkerConfig, WorkerIdentity } from './cluster/messages.ts';
import { createSupervisor } from './cluster/supervisor.ts';
import type { Supervisor, SupervisorEvent } from './cluster/supervisor.ts';
import type { CaFacts, Engine, EngineOptions, EngineStatus } from './engine-interface.ts';
import { EngineEvents } from './engine-events.ts';
import { HoldFigures } from './rules/hold-figures.ts';
import { limitsInForce } from './limits.ts';
import { EdgeHistory } from './metrics/edge-history.ts';
import { readEdgeReport } from './metrics/edge-report.ts';
import { createPrometheus } from './metrics/prometheus.ts';
import type { Prometheus } from './metrics/prometheus.ts';
import { EnginePassthroughList } from './passthrough-list.ts';
import { RouteTable } from './route-table.ts';
import { RuleBook } from './rules/rule-book.ts';
import type { RuleBookEvents } from './rules/rule-book.ts';
import { readAnswerFile } from './answer-file.ts';
import { loadOrCreateCertificateAuthority } from './tls/certificate-authority.ts';
import { IncidentLog } from './topology/incident-log.ts';
import { TopologyOfEngine } from './topology/topology-view.ts';
import { UpstreamSettings } from './upstream-settings.ts';
import { workerExec } from './worker-exec.ts';

const defaults = WorkspaceSchema.parse({ version: 1 });
const drainDefaultMs = 3000;

/**
 * Makes an engine: reads or makes the CA, opens the capture. Nothing is bound until `start`. Rejects with a
 * `CertificateAuthorityError` or `SpikeError` that names the file; then nothing is left open.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const home = resolve(options.homeDirectory);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const ca = await loadOrCreateCertificateAuthority({
    directory: join(home, 'ca'),
    now: () => options.clock.now(),
    keyType: options.caKeyType ?? 'ec-p256',
    log: options.log,
  });
  const agentId = await agentIdOf(home);
  const identityFor = await createIdentities(ca, agentId);
  const recorder = await createRecorder({
    directory: join(home, 'captures'),
    log: options.log,
    threadUrl: options.entries.recorderThread,
    settings: { maxDiskBytes: defaults.capture.maxDiskBytes },
    clock: options.clock,
  });
  return new ClusteredEngine(options, { agentId, identityFor, recorder, ca: await caFactsOf(ca) });
}

interface Parts {
  readonly agentId: string;
  readonly identityFor: (worker: number) => WorkerIdentity;
  readonly recorder: RecorderClient;
  readonly ca: CaFacts;
}

/** The primary: state and its distribution to the workers, figures and their collection from them. */
class ClusteredEngine implements Engine {
  readonly flows: RecordingFlowStore;
  readonly rules;
  readonly held: HeldDesk;
  readonly routes: RouteTable;
  readonly topology: TopologyOfEngine;
  readonly ca: CaFacts;
  readonly passthrough: EnginePassthroughList;
  readonly settings = {
    apply: (settings: Parameters<Engine['settings']['apply']>[0]) => this.#applySettings(settings),
  };

  readonly #options: EngineOptions;
  readonly #agentId: string;
  readonly #recorder: RecorderClient;
  readonly #supervisor: Supervisor;
  readonly #pipes: WorkerPipes;
  readonly #book: RuleBook;
  readonly #events = new EngineEvents();
  readonly #desk: DecisionDesk;
  readonly #history: EdgeHistory;
  readonly #incidents: IncidentLog;
  readonly #prometheus: Prometheus;
  readonly #startedAt: number;
  #capture: CaptureSettings = defaults.capture;
  #http = defaults.http;
  #limits: LimitSettings = defaults.limits;
  readonly #holds = new HoldFigures();
  #tls: Pick<TlsSettings, 'passthrough'> = defaults.tls;
  #upstreams = UpstreamSettings.none;
  /** The folder of the workspace file; null: there is none. */
  #baseDirectory: string | null = null;
  #version = 0;
  #pending: Promise<{ released: number }> | null = null;
  #last: Promise<{ released: number }> = Promise.resolve({ released: 0 });
  #running = false;
  #proxy: { address: string | null; error: string | null } = { address: null, error: null };
  #flowsPerSecond = 0;

  constructor(options: EngineOptions, parts: Parts) {
    const { clock } = options;
    this.#options = options;
    this.#agentId = parts.agentId;
    this.#recorder = parts.recorder;
    this.ca = parts.ca;
    this.#startedAt = clock.now();
    this.#desk = new DecisionDesk(options.random, clock);
    this.held = new HeldDesk({
      clock,
      send: (worker, message) => this.#supervisor.send(worker, message),
      tell: (event) => this.#events.tell(event),
    });
    this.#history = new EdgeHistory(clock);
    this.#incidents = new IncidentLog(clock);
    this.#book = this.#createRuleBook();
    this.rules = this.#exposeRules();
    this.routes = this.#createRouteTable();
    this.passthrough = new EnginePassthroughList({
      now: () => clock.now(),
      log: options.log,
      apply: () => this.#reconfigure(),
      applyLater: () => this.#reconfigureAndReport(),
    });
    this.#supervisor = this.#createSupervisor(parts.identityFor);
    this.#pipes = new WorkerPipes({
      clock,
      recorder: parts.recorder,
      stored: (worker, bytes) => this.#supervisor.send(worker, { type: 'capture.ack', bytes }),
    });
    this.flows = createFlowStore({
      recorder: parts.recorder,
      clock,
      version: options.version,
      recordingChanged: () => this.#reconfigureAndReport(),
      cleared: () => this.#events.tell({ type: 'flow.cleared' }),
    });
    this.topology = new TopologyOfEngine({
      clock,
      history: this.#history,
      incidents: this.#incidents,
      activeRules: () => this.#book.active(),
      routeNames: () => new Set(this.routes.definitions().map((route) => route.name)),
    });
    this.#prometheus = this.#createPrometheus();
    parts.recorder.onFeed((batch) => {
      this.#flowsPerSecond = batch.perSecond;
      this.#events.tell({ type: 'flow.batch', ...batch, flows: [...batch.flows] });
    });
  }

  async start(): Promise<void> {
    try {
      const { address } = await this.#supervisor.start();
      this.#proxy = { address, error: null };
      this.#running = true;
    } catch (error) {
      this.#proxy = { address: null, error: error instanceof Error ? error.message : String(error) };
      throw error;
    }
    // What was changed while the workers started.
    await this.#reconfigure();
  }

  async close(drainMs = drainDefaultMs): Promise<void> {
    this.#running = false;
    this.#book.close();
    await this.#supervisor.close(drainMs);
    this.held.close();
    this.#prometheus.close();
    await this.#pipes.allEnded();
    await this.#recorder.close();
  }

  async forbiddenUpstreamsChanged(): Promise<void> {
    await this.#reconfigure();
  }

  async settled(): Promise<void> {
    await this.#last;
  }

  status(): EngineStatus {
    const stats = this.#recorder.stats();
    return {
      agentId: this.#agentId,
      startedAt: new Date(this.#startedAt).toISOString(),
      proxy: this.#proxy,
      workers: this.#supervisor.workers(),
      capture: {
        recording: this.flows.recording,
        recordingSince: this.flows.recordingSince,
        flows: stats.flows,
        bytes: stats.bytes,
        maxBytes: this.#capture.maxDiskBytes,
        oldestAt: stats.oldestAtMs === null ? null : new Date(stats.oldestAtMs).toISOString(),
      },
      dropped: { flows: this.#pipes.dropped.flows + stats.droppedFlows, bodies: this.#pipes.dropped.bodies },
      flowsPerSecond: this.#flowsPerSecond,
      activeFaults: this.#book.active().length,
      held: this.held.status(),
      ruleHolds: this.#holds.status(),
      upstreams: this.#upstreams.status(this.#options.clock.now()),
      limits: limitsInForce(this.#capture, this.#limits),
    };
  }

  metricsText(): Promise<string> {
    return this.#prometheus.text();
  }

  subscribe(listener: (event: AgentEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  // --- what workers have to know

  #config(): WorkerConfig {
    return {
      version: this.#version,
      proxyListen: this.#options.proxyListen,
      routes: this.routes.definitions(),
      rules: this.#book.active(),
      capture: { ...this.#capture, recording: this.flows.recording && this.#capture.enabled },
      tls: {
        passthrough: this.#tls.passthrough,
        ...this.passthrough.config(),
        ...this.#upstreams.workerTls(),
      },
      http: this.#http,
      limits: this.#limits,
      upstreamProxies: this.#upstreams.proxies,
      forbiddenUpstreams: this.#options.forbiddenUpstreams?.() ?? [],
    };
  }

  /** Hands the present state to all workers; changes of one turn of the event loop travel together. */
  #reconfigure(): Promise<{ released: number }> {
    if (!this.#running) return Promise.resolve({ released: 0 });
    this.#pending ??= Promise.resolve().then(() => {
      this.#pending = null;
      this.#version += 1;
      // The desk counts before any worker can ask.
      this.#desk.configure(this.#book.active());
      return this.#supervisor.configure(this.#config());
    });
    this.#last = this.#pending;
    return this.#pending;
  }

  async #applySettings(settings: Parameters<Engine['settings']['apply']>[0]): Promise<void> {
    const { clock, log } = this.#options;
    const upstreams = await UpstreamSettings.read(settings, this.#ownAddresses(), clock.now(), log);
    this.flows.setRedaction(settings.redact);
    this.#capture = settings.capture;
    this.#tls = settings.tls;
    this.#http = settings.http;
    this.#limits = settings.limits;
    this.#upstreams = upstreams;
    this.#baseDirectory = settings.baseDirectory;
    this.passthrough.setOn(settings.tls.autoPassthrough);
    this.#recorder.setSettings({ maxDiskBytes: settings.capture.maxDiskBytes });
    await this.#reconfigure();
  }

  #ownAddresses(): string[] {
    const routes = this.routes.list().flatMap(({ address }) => (address === null ? [] : [address]));
    const { address } = this.#proxy;
    const others = this.#options.forbiddenUpstreams?.() ?? [];
    return [...routes, ...others, ...(address === null ? [] : [address])];
  }

  // --- what workers say

  #received(worker: number, message: ToPrimary): void {
    switch (message.type) {
      case 'edges': {
        const report = readEdgeReport(message.report);
        if (report === null)
          return this.#options.log.error({ worker }, 'A worker sent figures that cannot be read.');
        this.#history.merge(worker, report);
        return this.#prometheus.add(report);
      }
      case 'hits':
        this.#book.addHits(message.hits);
        return this.#prometheus.addHits(message.hits);
      case 'decide': {
        const decision = this.#desk.decide(worker, message.ruleId, message.epoch);
        return this.#supervisor.send(worker, { type: 'decide.reply', ask: message.ask, decision });
      }
      case 'release':
        return this.#desk.release(worker, message.ruleId, message.epoch);
      case 'listening':
        if (message.name !== null) this.routes.reported(message.name, message.address, message.error);
        return;
      case 'held.ask':
      case 'held.reserve':
      case 'held.size':
      case 'held.gone':
      case 'held.over':
      case 'held.reply':
        return this.held.received(worker, message);
      case 'tls.rejected':
      case 'tls.accepted':
        return this.passthrough.received(message);
      case 'gauge':
        return this.#holds.add(worker, message);
      case 'ready':
      case 'configured':
      case 'metrics':
        return; // The supervisor's own.
    }
  }

  #happened(event: SupervisorEvent): void {
    if (event.type === 'worker.silent') return;
    if (event.type === 'worker.replaced') {
      this.#incidents.replaced(event.worker, event.afterMs);
      return this.#events.tell(event);
    }
    const { worker, pid, reason, openFlows, openFlowIds, atMs } = event;
    this.#desk.workerLost(worker);
    this.held.workerLost(worker);
    this.#holds.workerLost(worker);
    this.#history.workerLost(worker);
    this.#incidents.lost(worker, openFlows, atMs);
    this.#events.tell({ type: 'worker.lost', worker, pid, reason, lostFlows: openFlows });
    const message = `Worker ${worker} was lost (${reason}) while the call was open; it was cut.`;
    const error = { code: 'SPIKE_WORKER_LOST', cause: 'spike-worker-lost' as const, message };
    // Not before what it wrote of them: what ended in its last batch is not lost.
    const marked = this.#pipes.ended(worker).then(() => this.#recorder.markLost(openFlowIds, error));
    marked.catch((failure: unknown) => {
      this.#options.log.warn(
        { worker, failure: String(failure) },
        'The calls of a lost worker could not be marked.',
      );
    });
  }

  // --- making the parts

  #createRuleBook(): RuleBook {
    const events: RuleBookEvents = {
      changed: (rule) => this.#events.tell({ type: 'rule.changed', rule }),
      removed: (id) => this.#events.tell({ type: 'rule.removed', id }),
      reordered: (ids) => this.#events.tell({ type: 'rule.reordered', ids }),
      hits: (hits) => this.#events.tell({ type: 'rule.hits', hits }),
      activeChanged: () => this.#reconfigureAndReport(),
    };
    const readFile = (path: string): Buffer => readAnswerFile(this.#baseDirectory, path);
    return new RuleBook(this.#options.clock, events, readFile);
  }

  /** The book, with the one operation that waits for the workers. */
  #exposeRules(): Engine['rules'] {
    const book = this.#book;
    return {
      list: () => book.list(),
      get: (id) => book.get(id),
      create: (input, origin) => book.create(input, origin),
      replace: (id, input, origin) => book.replace(id, input, origin),
      update: (id, patch) => book.update(id, patch),
      remove: (id) => book.remove(id),
      move: (id, before) => book.move(id, before),
      order: (ids) => book.order(ids),
      switch: (ids, enabled) => book.switch(ids, enabled),
      load: (inputs) => book.load(inputs),
      disableAll: async () => {
        const disabled = book.disableAll();
        this.#events.tell({ type: 'rule.all-stopped', ids: disabled });
        const { released } = await this.#last;
        return { disabled, released: disabled.length === 0 ? 0 : released };
      },
    };
  }

  #createRouteTable(): RouteTable {
    return new RouteTable({
      changed: (route) => this.#events.tell({ type: 'route.changed', route }),
      removed: (name) => this.#events.tell({ type: 'route.removed', name }),
      apply: async () => {
        await this.#reconfigure();
      },
    });
  }

  #createSupervisor(identityFor: Parts['identityFor']): Supervisor {
    const options = this.#options;
    return createSupervisor({
      clock: options.clock,
      log: options.log,
      workers: options.workers,
      exec: workerExec(options),
      identityFor,
      config: () => {
        this.#desk.configure(this.#book.active());
        return this.#config();
      },
      onMessage: (worker, message) => this.#received(worker, message),
      onCapture: (worker, pipe) => this.#pipes.receive(worker, pipe),
      onEvent: (event) => this.#happened(event),
      // Losses and replacements are events of their own; the rest is in the status, which is asked for.
      onChange: () => undefined,
    });
  }

  #createPrometheus(): Prometheus {
    return createPrometheus({
      openConnections: () =>
        this.#supervisor.workers().reduce((sum, worker) => sum + worker.openConnections, 0),
      workers: () => this.#supervisor.workers().filter((worker) => worker.state === 'ready').length,
      workerRestarts: () => this.#supervisor.workers().reduce((sum, worker) => sum + worker.restarts, 0),
      droppedFlows: () => this.status().dropped.flows,
      droppedBodies: () => this.status().dropped.bodies,
      ruleHolds: () => this.#holds.status(),
      workerMetrics: () => this.#supervisor.metrics(),
    });
  }

  #reconfigureAndReport(): void {
    this.#reconfigure().catch((error: unknown) => {
      const reason = error instanceof SpikeError ? error.message : String(error);
      this.#options.log.error({ reason }, 'The workers could not take over a change.');
    });
  }
}
