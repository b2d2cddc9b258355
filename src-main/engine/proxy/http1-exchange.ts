import type { FlowRecord } from '../capture/flow-record.ts';
import type { Cut, MessageShape } from '../rules/faults/stage.ts';
import type { FaultPlan } from '../rules/fault-plan.ts';
import type { Link } from '../rules/link.ts';
import type { AnswerOwner } from './answer-owner.ts';
import { CallRules } from './call-rules.ts';
import type { ProxyEnvironment } from './environment.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { ExchangeRecord } from './exchange-record.ts';
import {
  hasBody,
  passesUpgrade,
  redirected,
  requestOptions,
  dropsAltSvc,
  responseOptions,
  wayOf,
} from './forwarding.ts';
import { Http1Answer } from './http1-answer.ts';
import { Http1Call } from './http1-call.ts';
import type { CallOwner } from './http1-call.ts';
import type { RequestHead, ResponseHead } from './http1/head.ts';
import type { Http1Error } from './http1/http1-error.ts';
import { serializeRequestHead, serializeResponseHead } from './http1/serialize-head.ts';
import { http1Shape, localShape, methodSent } from './message-shape.ts';
import { refusalOf, withLoopMark } from './loop-guard.ts';
import { failureResponse, faultResponse, responseBytes, statusOfFailure } from './local-response.ts';
import type { LocalResponse } from './local-response.ts';
import type { OpenFlow } from './open-flows.ts';
import { StatusGate } from './status-gate.ts';
import { PendingUpgrade } from './pending-upgrade.ts';
import { cutByRule, gaveUpWhileHeld } from './cut-by-rule.ts';
import { recorded } from './recorded-request.ts';
import { hold } from './ports.ts';
import type { BytesFate, Destination, LeasedConnection, NetworkFailure } from './ports.ts';

/**
 * One request and its response:
 *
 *     client ─► request link? ─► Http1Call ─► upstream
 *     client ◄─ response link? ◄─┘
 *
 * The links exist only when a rule hits. Everything that happens is written into one flow record, which is handed over
 * when the answer has left, or when a side gave up.
 */
export class Http1Exchange implements CallOwner, AnswerOwner, OpenFlow {
  openAt = -1;
  readonly #environment: ProxyEnvironment;
  readonly #host: ExchangeHost;
  readonly #head: RequestHead;
  readonly #destination: Destination;
  /** Where it is sent: there, unless a rule says otherwise. */
  #upstream: Destination;
  readonly #record: ExchangeRecord;
  readonly #rules: CallRules;
  readonly #answer: Http1Answer;
  #call: Http1Call | null = null;
  /** Between the call and this, while rules wait for the status of the response. */
  #gate: StatusGate | null = null;
  #requestLink: Link | null = null;
  /** What came of the body before it was known what is to be done with it. */
  #early: Buffer[] | null = null;
  #requestComplete = false;
  /** The client will say no more on its connection. */
  #clientEnded = false;
  /** Whether the request goes nowhere: it was answered by Spike. */
  #answered = false;
  #answering: ResponseHead | null = null;
  /** The upstream has switched protocols, and its 101 is still in the response link. */
  #upgrade: PendingUpgrade | null = null;
  #keepAlive: boolean;
  #over = false;

