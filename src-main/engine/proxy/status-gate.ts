import type { CallRules } from './call-rules.ts';
import type { CallOwner, Http1Call } from './http1-call.ts';
import type { ResponseHead } from './http1/head.ts';
import { hold } from './ports.ts';
import type { LeasedConnection, NetworkFailure } from './ports.ts';

/**
 * Stands between a call and its owner while rules wait for the status of the response: asks them when the head comes, and
 * keeps back what the call tells until they have answered. There is none where no rule asks.
 */
export class StatusGate implements CallOwner {
  /** The call that it stands before; set as soon as there is one. */
  call: Http1Call | null = null;
  /** What is told while the rules are asked; null: nothing is kept back. */
  #kept: (() => void)[] | null = null;
  #closed = false;
  readonly #owner: CallOwner;
  readonly #rules: CallRules;

  constructor(owner: CallOwner, rules: CallRules) {
    this.#owner = owner;
    this.#rules = rules;
  }

  /** The response is not wanted any more: nothing of it is told. */
  close(): void {
    this.#closed = true;
    this.#kept = null;
  }

  responseHead(head: ResponseHead): void {
    if (this.#closed) return;
    const tell = (): void => this.#owner.responseHead(head);
    if (this.#kept !== null) this.#kept.push(tell);
    else if (head.interim) tell();
    else this.#ask(head.status, tell);
  }

  responseData(data: Buffer): void {
    this.#pass(() => this.#owner.responseData(data));
  }
  responseBody(wire: Buffer): void {
    this.#pass(() => this.#owner.responseBody(wire));
  }
  responseTrailers(fields: string[]): void {
    this.#pass(() => this.#owner.responseTrailers(fields));
  }
  responseComplete(): void {
    this.#pass(() => this.#owner.responseComplete());
  }
  responseFlush(): void {
    this.#pass(() => this.#owner.responseFlush());
  }
  callFailed(failure: NetworkFailure): void {
    this.#pass(() => this.#owner.callFailed(failure));
  }
  callUpgraded(connection: LeasedConnection, rest: Buffer | null): void {
    this.#pass(() => this.#owner.callUpgraded(connection, rest));
  }

  #ask(status: number, tell: () => void): void {
    this.#kept = [tell];
    if (!this.#rules.respond(status, () => this.#letGo())) this.call?.pause(hold.undecided);
  }

  #letGo(): void {
    this.call?.resume(hold.undecided);
    // What is told may go on telling: it comes behind.
    for (let next = this.#kept?.shift(); next !== undefined; next = this.#kept?.shift()) next();
    this.#kept = null;
  }

  #pass(tell: () => void): void {
    if (this.#closed) return;
    if (this.#kept === null) tell();
    else this.#kept.push(tell);
  }
}
