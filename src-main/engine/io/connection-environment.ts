import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Origin } from '#shared/routes/route.ts';
import type { ProxyEnvironment } from '../proxy/environment.ts';
import type { Destination, NameHolder } from '../proxy/ports.ts';
import type { AutoPassthroughView } from '../tls/auto-passthrough-view.ts';
import type { FaultyContext } from '../tls/faulty-certificates.ts';
import type { ClientConnection } from './client-connection.ts';
import type { FlushQueue } from './flush-queue.ts';
import type { Http2Limits } from './http2-limits.ts';

/** What all connections of a worker share, beyond what the protocols need. */
export interface ConnectionEnvironment extends ProxyEnvironment {
  readonly http2Limits: Http2Limits;
  /** Of all streams of clients. */
  readonly http2Queue: FlushQueue;
  /** The context with a leaf certificate for a name; null when the name cannot be certified. */
  leafContext(name: string): SecureContext | null;
  /** A context that a rule asks for in place of it: with a bad certificate, or of one old version. null as above. */
  faultyContext(name: string, fault: FaultyContext): SecureContext | null;
  /** Whether flows are stored, so that what is only to be shown is worth the work. */
  isRecording(): boolean;
  /** Names whose TLS is not opened. */
  isPassedThrough(name: string): boolean;
  /** Clients that reject Spike's certificates, and are left alone therefore. */
  readonly autoPassthrough: AutoPassthroughView;
  /** Who calls: from proxy credentials, else from who owns the client's port. */
  resolveCaller(client: Socket, proxyUser: string | null): NameHolder;
  connectionClosed(connection: ClientConnection): void;
}

/** What a listener says of the connections that it accepts. */
export interface Entry {
  readonly route: string | null;
  /** Where a route leads; null on the proxy port. */
  readonly destination: Destination | null;
  readonly ownHost: string | null;
  /** Who has made the route; null: a user, or it is the proxy port. */
  readonly origin: Origin | null;
}
