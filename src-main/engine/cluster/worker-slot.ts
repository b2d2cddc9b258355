import type { Worker } from 'node:cluster';
import type { Readable } from 'node:stream';
import type { WorkerStatus } from '#shared/contract/status.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Log } from '../log.ts';
import { batchPipeFd } from './batch-pipe.ts';
import { forkWorker } from './fork-worker.ts';
import type { WorkerExec } from './fork-worker.ts';
import type { ToPrimary, ToWorker, WorkerConfig, WorkerIdentity } from './messages.ts';
import { RestartPolicy } from './restart-policy.ts';
import type { RestartSettings } from './restart-policy.ts';

type Gauge = Extract<ToPrimary, { type: 'gauge' }>;
export type ListenFailure = NonNullable<Extract<ToPrimary, { type: 'listening' }>['error']>;

/** Of the time to drain, what a worker has for recording the calls that it cuts: then it is killed. */
const lastWordsMs = 500;

/** What a slot tells its supervisor; every method is called from an event of the worker's process. */
export interface SlotOwner {
  /** A process was made, and writes its batches into that pipe (batch-pipe.ts). */
  forked(slot: WorkerSlot, pipe: Readable): void;
  message(slot: WorkerSlot, message: ToPrimary): void;
  /** Ready, and the proxy's listener is bound at `address`; `afterMs` is null for the first worker of the slot. */
  ready(slot: WorkerSlot, address: string, afterMs: number | null): void;
  listenFailed(slot: WorkerSlot, error: ListenFailure): void;
  /** The process is gone, and nobody asked it to go. */
  lost(slot: WorkerSlot, lost: LostWorker): void;
  changed(): void;
}

export interface LostWorker {
  /** Unix ms, as in the status of the worker: readers find the one by the other. */
  readonly atMs: number;
  readonly pid: number | null;
  /** `signal SIGKILL`, `exit code 1`, `could not be started`. */
  readonly reason: string;
  /** Flows that were open at its last gauge; what began in the last half second is not among them. */
  readonly openFlows: number;
  readonly openFlowIds: readonly string[];
}

export interface SlotOptions {
  readonly number: number;
  /** It is the only one. */
  readonly isAlone: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly exec: WorkerExec;
  readonly restarts: RestartSettings;
  readonly owner: SlotOwner;
  identity(): WorkerIdentity;
  /** The newest configuration, with real ports. */
  config(): WorkerConfig;
}

interface Waiter {
  readonly accepts: (message: ToPrimary) => boolean;
  readonly settle: (message: ToPrimary | null) => void;
}

/**
 * One numbered place for a worker, filled again when its process dies.
 *
 *     starting ──ready + listening──► ready ──drain──► draining ──exit──► (ended)
 *        ▲                              │ exit
 *        │                              ▼
 *        └──at once── lost ◄────────────┤
 *        └──delay──── backing-off ◄─────┘ too many deaths
 */
export class WorkerSlot {
  readonly number: number;
  readonly #o: SlotOptions;
  readonly #policy: RestartPolicy;
  #worker: Worker | null = null;
  #state: WorkerStatus['state'] = 'starting';
  #startedAtMs = 0;
  #heardMs = 0;
  #restarts = 0;
  #gauge: Gauge | null = null;
  #lastExit: WorkerStatus['lastExit'] = null;
  #exitedAtMs: number | null = null;
  #saidReady = false;
  #address: string | null = null;
  #restart: Timer | null = null;
  #ending = false;
  readonly #waiters = new Set<Waiter>();
  readonly #ended: { promise: Promise<void>; resolve: () => void } = Promise.withResolvers<void>();

  constructor(options: SlotOptions) {
    this.number = options.number;
    this.#o = options;
    this.#policy = new RestartPolicy(options.restarts);
  }

  get state(): WorkerStatus['state'] {
    return this.#state;
  }

  get pid(): number | null {
    return this.#worker?.process.pid ?? null;
  }

  /** ms since the process last said anything; 0 without a process. */
  silentMs(nowMs: number): number {
    return this.#worker === null ? 0 : nowMs - this.#heardMs;
  }

