import type { FlowRecord } from '../capture/flow-record.ts';
import type { FaultPlan } from '../rules/fault-plan.ts';
import type { BodyCollector, ClientFacts, ProxyEnvironment } from './environment.ts';
import type { CallTimes } from './http1-call.ts';
import type { LocalResponse } from './local-response.ts';
import { finishFlow, newFlow } from './new-flow.ts';
import { streamKind, TextStream } from './text-stream/text-stream.ts';
import type { ConnectTimings, Destination, NetworkFailure } from './ports.ts';

/** What a call knows of its connection and its times. */
export interface CallObservations {
  readonly times: CallTimes;
  /** host:port that was reached; null while none was. */
  readonly address: string | null;
  /** Whether the connection had served other calls before. */
  readonly reused: boolean;
  readonly timings: ConnectTimings | null;
}

/** The first line of a request and its fields, as flows keep them. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly httpVersion: FlowRecord['httpVersion'];
  /** Field lines, each with its CRLF. */
  readonly fieldsText: string;
  readonly headBytes: number;
}

/** The flow of one exchange while it is written: what passed, when, over which connection. */
export class ExchangeRecord {
  readonly flow: FlowRecord;
  #requestBody: BodyCollector | null = null;
  #responseBody: BodyCollector | null = null;
  /** The response is a stream of events or lines. */
  #stream: TextStream | null = null;
  readonly #environment: ProxyEnvironment;
  readonly #client: ClientFacts;
  readonly #destination: Destination;

  constructor(
    environment: ProxyEnvironment,
    client: ClientFacts,
    destination: Destination,
    { method, path, httpVersion, fieldsText, headBytes }: RecordedRequest,
    startedAtMs: number,
  ) {
    this.#environment = environment;
    this.#client = client;
    this.#destination = destination;
    const flow = newFlow('http', environment, client, destination, startedAtMs);
    flow.method = method;
    flow.url = destination.origin + path;
    flow.httpVersion = httpVersion;
    flow.requestFields = fieldsText;
    flow.requestHeadBytes = headBytes;
    this.flow = flow;
  }

  requestData(data: Buffer): void {
    this.flow.requestBodyBytes += data.length;
    if (this.#requestBody === null) this.#requestBody = this.#environment.collectBody();
    this.#requestBody?.add(data);
  }

  /** Whether bytes of the response are looked at later; else what is kept of them is copied (BodyCollector). */
  get keepsResponse(): boolean {
    return this.#stream !== null;
  }

  /** @param fieldsText Field lines, each with its CRLF. */
  responseHead(status: number, reason: string, fieldsText: string, headBytes: number): void {
    const flow = this.flow;
    flow.status = status;
    flow.reason = reason;
    flow.responseFields = fieldsText;
    flow.responseHeadBytes = headBytes;
    const kind = streamKind(fieldsText);
    if (kind !== null) this.#stream = this.#openStream(kind);
  }

  responseData(data: Buffer): void {
    this.flow.responseBodyBytes += data.length;
    const isLong = this.#stream !== null;
    if (this.#responseBody === null) this.#responseBody = this.#environment.collectBody(isLong);
    this.#responseBody?.add(data);
    if (isLong) this.#stream?.data(data);
  }

  responseTrailers(fields: readonly string[]): void {
    for (let index = 0; index < fields.length; index += 2) {
      this.flow.trailers += `${fields[index]}: ${fields[index + 1]}\r\n`;
    }
  }

  /** A rule has put these in the place of what came. */
  trailersReplaced(fields: readonly string[]): void {
    this.flow.trailers = '';
    this.responseTrailers(fields);
  }

  localAnswer(answer: LocalResponse, headBytes: number, body: Buffer): void {
    const flow = this.flow;
    flow.status = answer.status;
    flow.reason = answer.reason;
    flow.responseFields = answer.fieldsText;
    flow.responseHeadBytes = headBytes;
    if (body.length > 0) this.responseData(body);
  }

  failed(failure: NetworkFailure): void {
    this.flow.error = { code: failure.code, cause: failure.cause, message: failure.message };
  }

  /** Copies what the call knows of its connection and times. */
  note(call: CallObservations): void {
    const { times, timings } = call;
    const flow = this.flow;
    if (times.leasedAt > 0) {
      flow.sendMs = Math.max(0, times.sentAt - times.leasedAt);
      flow.blockedMs = times.leasedAt - times.askedAt;
    }
    if (times.firstByteAt > 0 && times.sentAt > 0)
      flow.waitMs = Math.max(0, times.firstByteAt - times.sentAt);
    // Until the upstream's last byte: what a rule holds back afterwards is in its own mark.
    if (times.firstByteAt > 0)
      flow.receiveMs = (times.endedAt || this.#environment.clock.now()) - times.firstByteAt;
    flow.upstreamAddress = call.address;
    flow.upstreamReused = call.reused;
    if (call.reused || timings === null) return;
    flow.dnsMs = timings.dnsMs;
    flow.connectMs = timings.connectMs;
    flow.tlsMs = timings.tlsMs;
    const making = Math.max(0, flow.dnsMs) + Math.max(0, flow.connectMs) + Math.max(0, flow.tlsMs);
    flow.blockedMs = Math.max(0, flow.blockedMs - making);
  }

  /** What is known so far of a flow that is still open; bodies are shown when it has ended. */
  snapshot(call: CallObservations | null, plan: FaultPlan | null): FlowRecord {
    return {
      ...this.flow,
      caller: this.#client.caller.current,
      callee: this.#destination.callee.current,
      upstreamAddress: call?.address ?? this.flow.upstreamAddress,
      faults: plan === null ? this.flow.faults : [...this.#client.faults, ...plan.applied()],
    };
  }

  /** Hands the flow over, with the bodies that were kept. */
  end(call: CallObservations | null, plan: FaultPlan | null, failure: NetworkFailure | null): void {
    const flow = this.flow;
    if (call !== null) this.note(call);
    if (this.#requestBody !== null) flow.requestBody = this.#requestBody.finish();
    if (this.#responseBody !== null) flow.responseBody = this.#responseBody.finish();
    if (plan !== null) flow.faults = [...this.#client.faults, ...plan.applied()];
    const settled = this.#stream?.end() ?? null;
    if (settled !== null) this.#environment.openFlows.settling(settled);
    finishFlow(this.#environment, flow, this.#client, this.#destination, failure, settled);
  }

  /** It goes on as a tunnel, which keeps bytes of its own: what was kept of the request gives its memory back. */
  becameTunnel(): FlowRecord {
    this.#requestBody?.discard();
    this.#responseBody?.discard();
    return this.flow;
  }

  #openStream(kind: 'events' | 'lines'): TextStream | null {
    const messages = this.#environment.messagesOf(this.flow);
    if (messages === null) return null;
    return new TextStream(kind, this.flow.responseFields, messages, () => this.#environment.clock.now());
  }
}
