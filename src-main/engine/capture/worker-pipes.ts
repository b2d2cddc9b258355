import type { Readable } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { RecorderClient } from './recorder-client.ts';

export interface WorkerPipesOptions {
  readonly clock: Clock;
  readonly recorder: Pick<RecorderClient, 'receive'>;
  /** So many bytes of that worker's batches are stored, or given up and counted. */
  readonly stored: (worker: number, bytes: number) => void;
}

/** A pipe ends with its process; one that something else still holds open is not waited for. */
const endsWithinMs = 1000;

/** The pipes out of which batches come, one for each process of a worker, and what workers had no room for. */
export class WorkerPipes {
  readonly dropped = { flows: 0, bodies: 0 };
  readonly #options: WorkerPipesOptions;
  /** By worker: settles when the pipe of its newest process has ended. */
  readonly #ends = new Map<number, Promise<void>>();

  constructor(options: WorkerPipesOptions) {
    this.#options = options;
  }

  /** A process was forked for that worker. */
  receive(worker: number, pipe: Readable): void {
    const { recorder, stored } = this.#options;
    const ended = recorder.receive(pipe, {
      stored: (bytes) => stored(worker, bytes),
      dropped: (flows, bodies) => {
        this.dropped.flows += flows;
        this.dropped.bodies += bodies;
      },
    });
    this.#ends.set(worker, ended);
  }

  /** Resolves when all that a process which is gone has written is with the recorder. */
  async ended(worker: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(endsWithinMs, resolve, true);
    await Promise.race([this.#ends.get(worker), late]);
    timer.cancel();
  }

  async allEnded(): Promise<void> {
    await Promise.all([...this.#ends.keys()].map((worker) => this.ended(worker)));
  }
}
