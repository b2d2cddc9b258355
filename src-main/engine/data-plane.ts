import { createPrivateKey } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { createFlowIdSource } from '#shared/flow/flow-id.ts';
import { splitAddress } from '#shared/routes/route.ts';
import { BodyCollector, createBodyBudget } from './capture/body-collector.ts';
import { createCaptureWriter } from './capture/capture-writer.ts';
import type { CaptureWriter } from './capture/capture-writer.ts';
import type { FlowRecord, FlowSink } from './capture/flow-record.ts';
import type { Clock, Random, Timer } from './clock.ts';
import type { WorkerConfig, WorkerIdentity } from './cluster/messages.ts';
import type { PrimaryLink, WorkerDataPlane } from './cluster/worker-session.ts';
import { AddressCounter } from './io/address-counter.ts';
import { ClientConnection } from './io/client-connection.ts';
import { ClientWatch, defaultClientLimits } from './io/client-watch.ts';
import type { ClientLimits } from './io/client-watch.ts';
import type { ConnectionEnvironment, Entry } from './io/connection-environment.ts';
import { Destinations, isLoopback } from './io/destinations.ts';
import { Listeners } from './io/listeners.ts';
import { UpstreamPool } from './io/upstream-pool.ts';
import type { Log } from './log.ts';
import type { EdgeAggregator } from './metrics/edge-aggregator.ts';
import { defaultHttp1Limits } from './proxy/http1/limits.ts';
import { FlowMessages } from './proxy/flow-messages.ts';
import { OpenFlows } from './proxy/open-flows.ts';
import type { NameHolder, NetworkFailure } from './proxy/ports.ts';
import { compileText } from './rules/match.ts';
import { RuleRuntime } from './rules/rule-runtime.ts';
import { certificateAuthorityFromPem } from './tls/certificate-authority.ts';
import { createLeafIssuer } from './tls/leaf-certificates.ts';
import type { LeafIssuer } from './tls/leaf-certificates.ts';
import { buildUpstreamContext } from './tls/trust-store.ts';

/** Who calls and who is called, as far as sockets tell. */
export interface NameSource {
  /** The caller on a client's connection: by its proxy credentials, else by who owns its port. */
  caller(client: Socket, proxyUser: string | null): NameHolder;
  callee(host: string, port: number): NameHolder;
  close(): void;
}

export interface DataPlaneOptions {
  readonly identity: WorkerIdentity;
  readonly config: WorkerConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly link: PrimaryLink;
  /** Counts every flow. */
  readonly edges: EdgeAggregator;
  readonly names: NameSource;
  /** Default 10,000: name, TCP and TLS together. */
  readonly connectTimeoutMs?: number;
  /** Default: `defaultClientLimits`. */
  readonly clientLimits?: ClientLimits;
}

const hitsEveryMs = 250;
const defaultConnectTimeoutMs = 10_000;

const stopping: NetworkFailure = {
  cause: 'spike-stopping',
  code: 'SPIKE_STOPPING',
  message: 'Spike stopped before the call was over.',
};

/**
 * What one worker does: listeners, connections, protocols, rules, capture. Everything that it needs to know comes in by
 * `configure`, everything that it saw goes out by the link.
 */
export class DataPlane implements WorkerDataPlane {
  readonly #connections = new Set<ClientConnection>();
  readonly #addresses: AddressCounter;
  readonly #watch: ClientWatch;
  readonly #asks = new Map<number, (hit: boolean) => void>();
  #nextAsk = 1;
  #nextConnection = 1;
  #config: WorkerConfig;
  #context: SecureContext;
  #passThrough: ((name: string) => boolean)[] = [];
  #entries = new Map<string | null, Entry>();
  #hitsTimer: Timer | null = null;
  #draining = false;
  #proxyAddress: string | null = null;
  readonly #forbidden = new Map<number, Set<string>>();
  readonly #options: DataPlaneOptions;
  readonly #destinations: Destinations;
  readonly #listeners: Listeners;
  readonly #rules: RuleRuntime;
  readonly #capture: CaptureWriter;
  readonly #pool: UpstreamPool;
  readonly #leaves: LeafIssuer;
  readonly #openFlows: OpenFlows;
  readonly #environment: ConnectionEnvironment;

