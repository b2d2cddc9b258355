import type { Clock, Timer } from '../clock.ts';
import { hold } from '../proxy/ports.ts';
import type {
  BytesFate,
  ConnectTimings,
  Destination,
  LeasedConnection,
  LeaseRequest,
  PendingLease,
  Transport,
  TransportOwner,
  Upstreams,
} from '../proxy/ports.ts';
import { dial } from './dial.ts';
import type { Dialed, DialOptions } from './dial.ts';
import type { DirectReads } from './direct-reads.ts';
import { SocketTransport } from './socket-transport.ts';

export interface PoolLimits {
  /** Idle connections kept for one destination. */
  readonly maxIdlePerDestination: number;
  /** Idle connections kept in all. */
  readonly maxIdle: number;
  /**
   * How long an idle connection is kept, in ms: shorter than the 5 s after which node:http servers close theirs, so that
   * a request seldom meets a connection that is just being closed.
   */
  readonly idleTimeoutMs: number;
}

export const defaultPoolLimits: PoolLimits = {
  maxIdlePerDestination: 256,
  maxIdle: 1024,
  idleTimeoutMs: 4000,
};

/** One connection to an upstream, leased to one owner at a time. */
export class UpstreamConnection implements TransportOwner, LeasedConnection {
  readonly transport: Transport;
  readonly destination: Destination;
  readonly address: string;
  readonly timings: ConnectTimings;
  readonly clientCertificate: string | null;
  /** How many leases it has had before the one that holds it now. */
  uses = 0;
  idleSince = 0;
  owner: TransportOwner | null = null;
  attachment: unknown = null;
  alive = true;
  /** Made under the trust settings of that generation. */
  readonly generation: number;
  readonly #pool: UpstreamPool;
  readonly #reads: DirectReads | null;

  constructor(
    pool: UpstreamPool,
    clock: Clock,
    generation: number,
    destination: Destination,
    dialed: Dialed,
  ) {
    this.#pool = pool;
    this.generation = generation;
    this.destination = destination;
    this.address = dialed.address;
    this.timings = dialed.timings;
    this.clientCertificate = dialed.session?.certificate ?? null;
    const { socket, tcp, reads } = dialed;
    const transport = new SocketTransport(clock, socket, tcp, reads);
    this.#reads = reads;
    transport.owner = this;
    this.transport = transport;
  }

  /** Gives the connection back for others to use, or ends it. The owner is told nothing more. */
  release(reusable: boolean): void {
    this.owner = null;
    this.#reads?.forget();
    if (reusable && this.alive) this.#pool.keep(this);
    else this.transport.destroy();
  }

  get fate(): BytesFate {
    return this.owner?.fate ?? 'kept';
  }

  received(bytes: Buffer): void {
    // Bytes on an idle connection answer no request: what comes next could not be told apart from them.
    if (this.owner === null) this.#pool.discard(this);
    else this.owner.received(bytes);
  }

  ended(): void {
    if (this.owner === null) this.#pool.discard(this);
    else this.owner.ended();
  }

  closed(error: NodeJS.ErrnoException | null): void {
    this.alive = false;
    const owner = this.owner;
    this.owner = null;
    this.#pool.forget(this);
    owner?.closed(error);
  }

  drained(): void {
    this.owner?.drained();
  }
}

/** Connections to upstreams, idle ones last used first: a few stay warm and the others time out. */
export class UpstreamPool implements Upstreams {
  #idle = new Map<string, UpstreamConnection[]>();
  #idleCount = 0;
  /** Every connection whose socket is open, idle, leased or on its way out. */
  #open = new Set<UpstreamConnection>();
  #generation = 0;
  #sweep: Timer | null = null;
  #closed = false;
  readonly #dial: DialOptions;
  readonly #limits: PoolLimits;
  readonly #clock: Clock;

  constructor(dialOptions: DialOptions, limits: PoolLimits = defaultPoolLimits) {
    this.#dial = dialOptions;
    this.#clock = dialOptions.clock;
    this.#limits = limits;
  }

  get idleCount(): number {
    return this.#idleCount;
  }

  /** An idle connection at once, else a new one. `fresh` asks for a new one: the last one proved stale. */
  lease(destination: Destination, request: LeaseRequest, fresh = false): PendingLease | null {
    const idle = fresh ? undefined : this.#takeIdle(destination.key);
    if (idle !== undefined) {
      idle.uses += 1;
      request.leased(idle);
      return null;
    }
    const generation = this.#generation;
    const cancel = dial(destination, this.#dial, (result) => {
      if (!result.ok) return request.failed(result.failure);
      request.leased(this.adopt(destination, result.dialed, generation));
    });
    return { cancel };
  }

  keep(connection: UpstreamConnection): void {
    const stack = this.#stackOf(connection.destination.key);
    const full =
      stack.length >= this.#limits.maxIdlePerDestination || this.#idleCount >= this.#limits.maxIdle;
    if (full || this.#closed || connection.generation !== this.#generation)
      return connection.transport.destroy();
    connection.idleSince = this.#clock.now();
    connection.transport.resume(hold.all);
    stack.push(connection);
    this.#idleCount += 1;
    this.#sweepLater();
  }

  /** Ends a connection that nobody has leased. */
  discard(connection: UpstreamConnection): void {
    this.#takeOut(connection);
    connection.transport.destroy();
  }

  /** Its socket has closed. */
  forget(connection: UpstreamConnection): void {
    this.#takeOut(connection);
    this.#open.delete(connection);
  }

  #takeOut(connection: UpstreamConnection): void {
    const stack = this.#idle.get(connection.destination.key);
    const at = stack?.indexOf(connection) ?? -1;
    if (stack !== undefined && at >= 0) {
      stack.splice(at, 1);
      this.#idleCount -= 1;
    }
  }

  /** Kept while it is empty, until the next sweep: a Map that changes with each call makes garbage that lives long. */
  #stackOf(key: string): UpstreamConnection[] {
    let stack = this.#idle.get(key);
    if (stack === undefined) this.#idle.set(key, (stack = []));
    return stack;
  }

  /** Trust has changed: ends every idle connection, and those that are leased when they are given back. */
  renew(): void {
    this.#generation += 1;
    for (const stack of [...this.#idle.values()])
      for (const connection of [...stack]) this.discard(connection);
  }

  /** Ends every connection at once. */
  close(): void {
    this.#closed = true;
    this.#sweep?.cancel();
    this.#sweep = null;
    for (const connection of [...this.#open]) this.discard(connection);
  }

  /** Takes over a connection that was made elsewhere, leased to whoever gave it. */
  adopt(destination: Destination, dialed: Dialed, generation = this.#generation): UpstreamConnection {
    const connection = new UpstreamConnection(this, this.#clock, generation, destination, dialed);
    this.#open.add(connection);
    return connection;
  }

  #takeIdle(key: string): UpstreamConnection | undefined {
    const stack = this.#idle.get(key);
    const connection = stack?.pop();
    if (connection !== undefined) this.#idleCount -= 1;
    return connection;
  }

  #sweepLater(): void {
    this.#sweep ??= this.#clock.setTimer(
      this.#limits.idleTimeoutMs / 4,
      () => {
        this.#sweep = null;
        this.#discardOld();
        if (this.#idleCount > 0) this.#sweepLater();
      },
      true,
    );
  }

  #discardOld(): void {
    const oldest = this.#clock.now() - this.#limits.idleTimeoutMs;
    for (const [key, stack] of this.#idle) {
      for (const connection of [...stack]) if (connection.idleSince < oldest) this.discard(connection);
      if (stack.length === 0) this.#idle.delete(key);
    }
  }
}
