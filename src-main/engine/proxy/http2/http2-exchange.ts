import type { FlowRecord } from '../../capture/flow-record.ts';
import type { Cut } from '../../rules/faults/stage.ts';
import { CallRules } from '../call-rules.ts';
import { cutByRule } from '../cut-by-rule.ts';
import type { ClientFacts, ProxyEnvironment } from '../environment.ts';
import { ExchangeRecord } from '../exchange-record.ts';
import { forbidden, requestOptions, wayOf } from '../forwarding.ts';
import { getField, splitFields } from '../http1/fields.ts';
import type { FlatFields } from '../http1/fields.ts';
import { hostTarget } from '../http1/target.ts';
import { faultResponse, failureResponse, statusOfFailure } from '../local-response.ts';
import type { LocalResponse } from '../local-response.ts';
import type { OpenFlow } from '../open-flows.ts';
import { hold } from '../ports.ts';
import type { Destination, LeasedConnection, NetworkFailure, TransportOwner } from '../ports.ts';
import { Tunnel } from '../tunnel.ts';
import { http2Code } from './error-codes.ts';
import { fieldsText } from './head-text.ts';
import { LinkedMessage } from './linked-message.ts';
import type { Http2ClientStream, Http2RequestHead, Http2ResponseHead, Http2StreamError } from './ports.ts';
import { UpstreamCall } from './upstream-call.ts';
import type { UpstreamCallOwner } from './upstream-call.ts';

/** The session that an exchange belongs to. */
export interface Http2ExchangeHost {
  readonly facts: ClientFacts;
  /** The stream is over, or has become a tunnel that ends by itself. */
  exchangeOver(exchange: Http2Exchange): void;
}

/**
 * One request and its response on a stream of HTTP/2, whatever its upstream speaks:
 *
 *     client ─► request link? ─► UpstreamCall ─► HTTP/2 | HTTP/1.1
 *     client ◄─ response link? ◄─┘
 *
 * As `Http1Exchange`, but heads are lists of fields, bodies have no framing, and what breaks is the stream alone.
 */
export class Http2Exchange implements UpstreamCallOwner, OpenFlow, TransportOwner {
  readonly #environment: ProxyEnvironment;
  readonly #host: Http2ExchangeHost;
  readonly #client: Http2ClientStream;
  readonly #head: Http2RequestHead;
  readonly #destination: Destination;
  readonly #record: ExchangeRecord;
  readonly #rules: CallRules;
  #call: UpstreamCall | null = null;
  #requestLink: LinkedMessage | null = null;
  #responseLink: LinkedMessage | null = null;
  /** What came of the body before it was known what is to be done with it. */
  #early: Buffer[] | null = null;
  #requestComplete = false;
  #answering: Http2ResponseHead | null = null;
  #responseTrailers: FlatFields | null = null;
  #over = false;

