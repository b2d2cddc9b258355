import type { AppliedFault, Flow } from '#shared/flow/flow.ts';
import type { FlowIdSource } from '#shared/flow/flow-id.ts';
import type { Clock } from '../clock.ts';
import type { BodyCapture, FlowRecord, FlowSink } from '../capture/flow-record.ts';
import type { RuleRuntime } from '../rules/rule-runtime.ts';
import type { Http1Limits } from './http1/limits.ts';
import type { HttpUpstreams } from './http2/ports.ts';
import type { FlowMessages } from './flow-messages.ts';
import type { OpenFlows } from './open-flows.ts';
import type { WaitingFlows } from './waiting-flows.ts';
import type { Destination, NameHolder, Upstreams } from './ports.ts';

/** Keeps the captured part of one body. */
export interface BodyCollector {
  add(chunk: Buffer): void;
  finish(): BodyCapture;
  /** Gives its memory back without using it. */
  discard(): void;
}

/** What all connections of a worker share: handed to every session and exchange. */
export interface ProxyEnvironment {
  readonly clock: Clock;
  readonly worker: number;
  readonly ids: FlowIdSource;
  readonly rules: RuleRuntime;
  /** Connections of bytes. */
  readonly upstreams: Upstreams;
  /** For HTTP of any version. */
  readonly httpUpstreams: HttpUpstreams;
  readonly sink: FlowSink;
  readonly openFlows: OpenFlows;
  /** Room for flows that are over and wait for a name. */
  readonly waiting: WaitingFlows;
  readonly http1Limits: Http1Limits;
  /**
   * null while nothing is recorded.
   * @param isLong Of a tunnel or a stream that stays open: kept in a memory of their own, so that they do not take that
   * of the calls. Beyond it, the first part is kept.
   */
  collectBody(isLong?: boolean): BodyCollector | null;
  /** Where the messages inside a flow go; null while nothing is recorded. */
  messagesOf(flow: FlowRecord): FlowMessages | null;
  /**
   * Where a host and port lead. A route's virtual name leads to its upstream, spoken to as the route says; `tcp` asks for
   * a tunnel to it.
   * @param serverName What the client named in TLS, when it called an address.
   */
  destination(
    scheme: Destination['scheme'],
    host: string,
    port: number,
    serverName?: string | null,
  ): Destination;
  /** What a request carries in Via that may be going round in a circle: see loop-guard.ts. */
  readonly loopMark: string;
  /** Whether Alt-Svc is kept from clients whose TLS is opened. */
  stripsAltSvc(): boolean;
  /** True for Spike's own listeners, by name and port; what names resolve to is looked at again after connecting. */
  isForbidden(host: string, port: number): boolean;
}

/** What is known of a client's connection; shared by its flows. */
export interface ClientFacts {
  readonly connectionId: string;
  /** address:port */
  readonly client: string;
  readonly caller: NameHolder;
  /** The route whose port the client used; null: the proxy port. */
  readonly listener: string | null;
  /** Set once TLS has been opened. */
  readonly tls: Flow['tls'];
  /** What rules did to the connection itself, before anything passed; told by each of its flows. */
  readonly faults: readonly AppliedFault[];
  /** Where requests in origin-form go: a route's upstream, or what CONNECT named; null on the proxy port itself. */
  readonly destination: Destination | null;
  /** The Host that clients of a route name by using its listener; replaced for an upstream elsewhere. null: kept. */
  readonly ownHost: string | null;
  /**
   * Whether the end of one direction of a tunnel ends it whole, as behind a proxy of Toxiproxy's API: an answer under way is
   * lost then, and an upstream that cannot be connected is an orderly end. Absent: each direction ends by itself.
   */
  readonly endsWhole?: boolean;
}
