import type { ClientFacts, ProxyEnvironment } from '../environment.ts';
import { goawayByRule } from '../cut-by-rule.ts';
import { failureResponse } from '../local-response.ts';
import { finishFlow, newFlow } from '../new-flow.ts';
import type { Awaited, Destination, NetworkFailure } from '../ports.ts';
import { getField, splitFields } from '../http1/fields.ts';
import { parseAuthority } from '../http1/target.ts';
import { http2Code } from './error-codes.ts';
import { fieldsText } from './head-text.ts';
import { Http2Exchange } from './http2-exchange.ts';
import type { Http2ExchangeHost } from './http2-exchange.ts';
import type { Http2ClientStream, Http2RequestHead } from './ports.ts';

/** The connection of a session, as the session commands it. */
export interface Http2ClientConnection {
  /** Takes no further stream (GOAWAY), and ends with the last one. */
  drain(): void;
  /** Ends every stream at once. */
  destroy(): void;
  /** The same, and says why (GOAWAY). */
  goaway(code: number): void;
}

export interface HeadLimits {
  readonly maxHeadBytes: number;
  readonly maxFields: number;
}

/** How node:http2 calls a GOAWAY with a code: it was the client that gave up. */
const peerGaveUp = 'ERR_HTTP2_SESSION_ERROR';
/** What RFC 9113, section 6.5.2, adds for each field when it measures a head. */
const fieldOverheadBytes = 32;

/** The client's side of a connection that speaks HTTP/2: each stream is an exchange of its own. */
export class Http2Session implements Http2ExchangeHost {
  readonly facts: ClientFacts;
  connection: Http2ClientConnection | null = null;
  /** Counts the streams: tells one wait for a stream from the next. */
  turn = 0;
  /** It was to end for saying nothing, and has not. */
  #isIdleOver = false;
  readonly #exchanges = new Set<Http2Exchange>();
  readonly #environment: ProxyEnvironment;
  readonly #limits: HeadLimits;

  constructor(environment: ProxyEnvironment, facts: ClientFacts, limits: HeadLimits) {
    this.#environment = environment;
    this.facts = facts;
    this.#limits = limits;
  }

  /** What is awaited of a connection is no more than a stream; what is awaited of those they say themselves. */
  get awaited(): Awaited {
    return this.#exchanges.size === 0 ? 'request' : null;
  }

  get streams(): Iterable<Http2Exchange> {
    return this.#exchanges;
  }

