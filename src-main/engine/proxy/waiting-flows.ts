export interface WaitingFlowsLimits {
  readonly maxFlows: number;
  /** Of the bodies that they hold. */
  readonly maxBodyBytes: number;
}

export const defaultWaitingFlowsLimits: WaitingFlowsLimits = {
  maxFlows: 1000,
  maxBodyBytes: 8 * 1024 ** 2,
};

/**
 * How many flows may be over and wait for the name of their caller or callee. Looking up takes turns of the event loop, and
 * so seconds where calls come in thousands; those that find no room are handed over under the name that is known: an address.
 */
export class WaitingFlows {
  readonly #limits: WaitingFlowsLimits;
  #flows = 0;
  #bodyBytes = 0;

  constructor(limits: WaitingFlowsLimits = defaultWaitingFlowsLimits) {
    this.#limits = limits;
  }

  /** False, and nothing is taken, where there is no room. */
  take(bodyBytes: number): boolean {
    const { maxFlows, maxBodyBytes } = this.#limits;
    if (this.#flows >= maxFlows || this.#bodyBytes + bodyBytes > maxBodyBytes) return false;
    this.#flows += 1;
    this.#bodyBytes += bodyBytes;
    return true;
  }

  give(bodyBytes: number): void {
    this.#flows -= 1;
    this.#bodyBytes -= bodyBytes;
  }
}
