import type { AgentEvent } from '#shared/contract/events.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { WorkerStatus } from '#shared/contract/status.ts';
import { HeldDesk } from '../../src-main/engine/breakpoints/held-desk.ts';
import { createSystemClock } from '../../src-main/engine/clock.ts';
import type { Clock, Timer } from '../../src-main/engine/clock.ts';
import type { CaFacts, Engine, EngineStatus } from '../../src-main/engine/engine-interface.ts';
import type { CallRecord } from './fixture/call-record.ts';
import { FixturePassthroughList } from './fixture/passthrough-list.ts';
import { FixtureFlowStore } from './fixture/flow-store.ts';
import { FixtureHolds } from './fixture/held-calls.ts';
import { seededRandom } from './fixture/random.ts';
import { FixtureRouteTable } from './fixture/route-table.ts';
import { FixtureRuleBook } from './fixture/rule-book.ts';
import { FixtureTopology } from './fixture/topology-view.ts';
import { flowsPerJourney, Traffic } from './fixture/traffic.ts';

/**
 * FIXTURE: an engine without sockets, for tests of the control API and for work on the window. It invents the calls of
 * a small shop at a given rate; rules, routes, searches and figures act on them as on real ones. Never part of Spike.
 *
 *     journeys (traffic.ts) ─► pending ─► ended ─► store, topology, events
 */
export interface FixtureEngineOptions {
  /** Flows per second, 0 to some 2,000. Default 0: nothing happens until `run`. */
  readonly rate?: number;
  readonly workers?: number;
  readonly seed?: number;
  readonly clock?: Clock;
  /** How much traffic lies behind us when it starts. Default 0. */
  readonly historyMs?: number;
  readonly maxFlows?: number;
}

const tickMs = 100;
/** Rows in one batch of events; above it the batch is a sample. */
const maxRowsPerBatch = 60;
const agentId = 'fixtur';

export class FixtureEngine implements Engine {
  readonly flows: FixtureFlowStore;
  readonly rules: FixtureRuleBook;
  /** Holds what `holds` invents. */
  readonly held: HeldDesk;
  readonly holds: FixtureHolds;
  readonly routes: FixtureRouteTable;
  readonly topology: FixtureTopology;
  readonly ca: CaFacts = {
    certificatePem: '-----BEGIN CERTIFICATE-----\nRklYVFVSRQ==\n-----END CERTIFICATE-----\n',
    path: '/home/example/.local/share/spike/ca/ca.pem',
    subject: 'Spike CA (fixture)',
    fingerprint256: Array.from({ length: 32 }, (_, index) =>
      index.toString(16).padStart(2, '0').toUpperCase(),
    ).join(':'),
    notAfter: '2036-03-09T00:00:00.000Z',
    keyMode: '0600',
  };
  readonly settings = { apply: () => Promise.resolve() };
  readonly passthrough = new FixturePassthroughList();
  rate: number;

  readonly #clock: Clock;
  readonly #traffic: Traffic;
  readonly #workers: WorkerStatus[];
  readonly #listeners = new Set<(event: AgentEvent) => void>();
  readonly #startedMs: number;
  /** Calls that begin later: a caller makes one after the other. */
  #planned: CallRecord[] = [];
  #pending: CallRecord[] = [];
  #owedJourneys = 0;
  #timer: Timer | null = null;
  #perSecond = 0;
  #metersMs: { atMs: number; ended: number }[] = [];

