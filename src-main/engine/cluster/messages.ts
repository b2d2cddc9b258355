import type {
  CaptureSettings,
  HttpSettings,
  LimitSettings,
  TlsSettings,
} from '#shared/workspace/workspace.ts';
import type { RuleDefinition } from '#shared/rules/rule.ts';
import type { UpstreamProxies } from '#shared/workspace/upstream-proxy.ts';
import type { ClientCertificate } from '../tls/client-certificates.ts';
import type { HeldToPrimary, HeldToWorker } from '../breakpoints/held-messages.ts';
import type { Decision } from '../rules/trigger-counter.ts';
import type { ConfiguredRoute } from '../route-table.ts';
import type { ClientDistrust } from '../tls/auto-passthrough.ts';

/**
 * What the primary and its workers say to each other, over the cluster's channel (serialization `advanced`, so that
 * bytes cross as bytes). Everything is one of these; nothing else may be sent. Batches of the capture have a pipe of their own
 * (batch-pipe.ts).
 *
 *     primary ── configure, decide.reply, capture.ack, held.…, drain ──► worker
 *     primary ◄── ready, listening, decide, release, held.…, capture, edges, hits, gauge, metrics ── worker
 */

/** A rule as workers get it: complete, with id, only enabled ones are sent. */
export interface ActiveRule extends Omit<RuleDefinition, 'id' | 'enabled'> {
  readonly id: string;
  /** Counts up each time that the rule is changed or turned on: a new epoch lets go of what the old one held. */
  readonly epoch: number;
  /** When this epoch began, Unix ms: windows and schedules count from here. */
  readonly sinceMs: number;
  /** The files that it answers with, by the paths that its faults name; read by the primary. Absent: none. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/** Everything that a worker needs to know; sent whole with each change, small enough for that. */
export interface WorkerConfig {
  readonly version: number;
  readonly proxyListen: string;
  readonly routes: readonly ConfiguredRoute[];
  readonly rules: readonly ActiveRule[];
  readonly capture: CaptureSettings & { readonly recording: boolean };
  readonly tls: Pick<TlsSettings, 'passthrough' | 'autoPassthrough'> & {
    /** Clients that reject Spike's certificates, as the primary has heard of them. */
    readonly distrust: readonly ClientDistrust[];
    /** PEM texts of further roots for upstreams, read and checked by the primary. */
    readonly extraRootsPem: readonly string[];
    /** Read and checked by the primary; the keys are secret, and go nowhere but into TLS. */
    readonly clientCertificates: readonly ClientCertificate[];
  };
  readonly http: HttpSettings;
  readonly limits: LimitSettings;
  /** The proxies by which upstreams are reached, passwords included; null: all are called directly. */
  readonly upstreamProxies: UpstreamProxies | null;
  /** host:port of listeners that no call may be forwarded to: the control API, and the proxy's own. */
  readonly forbiddenUpstreams: readonly string[];
}

/** What stays the same for the life of a worker. */
export interface WorkerIdentity {
  readonly number: number;
  readonly agentId: string;
  /** The CA, so that every worker signs with the same one. */
  readonly ca: {
    readonly certificatePem: string;
    readonly privateKeyPem: string;
    readonly directory: string;
  };
  /** PKCS#8 PEM of the key that all leaf certificates share, made once by the primary. */
  readonly leafKeyPem: string;
  /** 48 bytes: a TLS session begun on one worker resumes on another. */
  readonly ticketKeys: Uint8Array;
}

export type ToWorker =
  | HeldToWorker
  | { readonly type: 'start'; readonly identity: WorkerIdentity; readonly config: WorkerConfig }
  | { readonly type: 'configure'; readonly config: WorkerConfig }
  | { readonly type: 'decide.reply'; readonly ask: number; readonly decision: Decision }
  | { readonly type: 'capture.ack'; readonly bytes: number }
  | { readonly type: 'metrics.get'; readonly request: number }
  /** Open calls may end within `deadlineMs`; what is open then is cut and recorded, and the worker ends. */
  | { readonly type: 'drain'; readonly deadlineMs: number };

export interface HoldGauge {
  readonly heldBytes: number;
  /** Messages that were left as they were for want of room. */
  readonly leftMessages: number;
  /** How often a link was not read on for want of room. */
  readonly pausedReads: number;
}

export type ToPrimary =
  | HeldToPrimary
  | { readonly type: 'ready' }
  /** A listener is bound (address) or is not (error, with the system's code); `name` is a route's, or null for the proxy. */
  | {
      readonly type: 'listening';
      readonly name: string | null;
      readonly address: string | null;
      readonly error: { readonly code: string; readonly message: string } | null;
    }
  | { readonly type: 'configured'; readonly version: number; readonly released: number }
  /** Asks whether the call at hand is one that a counted or seeded rule hits. */
  | { readonly type: 'decide'; readonly ask: number; readonly ruleId: string; readonly epoch: number }
  /** A call is over for which such a question was answered with a place of `maxConcurrent`. */
  | { readonly type: 'release'; readonly ruleId: string; readonly epoch: number }
  /** Figures per edge since the last report (metrics/edge-report.ts). */
  | { readonly type: 'edges'; readonly report: unknown }
  /** A client did not go on with the certificate for a name; `alert` null: it said nothing. */
  | {
      readonly type: 'tls.rejected';
      readonly client: string;
      readonly name: string;
      readonly alert: string | null;
    }
  /** One that was suspected of that went on with it. */
  | { readonly type: 'tls.accepted'; readonly client: string; readonly name: string }
  | { readonly type: 'hits'; readonly hits: Readonly<Record<string, number>> }
  | {
      readonly type: 'gauge';
      readonly openConnections: number;
      readonly openFlows: number;
      /** Ids of the flows that are open, newest last, at most 1,000: what is lost if this worker dies. */
      readonly openFlowIds: readonly string[];
      /** What rules hold in memory, and what happened at its bound since the last gauge. */
      readonly rules: HoldGauge;
    }
  | { readonly type: 'metrics'; readonly request: number; readonly metrics: unknown };
