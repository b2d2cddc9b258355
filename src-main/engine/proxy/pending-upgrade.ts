import { hold } from './ports.ts';
import type { LeasedConnection, NetworkFailure, TransportOwner } from './ports.ts';

/**
 * An upstream that has switched protocols while its 101 has not reached the client yet, because a rule holds it. What the
 * upstream says meanwhile is kept; it is not read any further.
 */
export class PendingUpgrade implements TransportOwner {
  #rest: Buffer | null;
  #ended = false;
  readonly #connection: LeasedConnection;
  readonly #lost: (failure: NetworkFailure) => void;

  /** @param lost Called once if the upstream breaks off before `take`. */
  constructor(connection: LeasedConnection, rest: Buffer | null, lost: (failure: NetworkFailure) => void) {
    this.#connection = connection;
    this.#rest = rest;
    this.#lost = lost;
    connection.owner = this;
    connection.transport.pause(hold.link);
  }

  /** Hands the connection over with what was kept; its new owner resumes it. */
  take(): { connection: LeasedConnection; rest: Buffer | null; restEnded: boolean } {
    this.#connection.owner = null;
    return { connection: this.#connection, rest: this.#rest, restEnded: this.#ended };
  }

  abandon(): void {
    this.#connection.release(false);
  }

  received(bytes: Buffer): void {
    this.#rest = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]);
  }

  ended(): void {
    this.#ended = true;
  }

  closed(error: NodeJS.ErrnoException | null): void {
    const code = error?.code ?? 'SPIKE_CLOSED';
    const message = `${this.#connection.address} broke the connection off right after it switched protocols (${code}).`;
    this.#lost({ cause: error === null ? 'upstream-closed-early' : 'upstream-reset', code, message });
  }

  drained(): void {
    // Nothing is written to it while it waits.
  }
}
