import type { Clock } from '../clock.ts';

/** What was held back in this turn of the event loop, and is sent at its end: one callback for all of it. */
export class FlushQueue {
  readonly clock: Clock;
  #waiting: { flush(): void }[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(one: { flush(): void }): void {
    if (this.#waiting.push(one) === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one.flush();
  };
}