  /** No stream was opened for too long. */
  timedOut(): void {
    // Calls that are over may have left something that the client does not take: that is not waited for twice.
    if (this.#isIdleOver) this.connection?.destroy();
    else this.connection?.drain();
    this.#isIdleOver = true;
  }

  drain(): void {
    this.connection?.drain();
  }

  /** Spike stops: the calls at hand are over, for that reason. Whoever calls this ends the connection. */
  stop(failure: NetworkFailure): void {
    for (const exchange of [...this.#exchanges]) exchange.stop(failure);
    this.connection?.destroy();
  }

  goaway(code: number): void {
    if (code === http2Code.noError) return this.drain();
    const failure = goawayByRule(code);
    for (const exchange of [...this.#exchanges]) exchange.stop(failure);
    this.connection?.goaway(code);
  }

  /** The connection is gone: streams have told so themselves. What broke the rules of HTTP/2 itself is shown. */
  closed(error: NodeJS.ErrnoException | null): void {
    this.connection = null;
    const code = error?.code ?? '';
    if (error === null || !code.startsWith('ERR_HTTP2_') || code === peerGaveUp) return;
    const { facts } = this;
    const flow = newFlow(
      'refused',
      this.#environment,
      facts,
      facts.destination,
      this.#environment.clock.now(),
    );
    flow.httpVersion = '2';
    const message = `The client's HTTP/2 connection was ended after ${this.turn} streams: ${error.message}.`;
    const failure: NetworkFailure = { cause: 'client-malformed-request', code, message };
    finishFlow(this.#environment, flow, facts, facts.destination, failure);
  }

  opened(stream: Http2ClientStream, head: Http2RequestHead): void {
    this.turn += 1;
    const refusal = this.#refusalOf(head);
    if (refusal !== null) return this.#refuse(stream, head, refusal.status, refusal.failure);
    const named = withAuthority(head);
    const destination = this.facts.destination ?? this.#destinationOf(named);
    if (destination === null) return this.#refuse(stream, head, 400, noDestination);
    const exchange = new Http2Exchange(this.#environment, this, stream, named, destination);
    this.#exchanges.add(exchange);
    stream.owner = exchange;
    exchange.begin();
  }

  exchangeOver(exchange: Http2Exchange): void {
    this.#exchanges.delete(exchange);
  }

  #refusalOf(head: Http2RequestHead): { status: number; failure: NetworkFailure } | null {
    const { maxFields, maxHeadBytes } = this.#limits;
    if (head.fields.length > maxFields * 2 || headBytes(head) > maxHeadBytes) {
      const message = `The request has a head beyond the limit of ${maxHeadBytes} bytes or ${maxFields} fields.`;
      return { status: 431, failure: { cause: 'client-limit-exceeded', code: 'head-too-large', message } };
    }
    if (head.method !== 'CONNECT' || head.protocol === 'websocket') return null;
    const message =
      head.protocol === null
        ? 'CONNECT is only for the proxy port, in HTTP/1.1.'
        : `Only WebSocket passes in a stream (RFC 8441), not ${head.protocol}.`;
    return { status: 501, failure: { cause: 'client-malformed-request', code: 'connect-not-here', message } };
  }

  #destinationOf({ scheme, authority }: Http2RequestHead): Destination | null {
    const place = parseAuthority(authority);
    if (place === null || (scheme !== 'http' && scheme !== 'https')) return null;
    return this.#environment.destination(scheme, place.host, place.port ?? (scheme === 'https' ? 443 : 80));
  }

  /** Answers a request that goes nowhere, and shows it as a refused flow. */
  #refuse(stream: Http2ClientStream, head: Http2RequestHead, status: number, failure: NetworkFailure): void {
    const { facts } = this;
    const flow = newFlow(
      'refused',
      this.#environment,
      facts,
      facts.destination,
      this.#environment.clock.now(),
    );
    const rawHead = `${head.method} ${head.path || head.authority} HTTP/2\r\n${fieldsText(head.fields)}\r\n`;
    flow.rawHead = rawHead.slice(0, this.#limits.maxHeadBytes);
    flow.httpVersion = '2';
    flow.requestHeadBytes = rawHead.length;
    flow.status = status;
    finishFlow(this.#environment, flow, facts, facts.destination, failure);
    const answer = failureResponse(status, failure);
    stream.respond({
      status,
      fields: splitFields(`${answer.fieldsText}\r\n`, 0),
      neverIndexed: [],
      ended: head.method === 'HEAD',
    });
    if (head.method !== 'HEAD') stream.write(answer.body);
    stream.close();
  }
}

const noDestination: NetworkFailure = {
  cause: 'client-malformed-request',
  code: 'no-destination',
  message:
    'The request names no host to forward it to: it has no valid :authority, or a scheme other than http and https.',
};

/** A request that says where it goes in Host alone (RFC 9113, section 8.3.1). */
function withAuthority(head: Http2RequestHead): Http2RequestHead {
  if (head.authority !== '') return head;
  const { fields } = head;
  const kept = fields.filter((_, i) => fields[i & ~1] !== 'host');
  return { ...head, authority: getField(fields, 'host') ?? '', fields: kept };
}

function headBytes({ method, path, authority, fields }: Http2RequestHead): number {
  let sum = method.length + path.length + authority.length + fields.length * (fieldOverheadBytes / 2);
  for (const text of fields) sum += text.length;
  return sum;
}
