import { clientClosed } from './client-closed.ts';
import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import { Http1Exchange } from './http1-exchange.ts';
import type { ExchangeHost, SwitchedProtocol } from './exchange-host.ts';
import type { RequestHead } from './http1/head.ts';
import type { Http1Error } from './http1/http1-error.ts';
import { RequestParser } from './http1/parser.ts';
import type { Http1Sink } from './http1/parser.ts';
import { failureResponse, responseBytes } from './local-response.ts';
import { finishFlow, newFlow } from './new-flow.ts';
import { hold } from './ports.ts';
import type { Awaited, Destination, NetworkFailure, Transport, TransportOwner } from './ports.ts';

/** Who opened the connection: does what a session cannot do by itself. */
export interface SessionHost {
  /** CONNECT: answers it and finds out what is inside; `rest` is what came behind it. Null: not allowed here. */
  readonly connect: ((head: RequestHead, rest: Buffer | null) => void) | null;
  /** Proxy credentials name the caller; null for none. Called before each request's flow begins when they changed. */
  proxyUser(authorization: string | null): void;
  /** The connection speaks something else from now on; `ahead` is what the client has sent of it already. */
  upgraded(switched: SwitchedProtocol, ahead: Buffer | null): void;
}

/**
 * The client's side of a connection that speaks HTTP/1: one request after the other. What is pipelined waits until the
 * answer before it has left.
 */
export class Http1Session implements TransportOwner, ExchangeHost, Http1Sink<RequestHead> {
  readonly client: Transport;
  readonly facts: ClientFacts;
  #exchange: Http1Exchange | null = null;
  /** Bytes behind the request that is being answered. */
  #ahead: Buffer | null = null;
  #inputEnded = false;
  /** No further request is read: handed over, refused or closing. */
  #closing = false;
  /** The request at hand is the last one. */
  isDraining = false;
  /** Counts the heads that were read: tells the wait for one request from the wait for the next. */
  turn = 0;
  #connecting: RequestHead | null = null;
  #feeding = false;
  readonly #parser: RequestParser;
  readonly #environment: ProxyEnvironment;
  readonly #host: SessionHost;

  constructor(environment: ProxyEnvironment, facts: ClientFacts, client: Transport, host: SessionHost) {
    this.#environment = environment;
    this.facts = facts;
    this.client = client;
    this.#host = host;
    this.#parser = new RequestParser(this, environment.http1Limits);
  }

  /** Whether the connection waits for a request, so that it can be ended without cutting anything off. */
  get isIdle(): boolean {
    return this.#exchange === null && this.#ahead === null && this.#parser.isIdle;
  }

