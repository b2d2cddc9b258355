import type { Clock, Random } from './clock.ts';
import type { Log } from './log.ts';
import type { HeldCalls } from './breakpoints/held-desk.ts';
import type { CallTallies, TallyQuery } from './scenarios/call-tally.ts';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { AutoPassthrough } from '#shared/contract/passthrough.ts';
import type { Status, WorkerStatus } from '#shared/contract/status.ts';
import type { EdgeDetail, Stats, Topology } from '#shared/contract/topology.ts';
import type { RulePreview } from '#shared/contract/rule-preview.ts';
import type { Flow } from '#shared/flow/flow.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { MessagePage } from '#shared/flow/message.ts';
import type { Origin, Route, RouteDefinition } from '#shared/routes/route.ts';
import type { Rule, RuleDefinition, RuleInput, RulePatch } from '#shared/rules/rule.ts';
import type { UpstreamProxies } from '#shared/workspace/upstream-proxy.ts';
import type {
  CaptureSettings,
  HttpSettings,
  LimitSettings,
  RedactSettings,
  TlsSettings,
} from '#shared/workspace/workspace.ts';

/**
 * The engine as its composition roots (the command line, the Electron shell) and the control API see it. Failures that
 * a user can mend are `SpikeError`s; everything that returns a promise settles.
 */
export interface Engine {
  /** Binds the listeners and starts the workers. Rejects with `port-in-use` when the proxy's port is taken. */
  start(): Promise<void>;
  /** Stops accepting, lets open calls end for `drainMs` (default 3,000), flushes the capture, ends the workers. */
  close(drainMs?: number): Promise<void>;

  readonly flows: FlowStore;
  readonly rules: RuleBook;
  readonly held: HeldCalls;
  readonly routes: RouteTable;
  readonly topology: TopologyView;
  readonly ca: CaFacts;
  readonly passthrough: PassthroughList;
  readonly settings: EngineSettings;
  status(): EngineStatus;
  /** What `forbiddenUpstreams` answers is different now; resolves when the workers know. */
  forbiddenUpstreamsChanged(): Promise<void>;
  /** Resolves once every worker has taken over what was changed until now: from then on the very next call is affected. */
  settled(): Promise<void>;
  /** Prometheus text exposition, aggregated over the workers. */
  metricsText(): Promise<string>;
  /** Events for readers; returns what ends the subscription. The listener must not throw and must not block. */
  subscribe(listener: (event: AgentEvent) => void): () => void;
}

export interface FlowPage<T> {
  readonly rows: readonly T[];
  readonly next: string | null;
}

export interface StoredBody {
  readonly bytes: Buffer;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly truncated: boolean;
}

export interface MessageQuery {
  /** Messages with an index above it; -1 from the first. */
  readonly after: number;
  readonly limit: number;
}

/** Captured flows. `filter` is the search language; a bad one rejects with `invalid-filter` and the place. */
export interface FlowStore {
  list(query: { limit: number; after?: string | undefined; filter: string }): Promise<FlowPage<Flow>>;
  summaries(query: {
    limit: number;
    after?: string | undefined;
    filter: string;
  }): Promise<FlowPage<FlowSummary>>;
  count(filter: string): Promise<{ matching: number; total: number }>;
  /** Rejects with `not-found`. */
  get(id: string): Promise<Flow>;
  /** Rejects with `not-found`, or `body-not-stored` with the reason. `decoded` removes the content coding. */
  body(id: string, side: 'request' | 'response', decoded: boolean): Promise<StoredBody>;
  /** What passed inside a flow, also while it is open. Rejects with `not-found`. */
  messages(id: string, query: MessageQuery): Promise<MessagePage>;
  /** What a rule would have hit of the flows of the last `windowMs`: at most `limit` ids, newest first. */
  preview(query: {
    rule: Pick<RuleDefinition, 'match' | 'trigger' | 'faults'>;
    windowMs: number;
    limit: number;
  }): Promise<RulePreview>;
  /** Counts the calls of a span of time by edge and phase, exactly: for the report of a scenario. */
  tally(query: TallyQuery): Promise<CallTallies>;
  clear(): Promise<number>;
  setRecording(recording: boolean): void;
  /** HAR 1.2 text of the flows that match, oldest first, redacted unless told otherwise. */
  exportHar(query: { filter: string; redact: boolean }): Promise<string>;
}

