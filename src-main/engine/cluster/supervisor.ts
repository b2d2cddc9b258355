import type { Readable } from 'node:stream';
import { SpikeError } from '#shared/contract/errors.ts';
import type { WorkerStatus } from '#shared/contract/status.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Log } from '../log.ts';
import type { WorkerExec } from './fork-worker.ts';
import type { ToPrimary, ToWorker, WorkerConfig, WorkerIdentity } from './messages.ts';
import { PinnedPorts } from './pinned-ports.ts';
import { restartSettings } from './restart-policy.ts';
import type { RestartSettings } from './restart-policy.ts';
import { WorkerSlot } from './worker-slot.ts';
import type { ListenFailure, LostWorker } from './worker-slot.ts';

export type SupervisorEvent =
  /** A process is gone that nobody asked to go; its replacement is on its way. */
  | ({ readonly type: 'worker.lost'; readonly worker: number } & LostWorker)
  /** The replacement takes calls; `afterMs` since the exit that it mends. */
  | {
      readonly type: 'worker.replaced';
      readonly worker: number;
      readonly pid: number | null;
      readonly afterMs: number;
    }
  /** Alive but mute: it hangs. Killed and replaced if it goes on. */
  | {
      readonly type: 'worker.silent';
      readonly worker: number;
      readonly pid: number | null;
      readonly silentMs: number;
    };

export interface SupervisorSettings {
  readonly restarts: RestartSettings;
  /** All workers must be ready and listening within this. */
  readonly startTimeoutMs: number;
  /** A worker that does not take a configuration within this is left behind, with a warning. */
  readonly configureTimeoutMs: number;
  readonly metricsTimeoutMs: number;
  /** Workers speak twice a second: silence of this length is reported, … */
  readonly silentAfterMs: number;
  /** … of this length ended. */
  readonly killAfterMs: number;
  readonly watchEveryMs: number;
}

export const supervisorSettings: SupervisorSettings = {
  restarts: restartSettings,
  startTimeoutMs: 20_000,
  configureTimeoutMs: 5000,
  metricsTimeoutMs: 1000,
  silentAfterMs: 10_000,
  killAfterMs: 20_000,
  watchEveryMs: 1000,
};

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How many workers, from 1. */
  readonly workers: number;
  readonly exec: WorkerExec;
  identityFor(worker: number): WorkerIdentity;
  /** The configuration to start with. */
  config(): WorkerConfig;
  /** Every message of every worker; called before the supervisor acts on it only for what it does not need itself. */
  onMessage(worker: number, message: ToPrimary): void;
  /** A process was forked, and writes its batches into that pipe (batch-pipe.ts). Default: they are thrown away. */
  onCapture?(worker: number, pipe: Readable): void;
  onEvent(event: SupervisorEvent): void;
  /** Some worker's state has changed. */
  onChange(workers: readonly WorkerStatus[]): void;
  readonly settings?: Partial<SupervisorSettings>;
}

/** The primary's view of its workers. */
export interface Supervisor {
  /**
   * Forks the workers; resolves when all are ready and the proxy listens, with its `host:port`. Rejects with
   * `port-in-use` (taken), `invalid-input` (an address that is not ours) or `not-available` (workers that die or do
   * not get ready), and then no worker is left.
   */
  start(): Promise<{ address: string }>;
  /**
   * Hands a configuration to all workers; resolves when each has taken it or is gone, with how many held calls were
   * let go. Replacements start with it. Calls are worked off in their order.
   */
  configure(config: WorkerConfig): Promise<{ released: number }>;
  /** To one worker: replies. A dead one loses nothing that it could still use. */
  send(worker: number, message: ToWorker): void;
  /** prom-client's JSON of every worker that answers in time. */
  metrics(): Promise<unknown[]>;
  workers(): WorkerStatus[];
  /** Lets calls end for `drainMs`, then kills; resolves when all processes are gone. */
  close(drainMs: number): Promise<void>;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new ClusterSupervisor(options);
}

const startAttempts = 3;

class ClusterSupervisor implements Supervisor {
  readonly #o: SupervisorOptions;
  readonly #settings: SupervisorSettings;
  readonly #pins = new PinnedPorts();
  #slots: WorkerSlot[] = [];
  #config: WorkerConfig | null = null;
  #address: string | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #watch: Timer | null = null;
  #request = 0;
  #starting: { resolve: () => void; reject: (error: SpikeError) => void } | null = null;
  #closing = false;