  /**
   * What the client is to do next; null while it waits for its answer: then it is not the client's turn.
   */
  get awaited(): Awaited {
    if (this.#closing && this.#exchange === null) return null;
    if (this.client.isFull) return 'reading';
    if (this.#exchange === null) return this.isIdle ? 'request' : 'head';
    // A client that is being answered may wait for that before it says more.
    return this.#parser.isComplete || this.#exchange.isAnswering ? null : 'body';
  }

  /** What was awaited did not come in time. Between requests there is nothing to answer (RFC 9112, section 9.5). */
  timedOut(failure: NetworkFailure): void {
    if (this.#exchange !== null) return this.#giveUp(this.#exchange, failure);
    if (this.#closing) return;
    if (this.isIdle) return this.#close();
    this.#refuse(408, failure, this.#parser.partialHead);
  }

  /** The client stalls in the middle of a call: it is told so, unless it is being answered. */
  #giveUp(exchange: Http1Exchange, failure: NetworkFailure): void {
    const isAnswering = exchange.isAnswering;
    exchange.clientGone(failure);
    if (!isAnswering) this.client.write(responseBytes(failureResponse(408, failure), 'close', true));
    this.exchangeBroken('close');
  }

  /** Lets the call at hand end and takes no other. */
  drain(): void {
    this.isDraining = true;
    if (this.isIdle) this.#close();
  }

  /** Spike stops: the call at hand is over, for that reason. Whoever calls this ends the connection. */
  stop(failure: NetworkFailure): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#closing = true;
    exchange?.stop(failure);
  }

  // --- TransportOwner: what the client does

  received(bytes: Buffer): void {
    if (this.#closing && this.#exchange === null) return;
    if (this.#ahead !== null || this.#mustWait()) return this.#keepForLater(bytes);
    this.#feed(bytes);
  }

  ended(): void {
    this.#inputEnded = true;
    if (this.#ahead === null && !this.#closing) this.#inputOver();
  }

  closed(error: NodeJS.ErrnoException | null): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#closing = true;
    exchange?.clientGone(clientClosed('before it was answered', error?.code));
  }

  drained(): void {
    if (this.#exchange !== null) this.#exchange.clientDrained();
    else if (!this.#closing) this.#next();
  }

  // --- the parser's findings

  onHead(head: RequestHead): void {
    this.turn += 1;
    this.#nameCaller(head);
    if (head.method === 'CONNECT') return this.#connectHead(head);
    const destination = this.#destinationOf(head);
    if (destination === null) return this.#refuseTarget(head);
    const exchange = new Http1Exchange(
      this.#environment,
      this,
      head,
      destination,
      this.#environment.clock.now(),
    );
    this.#exchange = exchange;
    exchange.begin();
  }

  onData(data: Buffer): void {
    this.#exchange?.requestData(data);
  }

  onBody(wire: Buffer): void {
    this.#exchange?.requestBody(wire);
  }

  onTrailers(): void {
    // They travel with the wire bytes, and are shown from there.
  }

  onComplete(): void {
    this.#exchange?.requestComplete();
  }

  onError(error: Http1Error): void {
    const failure: NetworkFailure = {
      cause:
        error.status === 414 || error.status === 431 ? 'client-limit-exceeded' : 'client-malformed-request',
      code: error.code,
      message: error.message,
    };
    // A request whose head was refused is not refused again for its body.
    if (this.#closing && this.#exchange === null) return;
    if (this.#exchange === null) return this.#refuse(error.status, failure, error.rawHead);
    // Its head was fine and is on its way already: the upstream's connection is given up with it.
    this.#exchange.requestMalformed(failure, error);
    this.exchangeBroken('close');
  }

  // --- ExchangeHost

  exchangeOver(keepAlive: boolean): void {
    this.#exchange = null;
    if (!keepAlive || this.#closing || this.isDraining) return this.#close();
    this.#parser.reset();
    this.client.resume(hold.exchange);
    if (!this.#feeding) this.#next();
  }

  exchangeBroken(how: 'close' | 'reset'): void {
    this.#exchange = null;
    this.#closing = true;
    this.#ahead = null;
    if (how === 'reset') this.client.reset();
    else this.client.close();
  }

  exchangeUpgraded(switched: SwitchedProtocol): void {
    this.#exchange = null;
    this.#closing = true;
    // What the client sent behind its request belongs to the new protocol.
    const ahead = this.#ahead;
    this.#ahead = null;
    this.#host.upgraded(switched, ahead);
  }

  // --- reading

  /** A client that does not take its answers is not asked for further requests: they would pile up. */
  #mustWait(): boolean {
    return this.#exchange === null ? this.client.isFull : this.#parser.isComplete;
  }

  #keepForLater(bytes: Buffer): void {
    this.#ahead = this.#ahead === null ? bytes : Buffer.concat([this.#ahead, bytes]);
    this.client.pause(hold.turn);
  }

  /** The turn of what came ahead; then more is read. */
  #next(): void {
    const ahead = this.#ahead;
    if (ahead !== null) {
      if (this.#mustWait()) return;
      this.#ahead = null;
      this.#feed(ahead);
    }
    if (this.#ahead !== null || this.#closing) return;
    this.client.resume(hold.turn);
    if (this.#inputEnded) this.#inputOver();
  }

  /** The client has said all that it will, and all of it has been read. */
  #inputOver(): void {
    const exchange = this.#exchange;
    if (exchange === null) return this.#close();
    if (!this.#parser.isComplete) {
      exchange.clientGone(clientClosed('in the middle of its request'));
      return this.exchangeBroken('close');
    }
    // A half-closed client may still read its answer: its upstream is told, and knows what to make of it. Of one whose call is
    // held on purpose the upstream would learn too late; it has most likely given up.
    if (!exchange.isHeld) return exchange.clientEnded();
    exchange.clientGone(clientClosed('before it was answered'));
    this.exchangeBroken('close');
  }

  #feed(bytes: Buffer): void {
    let at = 0;
    this.#feeding = true;
    while (at < bytes.length && !this.#closing && !this.#mustWait()) {
      if (this.#parser.isComplete) this.#parser.reset();
      at = this.#parser.feed(bytes, at);
      this.#exchange?.requestFlush();
      if (this.#connecting !== null) break;
    }
    this.#feeding = false;
    const rest = at < bytes.length ? bytes.subarray(at) : null;
    if (this.#connecting !== null) return this.#handOver(this.#connecting, rest);
    if (this.#exchange === null && this.#parser.isComplete) this.#parser.reset();
    if (rest !== null && !this.#closing) this.#keepForLater(rest);
  }

  // --- where requests go

  #connectHead(head: RequestHead): void {
    if (this.#host.connect === null) {
      return this.#refuse(
        400,
        {
          cause: 'client-malformed-request',
          code: 'connect-not-here',
          message: 'CONNECT is only for the proxy port.',
        },
        head.text,
      );
    }
    this.#connecting = head;
  }

  #handOver(head: RequestHead, rest: Buffer | null): void {
    this.#closing = true;
    this.#host.connect?.(head, rest);
  }

  #destinationOf(head: RequestHead): Destination | null {
    const target = head.destination;
    if (target.form === 'absolute') {
      const scheme = target.scheme;
      if (scheme !== 'http' && scheme !== 'https') return null;
      return this.#environment.destination(
        scheme,
        target.host,
        target.port ?? (scheme === 'https' ? 443 : 80),
      );
    }
    return this.facts.destination;
  }

  #nameCaller(head: RequestHead): void {
    // Credentials are for the proxy port; inside CONNECT those that came with it stay.
    if (this.#host.connect === null) return;
    // Only a head with hop-by-hop fields can have credentials for a proxy: most have none, and are not looked through.
    this.#host.proxyUser(head.marks === null ? null : proxyAuthorization(head));
  }

  // --- refusing

  #refuseTarget(head: RequestHead): void {
    this.#refuse(
      400,
      {
        cause: 'client-malformed-request',
        code: 'no-destination',
        message:
          head.destination.form === 'absolute'
            ? `Spike forwards http and https, not ${head.destination.scheme}.`
            : 'This is a proxy: ask it for a whole URL (curl -x), or use a route, which has a port of its own.',
      },
      head.text,
    );
  }

  /** Answers a request that goes nowhere, shows it as a refused flow, and ends the connection. */
  #refuse(status: number, failure: NetworkFailure, rawHead: string): void {
    this.#closing = true;
    const { facts } = this;
    const now = this.#environment.clock.now();
    const flow = newFlow('refused', this.#environment, facts, facts.destination, now);
    const answer = failureResponse(status, failure);
    flow.rawHead = rawHead;
    flow.requestHeadBytes = rawHead.length;
    flow.status = status;
    finishFlow(this.#environment, flow, facts, facts.destination, failure);
    this.client.write(responseBytes(answer, 'close', true));
    this.#close();
  }

  // --- ending

  /** What still comes is thrown away by the transport, so that a RST does not overtake the answer. */
  #close(): void {
    this.#closing = true;
    this.#ahead = null;
    this.client.close();
  }
}

/** The value of Proxy-Authorization, without making a list of all fields; null when absent. */
function proxyAuthorization(head: RequestHead): string | null {
  return /\r\nproxy-authorization:[ \t]*([^\r]*)/i.exec(head.text)?.[1] ?? null;
}
