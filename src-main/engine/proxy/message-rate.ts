/** Messages inside flows that one worker keeps in a row, whatever their rate: as many as one flow may have. */
export const messageBurstLimit = 10_000;
/** And then each second: storing more would cost tunnels and streams more than passing them. Of errors as many besides. */
export const messagesPerSecondLimit = 2_000;

/** How many messages of all flows of a worker are kept; those beyond are counted by their flows. */
export class MessageRate {
  #left = messageBurstLimit;
  #errorsLeft = messageBurstLimit;
  #since = 0;

  /** Whether one more would be kept. @param at Unix ms. */
  allows(at: number): boolean {
    if (this.#left < 1) this.#refill(at);
    return this.#left >= 1;
  }

  /** Whether this one is kept. */
  take(at: number, isError: boolean): boolean {
    // Time in which nothing was used up gives nothing.
    if (this.#left === messageBurstLimit) this.#since = at;
    if (this.allows(at)) {
      this.#left -= 1;
      return true;
    }
    if (!isError || this.#errorsLeft < 1) return false;
    this.#errorsLeft -= 1;
    return true;
  }

  /** Only when it is used up: until then nobody has to look at the time. */
  #refill(at: number): void {
    const more = ((at - this.#since) * messagesPerSecondLimit) / 1000;
    // In steps of a few, so that what is kept are runs of messages and not one here and one there.
    if (more < 100) return;
    this.#since = at;
    this.#left = Math.min(messageBurstLimit, this.#left + more);
    this.#errorsLeft = Math.min(messageBurstLimit, this.#errorsLeft + more);
  }
}