  constructor(options: SupervisorOptions) {
    this.#o = options;
    this.#settings = { ...supervisorSettings, ...options.settings };
  }

  async start(): Promise<{ address: string }> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#config = await this.#resolvePorts(this.#o.config());
        await this.#startAll();
        break;
      } catch (error) {
        await this.#endAll(0);
        // Port 0 was decided a moment before it was bound (free-port.ts): somebody was faster.
        const taken = error instanceof SpikeError && error.code === 'port-in-use' && this.#pins.retry(null);
        if (!taken || attempt >= startAttempts) throw error;
      }
    }
    this.#watchSilence(this.#o.clock.now());
    return { address: this.#address as string };
  }

  configure(config: WorkerConfig): Promise<{ released: number }> {
    const done = this.#queue.then(() => this.#configure(config));
    // The caller gets the rejection; the queue goes on.
    this.#queue = done.catch(() => undefined);
    return done;
  }

  send(worker: number, message: ToWorker): void {
    this.#slots[worker - 1]?.send(message);
  }

  async metrics(): Promise<unknown[]> {
    const answers = await Promise.all(
      this.#slots.map((slot) => {
        const request = (this.#request += 1);
        const isAnswer = (answer: ToPrimary): boolean =>
          answer.type === 'metrics' && answer.request === request;
        return slot.ask({ type: 'metrics.get', request }, isAnswer, this.#settings.metricsTimeoutMs);
      }),
    );
    return answers.flatMap((answer) => (answer?.type === 'metrics' ? [answer.metrics] : []));
  }

  workers(): WorkerStatus[] {
    return this.#slots.map((slot) => slot.status());
  }

  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    this.#watch?.cancel();
    this.#starting?.reject(
      new SpikeError('not-available', 'The agent was stopped while its workers started.'),
    );
    await this.#endAll(drainMs);
  }

  async #resolvePorts(config: WorkerConfig): Promise<WorkerConfig> {
    try {
      return await this.#pins.resolve(config);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw listenError(config.proxyListen, { code: code ?? 'ERROR', message });
    }
  }

  async #startAll(): Promise<void> {
    if (this.#closing) throw new SpikeError('not-available', 'The agent is stopped.');
    const { startTimeoutMs } = this.#settings;
    const started = Promise.withResolvers<void>();
    this.#starting = started;
    const timer = this.#o.clock.setTimer(startTimeoutMs, () => {
      const waiting = this.#slots.filter((slot) => slot.state !== 'ready').map((slot) => slot.number);
      const message = `Worker ${waiting.join(', ')} did not get ready within ${startTimeoutMs} ms. No worker was kept; see the log, then start again.`;
      started.reject(new SpikeError('not-available', message));
    });
    this.#slots = Array.from({ length: this.#o.workers }, (_, index) => this.#newSlot(index + 1));
    for (const slot of this.#slots) slot.start();
    try {
      await started.promise;
    } finally {
      timer.cancel();
      this.#starting = null;
    }
  }

  #newSlot(number: number): WorkerSlot {
    return new WorkerSlot({
      number,
      isAlone: this.#o.workers === 1,
      clock: this.#o.clock,
      log: this.#o.log,
      exec: this.#o.exec,
      restarts: this.#settings.restarts,
      identity: () => this.#o.identityFor(number),
      config: () => this.#config as WorkerConfig,
      owner: {
        message: (slot, message) => this.#o.onMessage(slot.number, message),
        forked: (slot, pipe) =>
          this.#o.onCapture === undefined ? pipe.resume() : this.#o.onCapture(slot.number, pipe),
        ready: (slot, address, afterMs) => this.#ready(slot, address, afterMs),
        listenFailed: (slot, error) => this.#listenFailed(slot, error),
        lost: (slot, lost) => this.#lost(slot, lost),
        changed: () => this.#o.onChange(this.workers()),
      },
    });
  }

  async #configure(config: WorkerConfig): Promise<{ released: number }> {
    const resolved = await this.#resolvePorts(config);
    this.#config = resolved;
    const answers = await Promise.all(this.#slots.map((slot) => this.#configureOne(slot, resolved)));
    return { released: answers.reduce((sum, released) => sum + released, 0) };
  }

  async #configureOne(slot: WorkerSlot, config: WorkerConfig): Promise<number> {
    const pid = slot.pid;
    const isAnswer = (answer: ToPrimary): boolean =>
      answer.type === 'configured' && answer.version >= config.version;
    const timeoutMs = this.#settings.configureTimeoutMs;
    const answer = await slot.ask({ type: 'configure', config }, isAnswer, timeoutMs);
    if (answer?.type === 'configured') return answer.released;
    if (pid !== null && slot.pid === pid) {
      const fields = { worker: slot.number, pid, version: config.version, timeoutMs };
      this.#o.log.warn(fields, 'A worker has not taken the new configuration yet.');
    }
    return 0;
  }

  #ready(slot: WorkerSlot, address: string, afterMs: number | null): void {
    this.#address = address;
    if (afterMs !== null) {
      this.#o.log.info({ worker: slot.number, pid: slot.pid, afterMs }, 'A lost worker was replaced.');
      this.#o.onEvent({ type: 'worker.replaced', worker: slot.number, pid: slot.pid, afterMs });
    }
    if (this.#slots.every((one) => one.state === 'ready')) this.#starting?.resolve();
  }

  #listenFailed(slot: WorkerSlot, error: ListenFailure): void {
    const listen = this.#config?.proxyListen ?? '';
    if (this.#starting !== null) return this.#starting.reject(listenError(listen, error));
    // A replacement that cannot listen is none: dead, it is tried again with the policy's patience.
    this.#o.log.error({ worker: slot.number, listen, ...error }, 'A replacement cannot listen; it is ended.');
    slot.kill();
  }

  #lost(slot: WorkerSlot, lost: LostWorker): void {
    const fields = { worker: slot.number, pid: lost.pid, reason: lost.reason, lostFlows: lost.openFlows };
    this.#o.log.error(fields, 'A worker was lost.');
    if (this.#starting === null) {
      this.#o.onEvent({ type: 'worker.lost', worker: slot.number, ...lost });
      return;
    }
    const message = `Worker ${slot.number} ended before it was ready (${lost.reason}). Its last words are in the log; no worker was kept.`;
    this.#starting.reject(new SpikeError('not-available', message));
  }

  /** Round and round: a worker that says nothing hangs, unless it is we who did not listen. */
  #watchSilence(lastMs: number): void {
    const { watchEveryMs } = this.#settings;
    this.#watch = this.#o.clock.setTimer(
      watchEveryMs,
      () => {
        const nowMs = this.#o.clock.now();
        // Late by more than a round: this process was blocked, and unread messages wait behind this timer.
        const late = nowMs - lastMs > watchEveryMs * 3;
        for (const slot of this.#slots) {
          if (late) slot.excuseSilence(nowMs);
          else this.#judgeSilence(slot, slot.silentMs(nowMs));
        }
        this.#watchSilence(nowMs);
      },
      true,
    );
  }

  #judgeSilence(slot: WorkerSlot, silentMs: number): void {
    const { silentAfterMs, killAfterMs } = this.#settings;
    const fields = { worker: slot.number, pid: slot.pid, silentMs: Math.round(silentMs) };
    if (silentMs >= killAfterMs) {
      this.#o.log.error(fields, 'A worker hangs; it is killed and replaced.');
      slot.kill();
    } else if (silentMs >= silentAfterMs && slot.state !== 'lost') {
      this.#o.log.warn(fields, 'A worker says nothing.');
      slot.markSilent();
      this.#o.onEvent({ type: 'worker.silent', worker: slot.number, pid: slot.pid, silentMs });
    }
  }

  async #endAll(drainMs: number): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.end(drainMs)));
    this.#o.onChange(this.workers());
  }
}

function listenError(address: string, error: ListenFailure): SpikeError {
  if (error.code === 'EADDRINUSE') {
    const message = `${address} is taken by another program. Nothing was started. Stop that program, or choose another port with --proxy (port 0 takes a free one).`;
    return new SpikeError('port-in-use', message, { address });
  }
  const message = `Spike cannot listen on ${address}: ${error.message} (${error.code}). Nothing was started. Choose an address of this machine, such as 127.0.0.1:7070.`;
  return new SpikeError('invalid-input', message, { address, code: error.code });
}
