import type { BatchTail } from '../capture/capture-writer.ts';
import type { HeldToWorker } from '../breakpoints/held-messages.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Log } from '../log.ts';
import { EdgeAggregator } from '../metrics/edge-aggregator.ts';
import type { Decision } from '../rules/trigger-counter.ts';
import type { HoldGauge, ToPrimary, ToWorker, WorkerConfig, WorkerIdentity } from './messages.ts';

/** What a worker does with the network, as its session sees it (made by engine/data-plane.ts). */
export interface WorkerDataPlane {
  /** Resolves when the configuration is in force and its listeners are bound or reported, with how many calls were let go. */
  configure(config: WorkerConfig): Promise<{ released: number }>;
  decideReply(ask: number, decision: Decision): void;
  /** About calls that breakpoints hold. */
  heldReceived(message: HeldToWorker): void;
  captureAck(bytes: number): void;
  /** Stops accepting; resolves when the open calls have ended and the capture is handed over. */
  drain(): Promise<void>;
  close(): Promise<void>;
  /** Begins on `edges` the flows that are open right now: most calls are over before anybody asks, and cost nothing here. */
  announceOpenFlows(): void;
  /** Connections of clients that are open now. */
  openConnections(): number;
  /** Of rules; counts begin anew each time. */
  takeHolds(): HoldGauge;
}

export interface PrimaryLink {
  send(message: ToPrimary): void;
  /**
   * Hands over an encoded batch of flow records (capture/batch-codec.ts), which holds only until this returns, and how much
   * was dropped since the last one. `tail` is the end of the batch, which holds longer.
   */
  capture(batch: Uint8Array, droppedFlows: number, droppedBodies: number, tail: BatchTail | null): void;
}

export interface WorkerSessionOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly link: PrimaryLink;
  /** Adds flows to `edges`, and sends `listening`, `decide`, `capture` and `hits` over `link` by itself. */
  createDataPlane(parts: {
    readonly identity: WorkerIdentity;
    readonly config: WorkerConfig;
    readonly link: PrimaryLink;
    readonly edges: EdgeAggregator;
  }): WorkerDataPlane | Promise<WorkerDataPlane>;
  /** prom-client's JSON of this process; every series carries the label `worker`. */
  metricsOf(worker: number): Promise<unknown>;
  /** Ends the process. */
  exit(code: number): void;
}

export interface WorkerSession {
  receive(message: ToWorker): void;
  /** Lets open calls end, for `deadlineMs` at the most, then exits with 0. Again it can only shorten that time. */
  shutDown(deadlineMs: number): void;
}

export const reportEveryMs = 500;
const openFlowIdsLimit = 1000;
/** How long the last records may take before the process ends without them. */
const lastWordsMs = 250;

/**
 * One worker's conversation with its primary: binds the messages to the data plane, reports twice a second. Messages
 * are worked off in their order, so that a configuration which overtakes the start waits for it.
 */
export function createWorkerSession(options: WorkerSessionOptions): WorkerSession {
  return new Session(options);
}

class Session implements WorkerSession {
  readonly #o: WorkerSessionOptions;
  readonly #edges = new EdgeAggregator();
  #dataPlane: WorkerDataPlane | null = null;
  #number = 0;
  #queue: Promise<void> = Promise.resolve();
  #reporting: Timer | null = null;
  #ending = false;
  #ended = false;

  constructor(options: WorkerSessionOptions) {
    this.#o = options;
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        return this.#inOrder(() => this.#start(message.identity, message.config));
      case 'configure':
        return this.#inOrder(() => this.#configure(message.config));
      case 'decide.reply':
        return this.#dataPlane?.decideReply(message.ask, message.decision);
      case 'held.verdict':
      case 'held.act':
      case 'held.forget':
        return this.#dataPlane?.heldReceived(message);
      case 'capture.ack':
        return this.#dataPlane?.captureAck(message.bytes);
      case 'metrics.get':
        return this.#inOrder(() => this.#metrics(message.request), 'beside');
      case 'drain':
        return this.shutDown(message.deadlineMs);
    }
  }

  shutDown(deadlineMs: number): void {
    // A shorter time counts while it is ending as well: a primary that asked to drain may be gone since.
    const { clock, exit } = this.#o;
    clock.setTimer(deadlineMs, () => this.#inOrder(() => this.#end(), 'beside'), true);
    clock.setTimer(deadlineMs + lastWordsMs, () => exit(0), true);
    if (this.#ending) return;
    this.#ending = true;
    this.#inOrder(async () => {
      await this.#dataPlane?.drain();
      await this.#end();
    });
  }

  /** Ends what is still open, so that it is recorded with its reason, and exits. */
  async #end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#reporting?.cancel();
    await this.#dataPlane?.close();
    this.#report();
    this.#o.exit(0);
  }

  async #start(identity: WorkerIdentity, config: WorkerConfig): Promise<void> {
    this.#number = identity.number;
    const { link } = this.#o;
    this.#dataPlane = await this.#o.createDataPlane({ identity, config, link, edges: this.#edges });
    link.send({ type: 'ready' });
    this.#reportLater();
  }

  async #configure(config: WorkerConfig): Promise<void> {
    const { released } = (await this.#dataPlane?.configure(config)) ?? { released: 0 };
    this.#o.link.send({ type: 'configured', version: config.version, released });
  }

  async #metrics(request: number): Promise<void> {
    const metrics = await this.#o.metricsOf(this.#number);
    this.#o.link.send({ type: 'metrics', request, metrics });
  }

  /** A failure in here is a bug: thrown where the process's handler for uncaught ones finds it. */
  #inOrder(step: () => Promise<void>, place: 'queue' | 'beside' = 'queue'): void {
    const done = place === 'queue' ? this.#queue.then(step) : step();
    const settled = done.catch((error: unknown) => {
      queueMicrotask(() => {
        throw error;
      });
    });
    if (place === 'queue') this.#queue = settled;
  }

  #reportLater(): void {
    this.#reporting = this.#o.clock.setTimer(reportEveryMs, () => {
      this.#report();
      this.#reportLater();
    });
  }

  #report(): void {
    const { link } = this.#o;
    this.#dataPlane?.announceOpenFlows();
    link.send({
      type: 'gauge',
      openConnections: this.#dataPlane?.openConnections() ?? 0,
      openFlows: this.#edges.openFlows,
      openFlowIds: this.#edges.openFlowIds(openFlowIdsLimit),
      rules: this.#dataPlane?.takeHolds() ?? { heldBytes: 0, leftMessages: 0, pausedReads: 0 },
    });
    // Also when nothing happened: what is not in a report is not in flight any more.
    link.send({ type: 'edges', report: this.#edges.takeReport() });
  }
}
