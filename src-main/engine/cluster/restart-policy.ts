export interface RestartSettings {
  /** A worker that dies this often … */
  readonly stormDeaths: number;
  /** … within this time is not replaced at once any more. */
  readonly stormWindowMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** A worker that lives this long ends the storm. */
  readonly quietMs: number;
}

export const restartSettings: RestartSettings = {
  stormDeaths: 3,
  stormWindowMs: 10_000,
  firstDelayMs: 250,
  longestDelayMs: 30_000,
  quietMs: 60_000,
};

/**
 * How long to wait before a dead worker is replaced: not at all, as long as deaths are rare; doubling from the third
 * in ten seconds on, so that a worker that cannot live costs the machine little. Pure: times come in.
 */
export class RestartPolicy {
  readonly #settings: RestartSettings;
  #deathsMs: number[] = [];
  #delayMs = 0;

  constructor(settings: RestartSettings = restartSettings) {
    this.#settings = settings;
  }

  /** Notes a death after `livedMs` of life; returns the delay before the replacement. */
  died(nowMs: number, livedMs: number): number {
    const { stormDeaths, stormWindowMs, firstDelayMs, longestDelayMs, quietMs } = this.#settings;
    if (livedMs >= quietMs) this.#delayMs = 0;
    this.#deathsMs = [...this.#deathsMs.filter((at) => at > nowMs - stormWindowMs), nowMs];
    // Once backing off, deaths come further apart than the window: only a quiet life ends it.
    if (this.#delayMs > 0) this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
    else if (this.#deathsMs.length >= stormDeaths) this.#delayMs = firstDelayMs;
    return this.#delayMs;
  }
}