  constructor(
    environment: ProxyEnvironment,
    host: ExchangeHost,
    head: RequestHead,
    destination: Destination,
    now: number,
  ) {
    this.#environment = environment;
    this.#host = host;
    this.#head = head;
    this.#destination = destination;
    this.#upstream = destination;
    this.#keepAlive = head.keepAlive;
    this.#record = new ExchangeRecord(environment, host.facts, destination, recorded(head), now);
    this.#answer = new Http1Answer(host.client, this);
    this.#rules = new CallRules(environment, host.facts, destination, this.#record.flow);
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
    this.#rules.connecting = () => this.#wait();
    const waits = hasBody(this.#head) ? (): void => this.#wait() : null;
    if (!this.#rules.decide(this.#head, () => this.#go(), waits)) this.#wait();
  }

  // --- the request, from the session

  requestData(data: Buffer): void {
    this.#record.requestData(data);
    if (this.#rules.awaitsBody) this.#rules.bodyData(data);
  }

  requestBody(wire: Buffer): void {
    if (this.#early !== null) this.#keepEarly(wire);
    else if (this.#requestLink !== null) this.#requestLink.push(wire);
    else this.#call?.send(wire);
  }

  requestFlush(): void {
    if (this.#early === null) this.#call?.flush();
  }

  requestComplete(): void {
    this.#requestComplete = true;
    if (this.#early !== null) return this.#rules.bodyComplete();
    if (this.#requestLink !== null) this.#requestLink.end();
    else this.#call?.requestComplete();
    if (this.#answered) this.#answerOver();
  }

  /** The client says no more (FIN) behind this request, which has come whole; it may still read. */
  clientEnded(): void {
    this.#clientEnded = true;
    this.#call?.clientEnded();
  }

  /** The client can be written to again. */
  clientDrained(): void {
    this.#call?.resume(hold.full);
  }

  /** Whether a rule holds it right now: then a client that says no more has given up. */
  get isHeld(): boolean {
    return this.#rules.plan !== null && (this.#rules.plan.heldBytes > 0 || this.#call === null);
  }

  /** Whether the client has been sent a part of its answer. */
  get isAnswering(): boolean {
    return this.#answering !== null || this.#answered;
  }

  /** The client is gone: nobody is left to answer. */
  clientGone(failure: NetworkFailure): void {
    if (this.#over) return;
    const hanging = this.#rules.isHanging;
    this.#rules.callerGone();
    this.giveUpUpstream();
    this.#finish(hanging ? gaveUpWhileHeld(failure.code) : failure);
  }

  /** Spike stops: the call is over, whatever it waited for. */
  stop(failure: NetworkFailure): void {
    if (this.#over) return;
    this.giveUpUpstream();
    this.#finish(failure);
  }

  /** The rest of the request cannot be read: what was begun is given up, and the client told unless an answer has begun. */
  requestMalformed(failure: NetworkFailure, { status, rawHead }: Http1Error): void {
    if (this.#over) return;
    this.giveUpUpstream();
    this.#record.flow.rawHead = rawHead;
    if (this.#answering === null && !this.#answered) this.#lastAnswer(failureResponse(status, failure));
    this.#finish(failure);
  }

  // --- the response, from the call

  responseHead(head: ResponseHead): void {
    if (head.interim) return this.#interim(head);
    if (this.#gate !== null && this.#isReplaced()) return;
    this.#answering = head;
    const { status, reason, text, fieldsAt, rawHeadBytes } = head;
    this.#record.responseHead(status, reason, text.slice(fieldsAt, -2), rawHeadBytes);
    // A client that waits to be told to send its body may now send it or not: only the end of the connection tells.
    const isUncertain = this.#head.expectContinue && !this.#requestComplete;
    if (head.framing === 'until-close' || isUncertain || this.#host.isDraining) this.#keepAlive = false;
    const options = responseOptions(head, this.#head, this.#keepAlive, this.#dropsAltSvc);
    const sent = serializeResponseHead(head, options);
    const shape = (): MessageShape => http1Shape(head, sent.length, this.#head.httpVersion);
    this.#answer.begin(sent, shape, this.#rules.plan);
  }

  responseData(data: Buffer): void {
    this.#record.responseData(data);
  }

  responseBody(wire: Buffer): void {
    this.#answer.body(wire);
  }

  get bodyFate(): BytesFate {
    return this.#record.keepsResponse ? 'kept' : this.#answer.bodyFate;
  }

  responseTrailers(fields: string[]): void {
    this.#record.responseTrailers(fields);
  }

  responseComplete(): void {
    this.#answer.end();
  }

  responseFlush(): void {
    this.#answer.flush();
  }

  callFailed(failure: NetworkFailure): void {
    if (this.#over) return;
    if (this.#call !== null) this.#record.note(this.#call);
    this.#call = null;
    this.#record.failed(failure);
    // Half an answer cannot be taken back: the client must see that it broke off. One that gave up is not answered.
    if (this.#answering !== null || failure.cause === 'client-closed') return this.#break(failure);
    this.#answerLocally(failureResponse(statusOfFailure(failure), failure));
  }

  callUpgraded(connection: LeasedConnection, rest: Buffer | null): void {
    if (this.#call !== null) this.#record.note(this.#call);
    this.#upgrade = new PendingUpgrade(connection, rest, (failure) => {
      this.#upgrade = null;
      if (!this.#over) this.#break(failure);
    });
    this.#answer.flush();
    this.#answer.end();
  }

  snapshot(): FlowRecord {
    return this.#record.snapshot(this.#call, this.#rules.plan);
  }

  // --- rules

  /** Keeps what comes of the body until it is known what to do with the request. */
  #wait(): void {
    this.#early ??= [];
    const { awaitsBody, isConnecting } = this.#rules;
    if (!awaitsBody && !isConnecting) return this.#host.client.pause(hold.undecided);
    this.#host.client.resume(hold.undecided);
    // Who waits to be told to send the body (RFC 9110, section 10.1.1) would wait for us.
    if (awaitsBody && this.#head.expectContinue) this.#host.client.writeText('HTTP/1.1 100 Continue\r\n\r\n');
  }

  #keepEarly(wire: Buffer): void {
    this.#early?.push(wire);
    this.#rules.keepsEarly(wire.length);
    if (this.#rules.isEarlyFull) this.#host.client.pause(hold.undecided);
  }

  /** Whether a rule answers in place of the upstream, or ends the connection: at once, or for the status that came. */
  #isReplaced(): boolean {
    const { plan } = this.#rules;
    plan?.callIs();
    const cut = plan?.takeCutAtStart() ?? null;
    const answer = cut === null ? (plan?.takeAnswer(this.#call !== null) ?? null) : null;
    if (cut !== null) this.cut(cut);
    if (answer === null) return cut !== null;
    if (this.#call !== null) this.#record.note(this.#call);
    this.giveUpUpstream();
    this.#call = null;
    this.#answerLocally(faultResponse(answer));
    return true;
  }

  /** What to do is known: what came meanwhile follows. */
  #go(): void {
    const early = this.#early;
    this.#early = null;
    this.#rules.earlyGone();
    this.#send();
    // It may be over already, and the next one begun, which has waits of its own.
    if (early === null || this.#over) return;
    for (const wire of early) this.requestBody(wire);
    if (this.#requestComplete) this.requestComplete();
    if (this.#over) return;
    this.requestFlush();
    this.#host.client.resume(hold.undecided);
  }

  #send(): void {
    const { connectFailure, plan } = this.#rules;
    if (connectFailure !== null) return this.#notConnected(connectFailure);
    if (this.#isReplaced()) return;
    const environment = this.#environment;
    const redirect = plan?.takeRedirect() ?? null;
    if (redirect !== null) this.#upstream = redirected(environment, redirect);
    const refusal = refusalOf(environment, this.#upstream, this.#head.text);
    if (refusal !== null) return this.callFailed(refusal);
    const way = wayOf(this.#head, this.#upstream);
    const options = requestOptions(this.#head, this.#host.facts, way, this.#upstream !== this.#destination);
    const text = serializeRequestHead(this.#head, withLoopMark(environment, options));
    if (plan !== null && this.#sendThroughLink(plan, text)) return;
    this.#call = this.#createCall(text);
    this.#call.start();
  }

  /** A rule failed connecting. On a route the client would have met that itself: its connection is the upstream's. */
  #notConnected(failure: NetworkFailure): void {
    if (failure.cause !== 'fault-refuse' || this.#host.facts.listener === null)
      return this.callFailed(failure);
    this.#finish(failure);
    this.#host.exchangeBroken('reset');
  }

  /** Puts the request's link between; the call begins when the first bytes come out of it. */
  #sendThroughLink(plan: FaultPlan, text: string): boolean {
    const { client } = this.#host;
    plan.requestShape = http1Shape(this.#head, text.length, this.#head.httpVersion);
    this.#requestLink = plan.createLink(
      'request',
      {
        write: (bytes) => {
          if (this.#over) return;
          if (this.#call === null) {
            this.#call = this.#createCall('');
            this.#call.start();
          }
          this.#call.send(bytes);
        },
        end: () => this.#call?.requestComplete(),
        reset: () => this.cut('reset'),
        close: () => this.cut('close'),
        answer: (answer) => {
          client.resume(hold.link);
          this.#answerLocally(faultResponse(answer));
        },
      },
      { pause: () => client.pause(hold.link), resume: () => client.resume(hold.link) },
    );
    this.#requestLink?.push(Buffer.from(text, 'latin1'));
    // The upstream, which would say so, hears nothing before the whole body is there (RFC 9110, section 10.1.1).
    const isWaiting = this.#head.expectContinue && !this.#requestComplete;
    if (isWaiting && this.#requestLink?.isCollecting === true)
      client.writeText('HTTP/1.1 100 Continue\r\n\r\n');
    return this.#requestLink !== null;
  }

  #createCall(headText: string): Http1Call {
    const { httpUpstreams, clock, http1Limits } = this.#environment;
    const head = this.#head;
    const method = methodSent(head.method, this.#rules.plan);
    this.#gate = this.#rules.waitsForStatus ? new StatusGate(this, this.#rules) : null;
    const destination = wayOf(head, this.#upstream);
    const call = new Http1Call(
      {
        destination,
        method,
        headText,
        bodyless: !hasBody(head),
        // A forwarding proxy is not asked to: an Upgrade ends at it (RFC 9110, section 7.8).
        mayUpgrade: passesUpgrade(head) && destination.via?.way !== 'forward',
      },
      this.#gate ?? this,
      this.#host.client,
      httpUpstreams,
      clock,
      http1Limits,
    );
    if (this.#gate !== null) this.#gate.call = call;
    if (this.#clientEnded) call.clientEnded();
    return call;
  }

  // --- answering

  get #dropsAltSvc(): boolean {
    return dropsAltSvc(this.#environment, this.#host.facts);
  }

  #interim(head: ResponseHead): void {
    // A 1.0 client knows no interim responses (RFC 9110, section 15.2).
    if (this.#head.httpVersion === '1.0') return;
    this.#host.client.writeText(serializeResponseHead(head, { dropAltSvc: this.#dropsAltSvc }));
  }

  pauseUpstream(reason: number): void {
    this.#call?.pause(reason);
  }

  resumeUpstream(reasons: number): void {
    this.#call?.resume(reasons);
  }

  /** Answers without the upstream: a rule said so, or it could not be reached. */
  #answerLocally(answer: LocalResponse): void {
    const withBody = this.#head.method !== 'HEAD';
    // What is still to come of the request is read and thrown away, unless the client waits to be told to send it.
    const waits = this.#head.expectContinue && !this.#requestComplete;
    if (waits) this.#keepAlive = false;
    const bytes = responseBytes(answer, this.#keepAlive ? null : 'close', withBody);
    const body = withBody ? answer.body : Buffer.alloc(0);
    const headBytes = bytes.length - body.length;
    this.#record.localAnswer(answer, headBytes, body);
    this.#requestLink?.dispose();
    this.#requestLink = null;
    const { method, httpVersion } = this.#head;
    const shape = localShape(answer, method, headBytes, body.length, httpVersion);
    this.#answer.whole(bytes, shape, this.#rules.plan);
    this.#answered = true;
    if (this.#requestComplete || waits) this.#answerOver();
    else this.#host.client.resume(hold.exchange);
  }

  /** Answers past all rules, when nothing comes after it. */
  #lastAnswer(answer: LocalResponse): void {
    const withBody = this.#head.method !== 'HEAD';
    const bytes = responseBytes(answer, 'close', withBody);
    const body = withBody ? answer.body : Buffer.alloc(0);
    this.#record.localAnswer(answer, bytes.length - body.length, body);
    this.#host.client.write(bytes);
  }

  #answerOver(): void {
    this.#answered = false;
    this.#answer.end();
  }

  /** The last byte of the answer is with the client's transport. */
  delivered(): void {
    if (this.#over) return;
    if (this.#upgrade !== null) return this.#switch(this.#upgrade);
    this.responseFlush();
    const keepAlive = this.#keepAlive && this.#requestComplete;
    // An answer that came before the request had ended: the upstream wants no more of it.
    if (!this.#requestComplete) this.#call?.abandon();
    this.#finish(null);
    this.#host.exchangeOver(keepAlive);
  }

  /** The client has the 101: from here on both sides speak what they agreed on. */
  #switch(upgrade: PendingUpgrade): void {
    this.#upgrade = null;
    this.#over = true;
    this.#environment.openFlows.remove(this);
    const flow = this.#record.becameTunnel();
    if (this.#rules.plan !== null) {
      this.#rules.close(this.#rules.hit);
      flow.faults = [...this.#host.facts.faults, ...this.#rules.plan.applied()];
    }
    if (this.#answering?.upgrade?.toLowerCase() === 'websocket') flow.kind = 'websocket';
    this.#host.exchangeUpgraded({
      ...upgrade.take(),
      destination: this.#destination,
      flow,
      matched: this.#rules.matched,
      hit: this.#rules.hit,
    });
  }

  giveUpUpstream(): void {
    this.#gate?.close();
    this.#call?.abandon();
    this.#upgrade?.abandon();
    this.#upgrade = null;
  }

  #break(failure: NetworkFailure): void {
    this.#finish(failure);
    this.#host.exchangeBroken(failure.cause === 'upstream-reset' ? 'reset' : 'close');
  }

  cut(how: Cut): void {
    if (this.#over) return;
    this.giveUpUpstream();
    this.#finish(cutByRule[how]);
    this.#host.exchangeBroken(how);
  }

  #finish(failure: NetworkFailure | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#rules.close();
    this.#environment.openFlows.remove(this);
    this.#record.end(this.#call, this.#rules.plan, failure);
  }
}
