import type { FlowRecord } from '../capture/flow-record.ts';
import type { ClientFacts, ProxyEnvironment } from '../proxy/environment.ts';
import type { SwitchedProtocol } from '../proxy/exchange-host.ts';
import { finishFlow, newFlow } from '../proxy/new-flow.ts';
import { hold } from '../proxy/ports.ts';
import type { Destination, LeasedConnection, NetworkFailure, PendingLease } from '../proxy/ports.ts';
import { Tunnel } from '../proxy/tunnel.ts';
import { linkHoldLimitBytes } from '../rules/link.ts';
import { WayIn } from '../proxy/way-in.ts';
import type { SocketTransport } from './socket-transport.ts';

interface Ahead {
  readonly connection: LeasedConnection;
  readonly destination: Destination;
}

/** What an upstream said before the tunnel to it was opened. */
interface Said {
  readonly bytes: Buffer | null;
  readonly ended: boolean;
}

const nothingSaid: Said = { bytes: null, ended: false };

/**
 * Where a client's connection becomes a tunnel: connects to the upstream, ahead if the client says nothing, and hands
 * both transports to a Tunnel.
 */
export class TunnelDoor {
  #lease: PendingLease | null = null;
  /** Connected ahead, because the client says nothing: its server may speak first. */
  #ahead: Ahead | null = null;
  #tunnel: Tunnel | null = null;
  #connecting = false;
  #wayIn: WayIn | null = null;
  #over = false;
  readonly #environment: ProxyEnvironment;
  readonly #facts: ClientFacts;
  /** The client's; another one once TLS has been opened. */
  readonly #client: () => SocketTransport;

  constructor(environment: ProxyEnvironment, facts: ClientFacts, client: () => SocketTransport) {
    this.#environment = environment;
    this.#facts = facts;
    this.#client = client;
  }

  /** Whether the client's connection is a tunnel, or is becoming one. */
  get isOpen(): boolean {
    return this.#connecting || this.#tunnel !== null;
  }

