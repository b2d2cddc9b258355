import type { FlowRecord } from '../../capture/flow-record.ts';
import type { FaultPlan } from '../../rules/fault-plan.ts';
import type { Cut, LocalAnswer, MessageShape } from '../../rules/faults/stage.ts';
import { CallRules } from '../call-rules.ts';
import { cutByRule, resetByRule } from '../cut-by-rule.ts';
import type { ClientFacts, ProxyEnvironment } from '../environment.ts';
import { ExchangeRecord } from '../exchange-record.ts';
import { dropsAltSvc, redirected, wayOf, withoutAltSvc } from '../forwarding.ts';
import { grpcAnswer } from '../../rules/faults/grpc-status.ts';
import { GrpcCall } from '../grpc/grpc-call.ts';
import { getField } from '../http1/fields.ts';
import type { FlatFields } from '../http1/fields.ts';
import { fieldsWithLoopMark, refusalOf } from '../loop-guard.ts';
import { faultResponse, failureResponse, statusOfFailure } from '../local-response.ts';
import type { LocalResponse } from '../local-response.ts';
import type { OpenFlow } from '../open-flows.ts';
import { PendingUpgrade } from '../pending-upgrade.ts';
import { hold } from '../ports.ts';
import type { Awaited, Destination, LeasedConnection, NetworkFailure, TransportOwner } from '../ports.ts';
import type { Tunnel } from '../tunnel.ts';
import { Http2Answer } from './answer.ts';
import type { Http2AnswerOwner } from './answer.ts';
import { http2Code } from './error-codes.ts';
import { fieldsText, localFields, requestFieldsText, requestLine, withChanges } from './head-text.ts';
import { Http2StatusGate } from './http2-status-gate.ts';
import { lastAnswer } from './last-answer.ts';
import { LinkedMessage } from './linked-message.ts';
import type { ChangedHead } from './linked-message.ts';
import { http2Shape, mayHaveBody } from '../message-shape.ts';
import type { Http2ClientStream, Http2RequestHead, Http2ResponseHead, Http2StreamError } from './ports.ts';
import { clientClosed } from './stream-failure.ts';
import { streamOptions } from './stream-options.ts';
import { openTunnel } from './stream-tunnel.ts';
import { UpstreamCall } from './upstream-call.ts';
import type { UpstreamCallOwner } from './upstream-call.ts';

/** The session that an exchange belongs to. */
export interface Http2ExchangeHost {
  readonly facts: ClientFacts;
  /** The stream is over. */
  exchangeOver(exchange: Http2Exchange): void;
  /** A rule says GOAWAY: with NO_ERROR the streams at hand end well (RFC 9113, section 6.8), with other codes at once. */
  goaway(code: number): void;
}

/**
 * One request and its response on a stream of HTTP/2, whatever its upstream speaks:
 *
 *     client ─► request link? ─► UpstreamCall ─► HTTP/2 | HTTP/1.1
 *     client ◄── Http2Answer (response link?) ◄─┘
 *
 * As `Http1Exchange`, but heads are lists of fields, bodies have no framing, and what breaks is the stream alone.
 */
export class Http2Exchange implements UpstreamCallOwner, Http2AnswerOwner, OpenFlow, TransportOwner {
  openAt = -1;
  readonly #environment: ProxyEnvironment;
  readonly #host: Http2ExchangeHost;
  readonly #client: Http2ClientStream;
  readonly #head: Http2RequestHead;
  readonly #destination: Destination;
  /** Where it is sent: there, unless a rule says otherwise. */
  #upstream: Destination;
  readonly #record: ExchangeRecord;
  readonly #rules: CallRules;
  readonly #answer: Http2Answer;
  readonly #grpc: GrpcCall | null;
  #call: UpstreamCall | null = null;
  #requestLink: LinkedMessage | null = null;
  /** What came of the body before it was known what is to be done with it. */
  #early: Buffer[] | null = null;
  #requestComplete: boolean;
  /** Between the call and this, while rules wait for the status of the response. */
  #gate: Http2StatusGate | null = null;
  /** The upstream has accepted a WebSocket, and the head that says so may still be in the link. */
  #upgrade: PendingUpgrade | null = null;
  #tunnel: Tunnel | null = null;
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
    this.#upstream = destination;
    const { method, path } = head;
    const text = requestFieldsText(head);
    const headBytes = requestLine(head).length + text.length + 2;
    const request = { method, path, httpVersion: '2', fieldsText: text, headBytes } as const;
    this.#record = new ExchangeRecord(environment, host.facts, destination, request, now);
    this.#rules = new CallRules(environment, host.facts, destination, this.#record.flow);
    this.#answer = new Http2Answer(client, this);
    this.#grpc = GrpcCall.of(head.fields, environment, this.#record.flow);
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
    const { method, path, fields, protocol, ended } = this.#head;
    const head = { method, fields, upgrade: protocol, destination: { path } };
    const waits = ended || protocol !== null ? null : (): void => this.#wait();
    if (!this.#rules.decide(head, () => this.#go(), waits)) this.#wait();
  }