  constructor(options: DataPlaneOptions) {
    const { clock, link, config, clientLimits = defaultClientLimits } = options;
    this.#options = options;
    this.#config = config;
    this.#context = buildUpstreamContext(config.tls.extraRootsPem);
    this.#destinations = new Destinations((host, port) => options.names.callee(host, port));
    this.#addresses = new AddressCounter(clientLimits.maxConnectionsPerAddress);
    this.#watch = new ClientWatch(clock, clientLimits);
    this.#rules = new RuleRuntime(clock, options.random, (ruleId, epoch, reply) =>
      this.#ask(ruleId, epoch, reply),
    );
    this.#capture = createCaptureWriter({
      clock,
      settings: config.capture,
      send: (batch, droppedFlows, droppedBodies) =>
        link.send({ type: 'capture', batch, droppedFlows, droppedBodies }),
    });
    this.#pool = new UpstreamPool({
      clock,
      connectTimeoutMs: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
      secureContext: () => this.#context,
      isForbidden: (host, port, sameMachine) => this.#isForbidden(host, port, sameMachine),
    });
    this.#leaves = leafIssuerOf(options.identity, clock);
    const sink: FlowSink = {
      record: (flow) => this.#record(flow),
      messages: (source, sizeBytes) => this.#capture.messages(source, sizeBytes),
    };
    this.#openFlows = new OpenFlows(clock, sink);
    this.#listeners = new Listeners(
      (socket, name, localAddress) => this.#accept(socket, name, localAddress),
      (report) => {
        if (report.name === null) this.#proxyAddress = report.address;
        this.#noteForbidden();
        link.send({ type: 'listening', ...report });
      },
    );
    this.#environment = this.#createEnvironment(sink);
  }

  openConnections(): number {
    return this.#connections.size;
  }

  announceOpenFlows(): void {
    for (const flow of this.#openFlows.snapshots()) this.#options.edges.begin(flow);
  }

  /** Takes over a configuration: rules first, so that what they hold is let go at once. Resolves when all is bound. */
  async configure(config: WorkerConfig): Promise<{ released: number }> {
    const trustChanged =
      config.tls.extraRootsPem.join() !== this.#config.tls.extraRootsPem.join() && config !== this.#config;
    this.#config = config;
    const released = this.#rules.configure(config.rules);
    this.#flushHits();
    this.#capture.configure(config.capture);
    this.#passThrough = config.tls.passthrough.map((pattern) => compileText(pattern, false));
    if (trustChanged) {
      this.#context = buildUpstreamContext(config.tls.extraRootsPem);
      this.#pool.renew();
    }
    this.#setRoutes(config);
    this.#drainMoved();
    this.#noteForbidden();
    if (!this.#draining) {
      const routes = config.routes.map((route) => ({ name: route.name, listen: route.listen }));
      await this.#listeners.follow([{ name: null, listen: config.proxyListen }, ...routes]);
    }
    return { released };
  }

  decideReply(ask: number, hit: boolean): void {
    const reply = this.#asks.get(ask);
    this.#asks.delete(ask);
    reply?.(hit);
  }

  captureAck(bytes: number): void {
    this.#capture.acknowledge(bytes);
  }

  /** Accepts nothing more, lets open calls end; resolves when the last connection is gone. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#listeners.close();
    for (const connection of this.#connections) connection.drain();
    while (this.#connections.size > 0) {
      await new Promise<void>((resolve) => this.#options.clock.setTimer(20, resolve));
    }
  }

  /** Ends everything at once; what was captured has been sent. */
  async close(): Promise<void> {
    this.#draining = true;
    this.#listeners.close();
    for (const connection of [...this.#connections]) connection.stop(stopping);
    this.#watch.close();
    this.#pool.close();
    this.#openFlows.close();
    this.#hitsTimer?.cancel();
    this.#flushHits();
    // Flows that wait for a name get the one they have, in the turn after this.
    this.#options.names.close();
    await new Promise((resolve) => setImmediate(resolve));
    await this.#openFlows.settled();
    this.#capture.close();
  }

  #createEnvironment(sink: FlowSink): ConnectionEnvironment {
    const { clock, identity, names } = this.#options;
    const budget = createBodyBudget();
    const longBudget = createBodyBudget();
    return {
      clock,
      worker: identity.number,
      ids: createFlowIdSource(identity.agentId, identity.number),
      rules: this.#rules,
      upstreams: this.#pool,
      sink,
      openFlows: this.#openFlows,
      http1Limits: defaultHttp1Limits,
      collectBody: (isLong = false) => {
        const { recording, maxBodyBytes } = this.#config.capture;
        if (!recording) return null;
        return new BodyCollector(maxBodyBytes, isLong ? longBudget : budget, isLong);
      },
      messagesOf: (flow, open) =>
        this.#config.capture.recording
          ? new FlowMessages(flow, sink, () => this.#openFlows.soon(open))
          : null,
      destination: (scheme, host, port, serverName) => this.#destinations.get(scheme, host, port, serverName),
      isForbidden: (host, port) => this.#isForbidden(host, port),
      leafContext: (name) => this.#leaves.contextFor(name),
      isRecording: () => this.#config.capture.recording,
      isPassedThrough: (name) => this.#passThrough.some((matches) => matches(name)),
      resolveCaller: (socket, proxyUser) => names.caller(socket, proxyUser),
      connectionClosed: (connection) => this.#forget(connection),
    };
  }

  #setRoutes(config: WorkerConfig): void {
    this.#destinations.setRoutes(config.routes);
    this.#entries = new Map<string | null, Entry>([
      [null, { route: null, destination: null, ownHost: null }],
    ]);
    for (const route of config.routes) {
      const destination = this.#destinations.forRoute(route);
      // An upstream elsewhere knows its own name only; one on this machine gets the Host that the client used.
      const ownHost = isLoopback(destination.host) ? null : route.listen;
      this.#entries.set(route.name, { route: route.name, destination, ownHost });
    }
  }

  /** Connections of a route that is gone or leads elsewhere end with the call at hand: the next call finds the new way. */
  #drainMoved(): void {
    for (const connection of this.#connections) {
      const { route, destination } = connection.entry;
      const now = this.#entries.get(route);
      if (now?.destination?.key !== destination?.key || connection.hasMoved) connection.drain();
    }
  }

  #accept(socket: Socket, name: string | null, localAddress: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined || this.#draining) {
      socket.destroy();
      return;
    }
    const connectionId = `${this.#options.identity.number}-${this.#nextConnection++}`;
    // Looked up at once: a client that asks for one thing and exits is gone a few ms later.
    const caller = this.#options.names.caller(socket, null);
    const at = entry.ownHost === null ? entry : { ...entry, ownHost: localAddress };
    const connection = new ClientConnection(this.#environment, socket, at, connectionId, caller);
    if (!this.#addresses.take(connection.address))
      return connection.refuse(tooManyConnections(connection.address));
    this.#connections.add(connection);
    connection.open();
    this.#watch.add(connection);
  }

  #forget(connection: ClientConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#addresses.giveBack(connection.address);
    this.#watch.remove(connection);
  }

  #record(flow: FlowRecord): void {
    this.#options.edges.add(flow);
    this.#capture.record(flow);
    if (this.#rules.compiled.needs !== 0) this.#hitsLater();
  }

  #hitsLater(): void {
    if (this.#hitsTimer !== null) return;
    this.#hitsTimer = this.#options.clock.setTimer(
      hitsEveryMs,
      () => {
        this.#hitsTimer = null;
        this.#flushHits();
      },
      true,
    );
  }

  #flushHits(): void {
    const hits = this.#rules.takeHits();
    if (hits !== null) this.#options.link.send({ type: 'hits', hits });
  }

  #ask(ruleId: string, epoch: number, reply: (hit: boolean) => void): void {
    const ask = this.#nextAsk++;
    this.#asks.set(ask, reply);
    this.#options.link.send({ type: 'decide', ask, ruleId, epoch });
  }

  /**
   * Spike's own ports: a call to them would go round in a circle, or reach the control API from where it must not.
   * Asked for each call, so a port that is none of them costs one look-up.
   */
  #isForbidden(host: string, port: number, sameMachine = false): boolean {
    const hosts = this.#forbidden.get(port);
    if (hosts === undefined) return false;
    return (
      hosts.has(host) || (sameMachine && hosts.has('any')) || (isLoopback(host) && hosts.has('loopback'))
    );
  }

  #noteForbidden(): void {
    this.#forbidden.clear();
    const own = [...this.#config.forbiddenUpstreams];
    if (this.#proxyAddress !== null) own.push(this.#proxyAddress);
    for (const address of own) {
      const { host, port } = splitAddress(address);
      const hosts = this.#forbidden.get(port) ?? new Set();
      hosts.add(host);
      if (isLoopback(host)) hosts.add('loopback');
      // Bound to all of this machine's addresses: then each of them is Spike.
      if (host === '0.0.0.0' || host === '::') hosts.add('any');
      this.#forbidden.set(port, hosts);
    }
  }
}

function tooManyConnections(address: string): NetworkFailure {
  return {
    cause: 'client-limit-exceeded',
    code: 'SPIKE_TOO_MANY_CONNECTIONS',
    message: `${address} has as many connections to this worker as Spike takes from one address; this one was reset. Look for connections that are opened and never closed.`,
  };
}

function leafIssuerOf(identity: WorkerIdentity, clock: Clock): LeafIssuer {
  const ca = certificateAuthorityFromPem({ ...identity.ca, now: clock.now() });
  return createLeafIssuer({
    ca,
    now: () => clock.now(),
    leafKey: createPrivateKey(identity.leafKeyPem),
    ticketKeys: Buffer.from(identity.ticketKeys),
  });
}
