import type { CallRules } from '../call-rules.ts';
import type { FlatFields } from '../http1/fields.ts';
import { hold } from '../ports.ts';
import type { LeasedConnection, NetworkFailure } from '../ports.ts';
import type { Http2ResponseHead } from './ports.ts';
import type { UpstreamCall, UpstreamCallOwner } from './upstream-call.ts';

/**
 * As `StatusGate` of HTTP/1: stands between a call and its owner while rules wait for the status of the response, and
 * keeps back what the call tells until they have answered. There is none where no rule asks.
 */
export class Http2StatusGate implements UpstreamCallOwner {
  /** The call that it stands before; set as soon as there is one. */
  call: UpstreamCall | null = null;
  /** What is told while the rules are asked; null: nothing is kept back. */
  #kept: (() => void)[] | null = null;
  readonly #owner: UpstreamCallOwner;
  readonly #rules: CallRules;

  constructor(owner: UpstreamCallOwner, rules: CallRules) {
    this.#owner = owner;
    this.#rules = rules;
  }

  interim(status: number, fields: FlatFields): void {
    this.#pass(() => this.#owner.interim(status, fields));
  }
  responseHead(head: Http2ResponseHead, reason: string, bodyBytes: number | null): void {
    this.#ask(head.status, () => this.#owner.responseHead(head, reason, bodyBytes));
  }
  responseData(bytes: Buffer): void {
    this.#pass(() => this.#owner.responseData(bytes));
  }
  responseEnd(trailers: FlatFields | null): void {
    this.#pass(() => this.#owner.responseEnd(trailers));
  }
  callReset(code: number, failure: NetworkFailure): void {
    this.#pass(() => this.#owner.callReset(code, failure));
  }
  callFailed(failure: NetworkFailure): void {
    this.#pass(() => this.#owner.callFailed(failure));
  }
  callTunnelled(head: Http2ResponseHead, connection: LeasedConnection, rest: Buffer | null): void {
    // Nobody reads from it until the rules have answered.
    connection.transport.pause(hold.undecided);
    this.#ask(head.status, () => this.#owner.callTunnelled(head, connection, rest));
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
    if (this.#kept === null) tell();
    else this.#kept.push(tell);
  }
}