  constructor(
    environment: ProxyEnvironment,
    host: Http2ExchangeHost,
    client: Http2ClientStream,
    head: Http2RequestHead,
    destination: Destination,
  ) {
    const now = environment.clock.now();
    this.#environment = environment;
    this.#host = host;
    this.#client = client;
    this.#head = head;
    this.#destination = destination;
    const { method, path } = head;
    const text = fieldsText(head.fields);
    const headBytes = requestLine(head).length + text.length + 2;
    this.#record = new ExchangeRecord(
      environment,
      host.facts,
      destination,
      { method, path, httpVersion: '2', fieldsText: text, headBytes },
      now,
    );
    this.#rules = new CallRules(environment, host.facts, destination, now);
    this.#requestComplete = head.ended;
  }

  get isNamed(): boolean {
    return this.#host.facts.caller.ready === null && this.#destination.callee.ready === null;
  }

  get startedAtMs(): number {
    return this.#record.flow.startedAtMs;
  }

  /** Decides what is done with the request, and begins. */
  begin(): void {
    this.#environment.openFlows.add(this);
    if (this.#environment.rules.compiled.needs === 0) return this.#send();
    const { method, path, fields, protocol } = this.#head;
    const head = { method, fields, upgrade: protocol, destination: { path } };
    const waits = this.#head.ended ? null : (): void => this.#wait();
    if (!this.#rules.decide(head, () => this.#go(), waits)) this.#wait();
  }

  // --- TransportOwner: what the client does

  received(bytes: Buffer): void {
    if (this.#over) return;
    this.#record.requestData(bytes);
    // Kept first: the body may be what was waited for.
    this.#requestData(bytes);
    if (this.#rules.awaitsBody) this.#rules.bodyData(bytes);
  }

  ended(): void {
    if (this.#over || this.#requestComplete) return;
    this.#requestComplete = true;
    if (this.#early === null) this.#requestEnd();
    else this.#rules.bodyComplete();
  }

  closed(error: NodeJS.ErrnoException | null): void {
    if (this.#over) return;
    const code = (error as Http2StreamError | null)?.http2Code ?? null;
    this.#call?.cancel(code ?? http2Code.cancel);
    const failure = clientClosed(error);
    this.#finish(
      this.#rules.isHanging
        ? { ...failure, cause: 'fault-hang', message: 'The client gave up while a rule held the call.' }
        : failure,
    );
  }

  drained(): void {
    this.#call?.resume(hold.full);
  }

  /** Spike stops: the call is over, whatever it waited for. */
  stop(failure: NetworkFailure): void {
    if (this.#over) return;
    this.#call?.cancel(http2Code.cancel);
    this.#finish(failure);
  }

  // --- the request

  #requestData(bytes: Buffer): void {
    if (this.#early !== null) this.#early.push(bytes);
    else if (this.#requestLink !== null) this.#requestLink.push(bytes);
    else this.#call?.send(bytes);
  }

  #requestEnd(): void {
    if (this.#requestLink !== null) this.#requestLink.end();
    else this.#call?.end(this.#client.trailers);
  }

  /** Keeps what comes of the body until it is known what to do with the request. */
  #wait(): void {
    this.#early ??= [];
    if (!this.#rules.awaitsBody) return this.#client.pause(hold.undecided);
    this.#client.resume(hold.undecided);
    // Who waits to be told to send the body (RFC 9110, section 10.1.1) would wait for us.
    if (getField(this.#head.fields, 'expect') !== null) this.#client.inform(100, []);
  }

  /** What to do is known: what came meanwhile follows. */
  #go(): void {
    const early = this.#early;
    this.#early = null;
    this.#send();
    if (early === null || this.#over) return;
    for (const bytes of early) this.#requestData(bytes);
    if (this.#requestComplete) this.#requestEnd();
    this.#client.resume(hold.undecided);
  }

  #send(): void {
    const { plan } = this.#rules;
    if (plan !== null) {
      const cut = plan.takeCutAtStart();
      if (cut !== null) return this.#cut(cut);
      const answer = plan.takeAnswer();
      if (answer !== null) return this.#answer(faultResponse(answer));
    }
    const { host, port } = this.#destination;
    if (this.#environment.isForbidden(host, port)) return this.callFailed(forbidden(host, port));
    const text = `${requestLine(this.#head)}${this.#record.flow.requestFields}\r\n`;
    if (plan !== null) {
      this.#requestLink = LinkedMessage.create(
        plan,
        'request',
        text,
        {
          head: () => this.#startCall(),
          data: (bytes) => this.#call?.send(bytes),
          end: () => this.#call?.end(this.#client.trailers),
          cut: (how) => this.#cut(how),
        },
        { pause: () => this.#client.pause(hold.link), resume: () => this.#client.resume(hold.link) },
      );
    }
    if (this.#requestLink === null) this.#startCall();
    else this.#requestLink.begin(text);
    if (this.#head.ended && !this.#over) this.#requestEnd();
  }

  #startCall(): void {
    if (this.#over) return;
    const { authority, path, protocol, method } = this.#head;
    const form = this.#host.facts.destination === null ? 'absolute' : 'origin';
    const asked = {
      destination: { ...hostTarget('origin', authority, path), form } as const,
      hostField: authority === '' ? null : authority,
      upgrade: protocol,
    };
    const destination = wayOf(asked, this.#destination);
    const options = requestOptions(asked, this.#host.facts, destination);
    const head = method === 'OPTIONS' || path !== '' ? this.#head : { ...this.#head, path: '/' };
    this.#call = new UpstreamCall(this.#environment, { destination, head, options }, this, this.#client);
    this.#call.start();
  }

  // --- the response, from the call

  interim(status: number, fields: FlatFields): void {
    if (!this.#over && this.#answering === null) this.#client.inform(status, fields);
  }

  responseHead(head: Http2ResponseHead, reason: string, bodyBytes: number | null): void {
    if (this.#over) return;
    const text = fieldsText(head.fields);
    const line = `HTTP/2 ${head.status} ${reason}\r\n`;
    this.#record.responseHead(head.status, reason, text, line.length + text.length + 2);
    this.#startResponse(head, `${line}${text}\r\n`, bodyBytes);
  }

  responseData(bytes: Buffer): void {
    if (this.#over) return;
    this.#record.responseData(bytes);
    this.#write(bytes);
  }

  responseEnd(trailers: FlatFields | null): void {
    if (this.#over) return;
    this.#responseTrailers = trailers;
    if (trailers !== null) this.#record.responseTrailers(trailers);
    if (this.#responseLink !== null) this.#responseLink.end();
    else this.#delivered();
  }

  callReset(code: number, failure: NetworkFailure): void {
    if (this.#over) return;
    this.#finish(failure);
    this.#client.resetWith(code);
  }

  callFailed(failure: NetworkFailure): void {
    if (this.#over) return;
    this.#record.failed(failure);
    // Half an answer cannot be taken back: the client must see that it broke off.
    if (this.#answering !== null) return this.callReset(http2Code.internalError, failure);
    if (this.#call !== null) this.#record.note(this.#call);
    this.#call = null;
    this.#answer(failureResponse(statusOfFailure(failure), failure));
  }

  callTunnelled(head: Http2ResponseHead, connection: LeasedConnection, rest: Buffer | null): void {
    if (this.#over) return connection.release(false);
    if (this.#call !== null) this.#record.note(this.#call);
    const text = fieldsText(head.fields);
    this.#record.responseHead(head.status, '', text, text.length);
    this.#client.respond(head);
    this.#becomeTunnel(connection, rest);
  }

  snapshot(): FlowRecord {
    return this.#record.snapshot(this.#call, this.#rules.plan);
  }

  // --- answering

  #startResponse(head: Http2ResponseHead, text: string, bodyBytes: number | null): void {
    this.#answering = head;
    const { plan } = this.#rules;
    if (plan !== null && this.#responseLink === null) {
      plan.responseShape = { headBytes: text.length, bodyBytes };
      this.#responseLink = LinkedMessage.create(
        plan,
        'response',
        text,
        {
          // What ends with the head may end later: its end passes the link by itself.
          head: () => this.#client.respond({ ...head, ended: false }),
          data: (bytes) => this.#toClient(bytes),
          end: () => this.#delivered(),
          cut: (how) => this.#cut(how),
        },
        { pause: () => this.#call?.pause(hold.link), resume: () => this.#call?.resume(hold.link) },
      );
    }
    if (this.#responseLink === null) this.#client.respond(head);
    else this.#responseLink.begin(text);
  }

  #write(bytes: Buffer): void {
    if (this.#responseLink !== null) this.#responseLink.push(bytes);
    else this.#toClient(bytes);
  }

  #toClient(bytes: Buffer): void {
    if (!this.#client.write(bytes)) this.#call?.pause(hold.full);
  }

  /** Answers without the upstream: a rule said so, or it could not be reached. */
  #answer(answer: LocalResponse): void {
    const body = this.#head.method === 'HEAD' ? Buffer.alloc(0) : answer.body;
    const fields = splitFields(`${answer.fieldsText}\r\n`, 0).map((text, i) =>
      i % 2 === 0 ? text.toLowerCase() : text,
    );
    const text = `HTTP/2 ${answer.status} ${answer.reason}\r\n${answer.fieldsText}\r\n`;
    this.#record.localAnswer(answer, text.length, body);
    this.#requestLink?.dispose();
    this.#requestLink = null;
    this.#client.resume(hold.exchange);
    const head = { status: answer.status, fields, neverIndexed: [], ended: body.length === 0 };
    this.#startResponse(head, text, body.length);
    if (this.#over) return;
    if (body.length > 0) this.#write(body);
    if (this.#responseLink !== null) this.#responseLink.end();
    else this.#delivered();
  }

  /** The last byte of the answer is with the client's stream. */
  #delivered(): void {
    if (this.#over) return;
    this.#client.endWith(this.#responseTrailers);
    if (!this.#requestComplete) {
      // An answer that came before the request had ended: nobody wants more of it (RFC 9113, section 8.1).
      this.#call?.cancel(http2Code.noError);
      this.#client.resetWith(http2Code.noError);
    }
    this.#finish(null);
  }

  #becomeTunnel(connection: LeasedConnection, rest: Buffer | null): void {
    this.#over = true;
    this.#environment.openFlows.remove(this);
    const { flow } = this.#record;
    const { plan, matched, hit } = this.#rules;
    this.#rules.close(hit);
    if (plan !== null) flow.faults = plan.applied();
    flow.kind = 'websocket';
    const tunnel = new Tunnel({
      environment: this.#environment,
      facts: this.#host.facts,
      destination: this.#destination,
      client: this.#client,
      upstream: connection,
      flow,
      matched,
    });
    this.#client.owner = tunnel.open(hit);
    if (rest !== null) tunnel.passed('response', rest);
    this.#client.resume(hold.all);
    this.#host.exchangeOver(this);
  }

  /** A connection that others share is not ended: what ends is the stream, and its code tells the two apart. */
  #cut(how: Cut): void {
    if (this.#over) return;
    this.#call?.cancel(http2Code.cancel);
    this.#finish(cutByRule[how]);
    this.#client.resetWith(how === 'reset' ? http2Code.internalError : http2Code.cancel);
  }

  #finish(failure: NetworkFailure | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#rules.close();
    this.#environment.openFlows.remove(this);
    this.#record.end(this.#call, this.#rules.plan, failure);
    this.#host.exchangeOver(this);
  }
}

function requestLine({ method, path }: Http2RequestHead): string {
  return `${method} ${path} HTTP/2\r\n`;
}

function clientClosed(error: NodeJS.ErrnoException | null): NetworkFailure {
  const code = error?.code ?? 'SPIKE_CLIENT_CLOSED';
  const lost = (error as Http2StreamError | null)?.http2Code === null;
  const what = lost ? 'closed its connection' : `ended the stream (${code})`;
  return { cause: 'client-closed', code, message: `The client ${what} before it was answered.` };
}