  /** The watch itself was late: silence until now proves nothing. */
  excuseSilence(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  start(): void {
    this.#restart = null;
    this.#saidReady = false;
    this.#address = null;
    this.#gauge = null;
    this.#state = 'starting';
    this.#startedAtMs = this.#heardMs = this.#o.clock.now();
    const worker = forkWorker(this.#o.exec, this.#o.isAlone);
    this.#worker = worker;
    this.#o.owner.forked(this, worker.process.stdio[batchPipeFd] as Readable);
    worker.on('message', (message: ToPrimary) => this.#receive(worker, message));
    worker.on('exit', (code: number | null, signal: string | null) => {
      this.#gone(worker, signal ? `signal ${signal}` : `exit code ${code}`);
    });
    worker.on('error', (error) => this.#failed(worker, error));
    this.send({ type: 'start', identity: this.#o.identity(), config: this.#o.config() });
    this.#o.owner.changed();
  }

  /** Sends, if there is a process to send to; one that is dying is about to be reported as lost. */
  send(message: ToWorker): void {
    const worker = this.#worker;
    if (worker === null || !worker.isConnected()) return;
    worker.send(message, (error) => {
      if (error)
        this.#o.log.debug({ worker: this.number, error: String(error) }, 'A message to a worker was lost.');
    });
  }

  /** Sends and waits for the answer: null when the worker dies, or says nothing for `timeoutMs`. */
  ask(
    message: ToWorker,
    accepts: (answer: ToPrimary) => boolean,
    timeoutMs: number,
  ): Promise<ToPrimary | null> {
    if (this.#worker === null) return Promise.resolve(null);
    return new Promise((resolve) => {
      const settle = (answer: ToPrimary | null): void => {
        this.#waiters.delete(waiter);
        timer.cancel();
        resolve(answer);
      };
      const waiter: Waiter = { accepts, settle };
      const timer = this.#o.clock.setTimer(timeoutMs, () => settle(null));
      this.#waiters.add(waiter);
      this.send(message);
    });
  }

  /** Alive, but has said nothing for long: shown as lost until it speaks or dies. */
  markSilent(): void {
    if (this.#state !== 'ready' && this.#state !== 'starting') return;
    this.#state = 'lost';
    this.#o.owner.changed();
  }

  kill(): void {
    // By the process handle, so by its pid: `worker.kill()` would wait for a channel that may hang.
    this.#worker?.process.kill('SIGKILL');
  }

  /** Lets the worker finish its calls and end; kills it at the deadline. Resolves when the process is gone. */
  end(deadlineMs: number): Promise<void> {
    if (!this.#ending) {
      this.#ending = true;
      this.#restart?.cancel();
      if (this.#worker === null) this.#ended.resolve();
      else this.#drain(deadlineMs);
    }
    return this.#ended.promise;
  }

  status(): WorkerStatus {
    const alive = this.#worker !== null;
    return {
      number: this.number,
      pid: this.pid,
      state: this.#state,
      startedAt: alive ? new Date(this.#startedAtMs).toISOString() : null,
      restarts: this.#restarts,
      openConnections: this.#gauge?.openConnections ?? 0,
      lastExit: this.#lastExit,
    };
  }

  #drain(deadlineMs: number): void {
    this.#state = 'draining';
    this.send({ type: 'drain', deadlineMs: Math.max(0, deadlineMs - lastWordsMs) });
    const timer = this.#o.clock.setTimer(deadlineMs, () => {
      this.#o.log.warn(
        { worker: this.number, pid: this.pid, deadlineMs },
        'A worker did not drain in time; killed.',
      );
      this.kill();
    });
    void this.#ended.promise.then(() => timer.cancel());
    this.#o.owner.changed();
  }

  #receive(worker: Worker, message: ToPrimary): void {
    if (worker !== this.#worker) return; // What a dead one had still in its pipe after its exit was seen.
    this.#heardMs = this.#o.clock.now();
    if (this.#state === 'lost') this.#speaksAgain();
    if (message.type === 'ready') this.#saidReady = true;
    if (message.type === 'gauge') this.#gauge = message;
    if (message.type === 'listening' && message.name === null)
      this.#listening(message.address, message.error);
    for (const waiter of this.#waiters) if (waiter.accepts(message)) waiter.settle(message);
    this.#o.owner.message(this, message);
    this.#becomeReady();
  }

  #listening(address: string | null, error: ListenFailure | null): void {
    this.#address = address;
    if (error !== null) this.#o.owner.listenFailed(this, error);
  }

  #becomeReady(): void {
    if (this.#state !== 'starting' || !this.#saidReady || this.#address === null) return;
    this.#state = 'ready';
    const afterMs = this.#exitedAtMs === null ? null : this.#o.clock.now() - this.#exitedAtMs;
    this.#exitedAtMs = null;
    if (afterMs !== null && this.#lastExit !== null) {
      this.#lastExit = { ...this.#lastExit, replacedAfterMs: afterMs };
    }
    this.#o.owner.ready(this, this.#address, afterMs);
    this.#o.owner.changed();
  }

  #speaksAgain(): void {
    this.#state = 'starting';
    this.#becomeReady();
  }

  #failed(worker: Worker, error: Error): void {
    this.#o.log.error({ worker: this.number, error: error.message }, 'A worker process failed.');
    // Without a pid there was no process, so no exit will follow.
    if (worker.process.pid === undefined) this.#gone(worker, `could not be started: ${error.message}`);
  }

  #gone(worker: Worker, reason: string): void {
    if (worker !== this.#worker) return;
    const nowMs = this.#o.clock.now();
    const lost: LostWorker = {
      atMs: nowMs,
      pid: this.pid,
      reason,
      openFlows: this.#gauge?.openFlows ?? 0,
      openFlowIds: this.#gauge?.openFlowIds ?? [],
    };
    this.#worker = null;
    this.#gauge = null;
    this.#state = 'lost';
    for (const waiter of [...this.#waiters]) waiter.settle(null);
    if (this.#ending) return this.#ended.resolve();
    this.#exitedAtMs ??= nowMs;
    const at = new Date(nowMs).toISOString();
    this.#lastExit = { at, reason, replacedAfterMs: null, lostFlows: lost.openFlows };
    this.#o.owner.lost(this, lost);
    // The owner may have ended the slot because of it: then `end` has resolved already.
    if (!this.#ending) this.#replace(this.#policy.died(nowMs, nowMs - this.#startedAtMs));
  }

  #replace(delayMs: number): void {
    this.#restarts += 1;
    if (delayMs === 0) return this.start();
    this.#state = 'backing-off';
    this.#o.log.warn({ worker: this.number, delayMs }, 'A worker keeps dying; it is replaced later.');
    this.#restart = this.#o.clock.setTimer(delayMs, () => this.start());
    this.#o.owner.changed();
  }
}