  constructor(options: FixtureEngineOptions = {}) {
    const random = seededRandom(options.seed ?? 1);
    this.#clock = options.clock ?? createSystemClock();
    const now = (): number => this.#clock.now();
    const emit = (event: AgentEvent): void => this.#emit(event);
    this.rate = options.rate ?? 0;
    this.#startedMs = now();
    this.flows = new FixtureFlowStore({
      now,
      version: 'fixture',
      maxFlows: options.maxFlows ?? 50_000,
      onCleared: () => emit({ type: 'flow.cleared' }),
    });
    this.rules = new FixtureRuleBook({ now, random, emit, release: (id) => this.#release(id) });
    this.holds = new FixtureHolds(this.#clock, (message) => this.held.received(1, message));
    this.held = new HeldDesk({
      clock: this.#clock,
      send: (_worker, message) => this.holds.received(message),
      tell: emit,
    });
    this.routes = new FixtureRouteTable(emit);
    this.topology = new FixtureTopology(now, () => this.rules.enabled());
    const workers = options.workers ?? 4;
    this.#workers = Array.from({ length: workers }, (_, index) => readyWorker(index + 1, now()));
    const hitRules = this.rules.hit.bind(this.rules);
    this.#traffic = new Traffic({ random, agentId, workers, hitRules });
    if (options.historyMs !== undefined) this.#invent(now() - options.historyMs, now());
  }

  async start(): Promise<void> {
    let lastMs = this.#clock.now();
    const tick = (): void => {
      const nowMs = this.#clock.now();
      this.run(lastMs, nowMs);
      lastMs = nowMs;
      this.#timer = this.#clock.setTimer(tickMs, tick);
    };
    tick();
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Lives through the time from one instant to another, and tells the readers. */
  run(fromMs: number, toMs: number): void {
    const opened = this.#begin(fromMs, toMs);
    const ended = this.#end(toMs);
    this.#measure(toMs, ended.length);
    const open = opened.filter((record) => record.endMs > toMs);
    if (open.length + ended.length > 0) this.#emitBatch([...open, ...ended], ended.length);
    const hits = this.rules.takeHits();
    if (hits !== null) this.#emit({ type: 'rule.hits', hits });
  }

  /** A worker dies and comes back, with what readers see of it. */
  loseWorker(number: number): void {
    const worker = this.#workers[number - 1];
    if (worker === undefined || worker.state !== 'ready') return;
    const atMs = this.#clock.now();
    const lost = this.#pending.filter((record) => record.worker === number);
    for (const record of lost)
      Object.assign(record, { cause: 'spike-worker-lost', status: null, endMs: atMs });
    worker.state = 'lost';
    const at = new Date(atMs).toISOString();
    const reason = 'signal SIGKILL';
    worker.lastExit = { at, reason, replacedAfterMs: null, lostFlows: lost.length };
    this.#emit({ type: 'worker.lost', worker: number, pid: worker.pid, reason, lostFlows: lost.length });
    this.#clock.setTimer(180, () => this.#replace(worker, atMs), true);
  }

  status(): EngineStatus {
    const oldest = this.flows.oldest;
    const startedAt = new Date(this.#startedMs).toISOString();
    return {
      agentId,
      startedAt,
      proxy: { address: '127.0.0.1:7070', error: null },
      capture: {
        recording: this.flows.recording,
        recordingSince: this.flows.recording ? startedAt : null,
        flows: this.flows.size,
        bytes: this.flows.bytes,
        maxBytes: 2 * 1024 ** 3,
        oldestAt: oldest === undefined ? null : new Date(oldest.startMs).toISOString(),
      },
      flowsPerSecond: this.#perSecond,
      activeFaults: this.rules.enabled().length,
      held: this.held.status(),
      ruleHolds: { heldBytes: 0, leftMessages: 0, pausedReads: 0 },
      upstreams: { proxy: null, clientCertificates: [] },
      limits: { 'capture.maxBodyBytes': 10 * 1024 ** 2, 'capture.maxDiskBytes': 2 * 1024 ** 3 },
      workers: this.#workers,
      dropped: { flows: 0, bodies: 0 },
    };
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing is forwarded here, so nothing is forbidden. */
  forbiddenUpstreamsChanged(): Promise<void> {
    return Promise.resolve();
  }

  async metricsText(): Promise<string> {
    return [
      '# HELP spike_flows_stored Flows in the capture.',
      '# TYPE spike_flows_stored gauge',
      `spike_flows_stored ${this.flows.size}`,
      '',
    ].join('\n');
  }

  subscribe(listener: (event: AgentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  #invent(fromMs: number, toMs: number): void {
    for (let atMs = fromMs; atMs < toMs; atMs += 1000) {
      this.#begin(atMs, atMs + 1000);
      this.#end(Math.min(atMs + 1000, toMs));
    }
  }

  #begin(fromMs: number, toMs: number): CallRecord[] {
    // Shops have busy minutes: a slow wave, so that charts have a shape.
    const wave = 1 + 0.25 * Math.sin(toMs / 45_000) + 0.1 * Math.sin(toMs / 7_000);
    this.#owedJourneys += (this.rate / flowsPerJourney) * wave * ((toMs - fromMs) / 1000);
    const count = Math.floor(this.#owedJourneys);
    this.#owedJourneys -= count;
    for (let index = 0; index < count; index += 1) {
      const startMs = fromMs + ((index + 0.5) / count) * (toMs - fromMs);
      this.#planned.push(...this.#traffic.journey(startMs));
    }
    const opened = this.#planned.filter((record) => record.startMs <= toMs);
    this.#planned = this.#planned.filter((record) => record.startMs > toMs);
    for (const record of opened) this.#open(record);
    return opened;
  }

  #open(record: CallRecord): void {
    this.topology.opened(record);
    this.flows.add(record);
    this.#pending.push(record);
    const worker = this.#workers[record.worker - 1];
    if (worker !== undefined) worker.openConnections = 12 + (record.connection % 20);
  }

  #end(nowMs: number): CallRecord[] {
    const ended = this.#pending.filter((record) => record.endMs <= nowMs);
    this.#pending = this.#pending.filter((record) => record.endMs > nowMs);
    for (const record of ended) this.topology.ended(record);
    return ended;
  }

  /** Ends now what a rule holds, and what waits for it. */
  #release(ruleId: string): number {
    const nowMs = this.#clock.now();
    const held = this.#pending.filter((record) => record.faults.some((fault) => isHolding(fault, ruleId)));
    for (const record of held) {
      const sooner = Math.max(0, record.endMs - nowMs);
      record.faults = record.faults.map((fault) =>
        isHolding(fault, ruleId)
          ? {
              ...fault,
              outcome: 'released' as const,
              delayedMs: Math.max(0, (fault.delayedMs ?? 0) - sooner),
            }
          : fault,
      );
      if (record.cause === 'fault-hang') Object.assign(record, { cause: null, status: record.call.status });
      this.#bringForward(record, sooner);
    }
    return held.length;
  }

  /** A call ends sooner than planned: so do those that wait for it, and what they do next begins sooner. */
  #bringForward(record: CallRecord, soonerMs: number): void {
    const plannedEndMs = record.endMs;
    for (let above: CallRecord | null = record; above !== null; above = above.parent) above.endMs -= soonerMs;
    for (const later of this.#planned) {
      if (later.traceId !== record.traceId || later.startMs < plannedEndMs) continue;
      later.startMs -= soonerMs;
      later.endMs -= soonerMs;
    }
  }

  #replace(worker: WorkerStatus, lostMs: number): void {
    const afterMs = this.#clock.now() - lostMs;
    worker.state = 'ready';
    worker.restarts += 1;
    worker.pid = (worker.pid ?? 0) + 10;
    worker.startedAt = new Date(this.#clock.now()).toISOString();
    if (worker.lastExit !== null) worker.lastExit.replacedAfterMs = afterMs;
    const { number, pid, lastExit } = worker;
    const at = new Date(lostMs).toISOString();
    this.topology.incidents.push({
      worker: number,
      at,
      replacedAfterMs: afterMs,
      lostFlows: lastExit?.lostFlows ?? 0,
    });
    this.#emit({ type: 'worker.replaced', worker: number, pid, afterMs });
  }

  #measure(nowMs: number, ended: number): void {
    this.#metersMs.push({ atMs: nowMs, ended });
    this.#metersMs = this.#metersMs.filter(({ atMs }) => nowMs - atMs < 2000);
    const total = this.#metersMs.reduce((sum, meter) => sum + meter.ended, 0);
    this.#perSecond = Math.round(total / 2);
  }

  #emitBatch(records: readonly CallRecord[], total: number): void {
    const sampledOneIn = Math.ceil(records.length / maxRowsPerBatch);
    const flows: FlowSummary[] = records
      .filter((_, index) => index % sampledOneIn === 0)
      .map((record) => this.flows.summary(record))
      .sort((a, b) => a.startedAtMs - b.startedAtMs);
    this.#emit({ type: 'flow.batch', flows, total, sampledOneIn, perSecond: this.#perSecond });
  }

  #emit(event: AgentEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function isHolding(fault: CallRecord['faults'][number], ruleId: string): boolean {
  return fault.ruleId === ruleId && fault.delayedMs !== null && fault.outcome === 'done';
}

function readyWorker(number: number, nowMs: number): WorkerStatus {
  return {
    number,
    pid: 48_100 + number,
    state: 'ready',
    startedAt: new Date(nowMs).toISOString(),
    restarts: 0,
    openConnections: 0,
    lastExit: null,
  };
}