  // --- TransportOwner: what the client does

  received(bytes: Buffer): void {
    if (this.#over) return;
    this.#record.requestData(bytes);
    this.#grpc?.bytes('request', bytes);
    this.#requestData(bytes);
    if (this.#rules.awaitsBody) this.#rules.bodyData(bytes);
  }

  ended(): void {
    if (this.#over || this.#requestComplete) return;
    this.#requestComplete = true;
    if (this.#early !== null) return this.#rules.bodyComplete();
    this.#requestEnd();
  }

  closed(error: NodeJS.ErrnoException | null): void {
    if (this.#over) return;
    this.#rules.callerGone();
    this.giveUpUpstream((error as Http2StreamError | null)?.http2Code ?? http2Code.cancel);
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

  /** What it is the client's turn to do on this stream. */
  get awaited(): Awaited {
    if (this.#client.isFull) return 'reading';
    // A client that is being answered may wait for that before it says more.
    const hasSaidAll = this.#over || this.#requestComplete || this.#answer.hasBegun;
    return hasSaidAll || this.#client.isHeld ? null : 'body';
  }

  get progress(): number {
    return this.#client.progress;
  }

  /** The client stalls: it is told so, unless it is being answered. The other streams of its connection go on. */
  timedOut(failure: NetworkFailure): void {
    const isAnswered = this.#over || this.#answer.hasBegun;
    this.stop(failure);
    if (!isAnswered) lastAnswer(this.#client, failureResponse(408, failure));
    else this.#client.abandonWith(http2Code.cancel);
  }

  /** Spike stops: the call is over, whatever it waited for. */
  stop(failure: NetworkFailure): void {
    this.#tunnel?.stop(failure);
    if (this.#over) return;
    this.giveUpUpstream(http2Code.cancel);
    this.#finish(failure);
  }

  // --- the request

  #requestData(bytes: Buffer): void {
    if (this.#early !== null) {
      this.#early.push(bytes);
      this.#rules.keepsEarly(bytes.length);
    } else if (this.#requestLink !== null) this.#requestLink.push(bytes);
    else this.#call?.send(bytes);
  }

  #requestEnd(): void {
    if (this.#requestLink !== null) this.#requestLink.end();
    else this.#call?.end(this.#client.trailers);
  }

  /** Keeps what comes of the body until it is known what to do with the request. */
  #wait(): void {
    this.#early ??= [];
    const { awaitsBody, isConnecting } = this.#rules;
    // A stream tells that it was reset whether it is read or not.
    if (!awaitsBody || isConnecting) return this.#client.pause(hold.undecided);
    this.#client.resume(hold.undecided);
    // Who waits to be told to send the body (RFC 9110, section 10.1.1) would wait for us.
    if (getField(this.#head.fields, 'expect') !== null) this.#client.inform(100, []);
  }

  /** What to do is known: what came meanwhile follows. */
  #go(): void {
    const early = this.#early;
    this.#early = null;
    this.#rules.earlyGone();
    this.#send();
    if (early === null || this.#over) return;
    for (const bytes of early) this.#requestData(bytes);
    if (this.#requestComplete && !this.#head.ended) this.#requestEnd();
    this.#client.resume(hold.undecided);
  }

  /** Whether a rule answers in place of the upstream, or ends the stream: at once, or for the status that came. */
  #isReplaced(): boolean {
    const { plan } = this.#rules;
    if (plan === null) return false;
    if (this.#isEndedBy(plan)) return true;
    const answer = plan.takeAnswer(this.#call !== null);
    if (answer !== null) this.#replace(answer);
    return answer !== null;
  }

  #isEndedBy(plan: FaultPlan): boolean {
    plan.callIs({ isHttp2: true, isGrpc: this.#grpc !== null });
    const goaway = plan.takeGoaway();
    if (goaway !== null) this.#host.goaway(goaway);
    const code = this.#over ? null : plan.takeStreamReset();
    if (code !== null) this.resetStream(code);
    const cut = this.#over ? null : plan.takeCutAtStart();
    if (cut !== null) this.cut(cut);
    return this.#over;
  }

  #replace(answer: LocalAnswer): void {
    if (this.#call !== null) this.#record.note(this.#call);
    this.giveUpUpstream(http2Code.cancel);
    this.#call = null;
    this.#answerLocally(faultResponse(answer));
  }

  #send(): void {
    const { connectFailure } = this.#rules;
    if (connectFailure !== null) return this.callFailed(connectFailure);
    if (this.#isReplaced()) return;
    const { plan } = this.#rules;
    const redirect = plan?.takeRedirect() ?? null;
    if (redirect !== null) this.#upstream = redirected(this.#environment, redirect);
    const refusal = refusalOf(this.#environment, this.#upstream, this.#head.fields);
    if (refusal !== null) return this.callFailed(refusal);
    if (plan !== null) this.#sendThroughLink(plan);
    if (this.#requestLink === null && !this.#answer.hasBegun) this.#startCall();
    if (this.#head.ended && !this.#over) this.#requestEnd();
  }

  #sendThroughLink(plan: FaultPlan): void {
    const client = this.#client;
    const text = `${requestLine(this.#head)}${this.#record.flow.requestFields}\r\n`;
    plan.requestShape = http2Shape(text.length, this.#head.ended ? 0 : null, !this.#head.ended);
    this.#requestLink = LinkedMessage.create(
      plan,
      'request',
      {
        head: (changed) => this.#startCall(changed),
        data: (bytes) => this.#call?.send(bytes),
        end: () => this.#call?.end(client.trailers),
        cut: (how) => this.cut(how),
        resetStream: (code) => this.resetStream(code),
        endCall: (trailers) => this.#endCall(trailers),
        answer: (answer) => {
          client.resume(hold.link);
          this.#replace(answer);
        },
      },
      { pause: () => client.pause(hold.link), resume: () => client.resume(hold.link) },
    );
    this.#requestLink?.begin(text);
    const isWaiting = getField(this.#head.fields, 'expect') !== null && !this.#requestComplete;
    if (isWaiting && this.#requestLink?.isCollecting === true) client.inform(100, []);
  }

  /** @param changed What a rule has made of the head, whom it asks among its fields; null: as it came. */
  #startCall(changed: ChangedHead | null = null): void {
    if (this.#over) return;
    const head = changed === null ? this.#head : withChanges(this.#head, changed);
    const destination = wayOf({ upgrade: head.protocol }, this.#upstream);
    const isRedirected = this.#upstream !== this.#destination;
    const options = streamOptions(head, this.#host.facts, destination, isRedirected);
    if (this.#rules.waitsForStatus) this.#gate = new Http2StatusGate(this, this.#rules);
    const fields = fieldsWithLoopMark(this.#environment, head.fields);
    const request = { destination, head: fields === head.fields ? head : { ...head, fields }, options };
    this.#call = new UpstreamCall(this.#environment, request, this.#gate ?? this, this.#client);
    if (this.#gate !== null) this.#gate.call = this.#call;
    this.#call.start();
  }

  // --- the response, from the call

  interim(status: number, fields: FlatFields): void {
    if (!this.#over && !this.#answer.hasBegun) this.#client.inform(status, fields);
  }

  responseHead(head: Http2ResponseHead, reason: string, bodyBytes: number | null): void {
    if (this.#over || (this.#gate !== null && this.#isReplaced())) return;
    this.#begin(head, reason, bodyBytes);
  }

  responseData(bytes: Buffer): void {
    if (this.#over) return;
    this.#record.responseData(bytes);
    this.#grpc?.bytes('response', bytes);
    this.#answer.data(bytes);
  }

  responseEnd(trailers: FlatFields | null): void {
    if (this.#over) return;
    if (trailers !== null) this.#record.responseTrailers(trailers);
    this.#answer.end(trailers);
  }

  callReset(code: number, failure: NetworkFailure): void {
    if (this.#over) return;
    this.#finish(failure);
    this.#client.resetWith(code);
  }

  callFailed(failure: NetworkFailure): void {
    if (this.#over) return;
    // Half an answer cannot be taken back: the client must see that it broke off.
    if (this.#answer.hasBegun) return this.callReset(http2Code.internalError, failure);
    this.#record.failed(failure);
    if (this.#call !== null) this.#record.note(this.#call);
    this.#call = null;
    this.#answerLocally(failureResponse(statusOfFailure(failure), failure));
  }

  callTunnelled(head: Http2ResponseHead, connection: LeasedConnection, rest: Buffer | null): void {
    if (this.#over) return connection.release(false);
    if (this.#gate !== null && this.#isReplaced()) return connection.release(false);
    if (this.#call !== null) this.#record.note(this.#call);
    this.#upgrade = new PendingUpgrade(connection, rest, (failure) => {
      this.#upgrade = null;
      this.callFailed(failure);
    });
    this.#begin(head, '', null);
    this.#answer.end(null);
  }

  snapshot(): FlowRecord {
    return this.#record.snapshot(this.#call, this.#rules.plan);
  }

  // --- answering

  pauseUpstream(reason: number): void {
    this.#call?.pause(reason);
  }

  resumeUpstream(reason: number): void {
    this.#call?.resume(reason);
  }

  #begin(head: Http2ResponseHead, reason: string, bodyBytes: number | null): void {
    const text = fieldsText(head.fields);
    const line = `HTTP/2 ${head.status} ${reason}\r\n`;
    this.#record.responseHead(head.status, reason, text, line.length + text.length + 2);
    const isStripped = dropsAltSvc(this.#environment, this.#host.facts);
    const passed = isStripped ? { ...head, fields: withoutAltSvc(head.fields) } : head;
    const sent = `${line}${text}\r\n`;
    const mayHave = mayHaveBody(head.status, this.#head.method);
    const shape = (): MessageShape => http2Shape(sent.length, bodyBytes, mayHave);
    this.#answer.begin(passed, sent, shape, this.#rules.plan);
  }

  /** Answers without the upstream: a rule said so, or it could not be reached. */
  #answerLocally(answer: LocalResponse): void {
    const body = this.#head.method === 'HEAD' ? noBody : answer.body;
    const { status, fieldsText: lines } = answer;
    const text = `HTTP/2 ${status} ${answer.reason}\r\n${lines}\r\n`;
    this.#record.localAnswer(answer, text.length, body);
    this.#requestLink?.dispose();
    this.#requestLink = null;
    // What is still to come of the request is read and thrown away.
    this.#client.resume(hold.exchange);
    const { trailers = null } = answer;
    const ended = body.length === 0 && trailers === null;
    const head = { status, fields: localFields(lines), neverIndexed: [], ended };
    const mayHave = mayHaveBody(status, this.#head.method);
    const shape = (): MessageShape => http2Shape(text.length, body.length, mayHave);
    this.#answer.begin(head, text, shape, this.#rules.plan);
    if (body.length > 0) this.#answer.data(body);
    if (this.#over) return;
    if (trailers !== null) this.#record.responseTrailers(trailers);
    this.#answer.end(trailers);
  }

  delivered(): void {
    if (this.#over) return;
    if (this.#upgrade !== null) return this.#switch(this.#upgrade);
    this.#client.endWith(this.#answer.trailers);
    if (!this.#requestComplete) {
      // An answer that came before the request had ended: nobody wants more of it (RFC 9113, section 8.1).
      this.#call?.cancel(http2Code.noError);
      this.#client.resetWith(http2Code.noError);
    }
    this.#finish(null);
  }

  /** The client has the answer that accepts its WebSocket: from here on both sides are bytes. */
  #switch(upgrade: PendingUpgrade): void {
    this.#upgrade = null;
    this.#over = true;
    this.#environment.openFlows.remove(this);
    const flow = this.#record.becameTunnel();
    const { plan, matched, hit } = this.#rules;
    this.#rules.close(hit);
    if (plan !== null) flow.faults = [...this.#host.facts.faults, ...plan.applied()];
    flow.kind = 'websocket';
    this.#tunnel = openTunnel({
      environment: this.#environment,
      facts: this.#host.facts,
      destination: this.#destination,
      client: this.#client,
      flow,
      upgrade,
      matched,
      hit,
      // The session holds on to the exchange, and so to its tunnel, until the stream is gone.
      over: () => this.#host.exchangeOver(this),
    });
  }

  giveUpUpstream(code: number = http2Code.cancel): void {
    this.#call?.cancel(code);
    this.#upgrade?.abandon();
    this.#upgrade = null;
  }

  /** A connection that others share is not ended: what ends is the stream, and its code tells the two apart. */
  cut(how: Cut): void {
    this.#breakOff(how === 'reset' ? http2Code.internalError : http2Code.cancel, cutByRule[how]);
  }

  resetStream(code: number): void {
    this.#breakOff(code, resetByRule(code));
  }

  #breakOff(code: number, failure: NetworkFailure): void {
    if (this.#over) return;
    this.giveUpUpstream(http2Code.cancel);
    this.#finish(failure);
    this.#client.resetWith(code);
  }

  /** A rule on the request ends the call: what the client has not had of an answer is a status alone. */
  #endCall(trailers: FlatFields): void {
    if (this.#over) return;
    this.#call?.cancelAfterSent(http2Code.cancel);
    if (!this.#answer.hasBegun) return this.#replace(grpcAnswer('trailers-only', trailers));
    this.callEnded(trailers);
    this.#answer.end(trailers);
  }

  callEnded(trailers: FlatFields): void {
    this.giveUpUpstream(http2Code.cancel);
    this.#record.trailersReplaced(trailers);
  }

  #finish(failure: NetworkFailure | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#rules.close();
    this.#environment.openFlows.remove(this);
    this.#grpc?.end();
    this.#record.end(this.#call, this.#rules.plan, failure);
    this.#host.exchangeOver(this);
  }
}

const noBody = Buffer.alloc(0);
