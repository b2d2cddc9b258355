import type { ToPrimary } from '../cluster/messages.ts';

type Gauge = Extract<ToPrimary, { type: 'gauge' }>;

/** What the rules of all workers hold, and what happened at the bound since the agent started; fed from their gauges. */
export class HoldFigures {
  #leftMessages = 0;
  #pausedReads = 0;
  readonly #heldBytes = new Map<number, number>();

  add(worker: number, { rules }: Pick<Gauge, 'rules'>): void {
    this.#heldBytes.set(worker, rules.heldBytes);
    this.#leftMessages += rules.leftMessages;
    this.#pausedReads += rules.pausedReads;
  }

  /** What a lost worker held is gone. */
  workerLost(worker: number): void {
    this.#heldBytes.delete(worker);
  }

  status(): { heldBytes: number; leftMessages: number; pausedReads: number } {
    const heldBytes = [...this.#heldBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
    return { heldBytes, leftMessages: this.#leftMessages, pausedReads: this.#pausedReads };
  }
}