  /**
   * Connects, and opens the tunnel if the upstream speaks first.
   * @param quiet A failure is not told: the client has not asked for anything, and is answered when it does.
   */
  connectAhead(destination: Destination, quiet: boolean): void {
    this.#leaseFor(
      destination,
      (connection) => this.#waitForServer({ connection, destination }),
      (failure) => {
        if (!quiet) this.#failed(destination, failure, null);
      },
    );
  }

  /** The client has spoken, and it is nothing for a tunnel. What was connected ahead may serve as an HTTP connection. */
  dropAhead(): void {
    const ahead = this.#ahead;
    this.#ahead = null;
    ahead?.connection.release(ahead.destination.scheme !== 'tcp');
    this.#lease?.cancel();
    this.#lease = null;
  }

  /** Connects and passes bytes; what has come from the client goes first. */
  connect(destination: Destination, first: Buffer | null): void {
    const startedAt = this.#environment.clock.now();
    const flow = newFlow('tcp', this.#environment, this.#facts, destination, startedAt);
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead !== null && ahead.destination.key === destination.key) {
      return this.#open(destination, ahead.connection, flow, nothingSaid, first);
    }
    ahead?.connection.release(false);
    this.#lease?.cancel();
    this.#connecting = true;
    const client = this.#client();
    client.owner = {
      received: (bytes) => {
        first = first === null ? bytes : Buffer.concat([first, bytes]);
        if (first.length > linkHoldLimitBytes) client.pause(hold.connecting);
      },
      ended: () => {
        // One whose connection is held on purpose has most likely given up; else it is asked of the socket again later.
        if (this.#wayIn !== null) this.#failed(destination, clientGone(null), flow);
      },
      closed: (error) => this.#failed(destination, clientGone(error), flow),
      drained: () => undefined,
    };
    this.#wayIn = new WayIn(this.#environment, this.#facts, destination, startedAt);
    this.#wayIn.decide((decision) => {
      this.#wayIn = null;
      client.pause(hold.connecting);
      flow.faults = [...flow.faults, ...decision.faults];
      if (decision.failure !== null) return this.#failed(destination, decision.failure, flow);
      this.#leaseFor(
        destination,
        (connection) =>
          this.#open(destination, connection, flow, nothingSaid, first, {
            matched: decision.matched,
            hit: [],
          }),
        (failure) => this.#failed(destination, failure, flow),
      );
    });
  }

  /** The two sides of an exchange have agreed on another protocol; `ahead` is what the client has said in it. */
  adopt(switched: SwitchedProtocol, ahead: Buffer | null): void {
    const { connection, destination, flow, rest, restEnded } = switched;
    this.#open(destination, connection, flow, { bytes: rest, ended: restEnded }, ahead, switched);
  }

  /** Spike stops. */
  stop(failure: NetworkFailure): void {
    this.#tunnel?.stop(failure);
    this.close();
  }

  /** The client's connection is gone. */
  close(): void {
    this.#over = true;
    this.#wayIn?.abandon();
    this.#wayIn = null;
    this.#lease?.cancel();
    this.#lease = null;
    this.#ahead?.connection.release(false);
    this.#ahead = null;
  }

  #leaseFor(
    destination: Destination,
    leased: (connection: LeasedConnection) => void,
    failed: (failure: NetworkFailure) => void,
  ): void {
    this.#lease = this.#environment.upstreams.lease(
      destination,
      {
        leased: (connection) => {
          this.#lease = null;
          if (this.#over) connection.release(false);
          else leased(connection);
        },
        failed: (failure) => {
          this.#lease = null;
          if (!this.#over) failed(failure);
        },
      },
      true,
    );
  }

  #waitForServer(ahead: Ahead): void {
    const { connection, destination } = ahead;
    this.#ahead = ahead;
    const speaks = (said: Said): void => {
      this.#ahead = null;
      const flow = newFlow('tcp', this.#environment, this.#facts, destination, this.#environment.clock.now());
      this.#open(destination, connection, flow, said, null);
    };
    connection.owner = {
      received: (bytes) => speaks({ bytes, ended: false }),
      ended: () => speaks({ bytes: null, ended: true }),
      closed: (error) => {
        this.#ahead = null;
        this.#failed(destination, upstreamGone(destination, error), null);
      },
      drained: () => undefined,
    };
  }

  #open(
    destination: Destination,
    upstream: LeasedConnection,
    flow: FlowRecord,
    said: Said,
    fromClient: Buffer | null,
    before: Pick<SwitchedProtocol, 'matched' | 'hit'> = { matched: [], hit: [] },
  ): void {
    const client = this.#client();
    if (flow.kind === 'tcp') noteConnection(flow, upstream);
    const tunnel = new Tunnel({
      environment: this.#environment,
      facts: this.#facts,
      destination,
      client,
      upstream,
      flow,
      matched: before.matched,
    });
    this.#tunnel = tunnel;
    this.#connecting = false;
    const owner = tunnel.open(before.hit);
    client.owner = owner;
    if (said.bytes !== null) tunnel.passed('response', said.bytes);
    if (said.ended) tunnel.halfClosed('response');
    if (fromClient !== null) owner.received(fromClient);
    // Told to the owner before, perhaps, and never again.
    if (client.socket.readableEnded) owner.ended();
    client.resume(hold.exchange | hold.turn);
  }

  #failed(destination: Destination, failure: NetworkFailure, flow: FlowRecord | null): void {
    const now = this.#environment.clock.now();
    const ended = flow ?? newFlow('tcp', this.#environment, this.#facts, destination, now);
    this.close();
    finishFlow(this.#environment, ended, this.#facts, destination, failure);
    // What the client would have seen without Spike: a refused connection is closest to a reset one. It is told for good.
    const client = this.#client();
    client.owner = null;
    if (this.#facts.endsWhole === true && failure.cause.startsWith('upstream-')) client.close();
    else client.reset();
  }
}

function noteConnection(flow: FlowRecord, connection: LeasedConnection): void {
  flow.upstreamAddress = connection.address;
  flow.upstreamReused = connection.uses > 0;
  flow.dnsMs = connection.timings.dnsMs;
  flow.connectMs = connection.timings.connectMs;
  flow.tlsMs = connection.timings.tlsMs;
}

function clientGone(error: NodeJS.ErrnoException | null): NetworkFailure {
  const code = error?.code ?? 'SPIKE_CLIENT_CLOSED';
  return {
    cause: 'client-closed',
    code,
    message: 'The client closed its connection before it was connected.',
  };
}

function upstreamGone(destination: Destination, error: NodeJS.ErrnoException | null): NetworkFailure {
  const code = error?.code ?? 'SPIKE_CLOSED';
  const message = `${destination.host}:${destination.port} broke the connection off before a byte was said (${code}).`;
  return { cause: error === null ? 'upstream-closed-early' : 'upstream-reset', code, message };
}