export interface RuleBook {
  list(): readonly Rule[];
  get(id: string): Rule;
  /**
   * @param origin Who makes it; default: a user. Only who names the same origin may change more of it than whether it is on:
   *   others get `conflict`.
   */
  create(input: RuleInput, origin?: Origin): Rule;
  replace(id: string, input: RuleInput, origin?: Origin): Rule;
  update(id: string, patch: RulePatch): Rule;
  remove(id: string): void;
  /**
   * Puts a rule of the users before another one of theirs, or (null) behind the last. Returns all ids in their order. Throws
   * `not-found`, and `conflict` for a rule of another origin; nothing has changed then.
   */
  move(id: string, before: string | null): string[];
  /** Puts the users' rules into this order, which names each once (else `invalid-input`). Returns and throws as `move` does. */
  order(ids: readonly string[]): string[];
  /** Turns rules on or off, all of them or none (`not-found`); returns the ids of those that were not so before. */
  switch(ids: readonly string[], enabled: boolean): string[];
  /** All rules at once, as the workspace file has them: what is equal stays on and keeps its hits. */
  load(definitions: readonly RuleInput[]): void;
  /** Turns every rule off; resolves when all workers have let go, with what was turned off and how many calls were held. */
  disableAll(): Promise<{ disabled: string[]; released: number }>;
}

export interface RouteTable {
  list(): readonly Route[];
  /** Resolves once the listener is bound on every worker; rejects with `port-in-use` or `conflict` and leaves nothing behind. */
  create(definition: RouteDefinition, origin?: Origin): Promise<Route>;
  remove(name: string): Promise<void>;
  load(definitions: readonly RouteDefinition[]): Promise<void>;
}

export interface TopologyView {
  get(windowMs: number): Topology;
  /** Rejects (throws) `not-found`. */
  edge(id: string, windowMs: number): EdgeDetail;
  stats(windowMs: number): Stats;
}

/** The clients whose TLS passes through because they reject Spike's certificates. */
export interface PassthroughList {
  /** The latest first. */
  list(): readonly AutoPassthrough[];
  /** Its next connection is opened again: resolves when all workers know. Rejects with `not-found`. */
  forget(id: string): Promise<void>;
}

export interface CaFacts {
  readonly certificatePem: string;
  readonly path: string;
  readonly subject: string;
  readonly fingerprint256: string;
  readonly notAfter: string;
  readonly keyMode: string | null;
}

/**
 * What the workspace file sets besides rules and routes; taking effect while traffic flows. Rejects with a SettingError or
 * TrustStoreError for what cannot be used, and nothing has changed then.
 */
export interface EngineSettings {
  apply(settings: {
    capture: CaptureSettings;
    tls: TlsSettings;
    http: HttpSettings;
    redact: RedactSettings;
    limits: LimitSettings;
    /** null: upstreams are called directly. */
    upstreamProxies: UpstreamProxies | null;
    /** Folder that relative paths in `tls.trust` and `tls.clientCertificates` start from. */
    baseDirectory: string;
  }): Promise<void>;
}

export type EngineStatus = Pick<
  Status,
  | 'agentId'
  | 'startedAt'
  | 'proxy'
  | 'capture'
  | 'flowsPerSecond'
  | 'activeFaults'
  | 'held'
  | 'ruleHolds'
  | 'limits'
  | 'upstreams'
> & {
  readonly workers: readonly WorkerStatus[];
  readonly dropped: { readonly flows: number; readonly bodies: number };
};

/** What an engine is made of: everything that it would otherwise reach for by itself. */
export interface EngineOptions {
  /** Where the CA, the token and the captures live; made with mode 0700 when absent. */
  readonly homeDirectory: string;
  /** Spike's version, for the creator of exports. */
  readonly version: string;
  /** host:port of the proxy; port 0 takes a free one. */
  readonly proxyListen: string;
  /** How many worker processes; at least 1. */
  readonly workers: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The files that the other processes and threads start from: TypeScript in the repository, bundles in a package. */
  readonly entries: { readonly worker: URL; readonly recorderThread: URL };
  /** How a worker process is started; Electron gives its own binary and ELECTRON_RUN_AS_NODE in a copy of the environment. */
  readonly workerExec?: { readonly execPath?: string; readonly env?: Readonly<Record<string, string>> };
  /** Key type of a CA that has to be made (default `ec-p256`); an existing one stays as it is. */
  readonly caKeyType?: 'ec-p256' | 'rsa-2048';
  /** host:port that no call may be forwarded to, besides the proxy itself: asked with each change (the control API). */
  readonly forbiddenUpstreams?: () => readonly string[];
}
