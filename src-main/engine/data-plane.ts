import { createPrivateKey } from 'node:crypto';
import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { createFlowIdSource } from '#shared/flow/flow-id.ts';
import type { HeldToWorker } from './breakpoints/held-messages.ts';
import { WorkerHolds } from './breakpoints/worker-holds.ts';
import { BodyCollector, createBodyBudget } from './capture/body-collector.ts';
import { createCaptureWriter } from './capture/capture-writer.ts';
import type { CaptureWriter } from './capture/capture-writer.ts';
import type { FlowRecord, FlowSink } from './capture/flow-record.ts';
import { longBodiesBytes, LongBodyCollector } from './capture/long-body-collector.ts';
import type { Clock, Random, Timer } from './clock.ts';
import type { HoldGauge, WorkerConfig, WorkerIdentity } from './cluster/messages.ts';
import type { PrimaryLink, WorkerDataPlane } from './cluster/worker-session.ts';
import { AddressCounter } from './io/address-counter.ts';
import { ClientConnection } from './io/client-connection.ts';
import { ClientWatch, defaultClientLimits } from './io/client-watch.ts';
import type { ClientLimits } from './io/client-watch.ts';
import type { ConnectionEnvironment, Entry } from './io/connection-environment.ts';
import { Destinations } from './io/destinations.ts';
import type { DialOptions } from './io/dial.ts';
import { FlushQueue } from './io/flush-queue.ts';
import { defaultHttp2Limits } from './io/http2-limits.ts';
import { Http2Upstreams } from './io/http2-upstreams.ts';
import { Listeners } from './io/listeners.ts';
import { isLoopback } from './io/loopback.ts';
import { OwnPorts } from './io/own-ports.ts';
import { UpstreamPool } from './io/upstream-pool.ts';
import type { Log } from './log.ts';
import type { EdgeAggregator } from './metrics/edge-aggregator.ts';
import { defaultHttp1Limits } from './proxy/http1/limits.ts';
import { FlowMessages } from './proxy/flow-messages.ts';
import { MessageRate } from './proxy/message-rate.ts';
import { loopMarkOf } from './proxy/loop-guard.ts';
import { OpenFlows } from './proxy/open-flows.ts';
import { WaitingFlows } from './proxy/waiting-flows.ts';
import type { NameHolder, NetworkFailure } from './proxy/ports.ts';
import { compileText } from '#shared/rules/pattern.ts';
import { RuleRuntime } from './rules/rule-runtime.ts';
import type { Decision } from './rules/trigger-counter.ts';
import { AutoPassthroughView } from './tls/auto-passthrough-view.ts';
import { certificateAuthorityFromPem } from './tls/certificate-authority.ts';
import { createFaultyLeafIssuer } from './tls/faulty-certificates.ts';
import type { FaultyLeafIssuer } from './tls/faulty-certificates.ts';
import { createLeafIssuer } from './tls/leaf-certificates.ts';
import type { LeafIssuer } from './tls/leaf-certificates.ts';
import { UpstreamContexts } from './tls/client-certificates.ts';
import { upstreamRoots } from './tls/trust-store.ts';

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

const proxyClosed: NetworkFailure = {
  cause: 'fault-close',
  code: 'SPIKE_PROXY_CLOSED',
  message: "The proxy was disabled, changed or removed by a client of Toxiproxy's API.",
};

/**
 * What one worker does: listeners, connections, protocols, rules, capture. Everything that it needs to know comes in by
 * `configure`, everything that it saw goes out by the link.
 */
export class DataPlane implements WorkerDataPlane {
  readonly #connections = new Set<ClientConnection>();
  readonly #addresses: AddressCounter;
  readonly #watch: ClientWatch;
  readonly #asks = new Map<number, (decision: Decision) => void>();
  #nextAsk = 1;
  #nextConnection = 1;
  #config: WorkerConfig;
  #contexts: UpstreamContexts;
  #passThrough: ((name: string) => boolean)[] = [];
  #entries = new Map<string | null, Entry>();
  #hitsTimer: Timer | null = null;
  #draining = false;
  /** Where the listeners are bound: the proxy's is null. */
  readonly #listening = new Map<string | null, string>();
  readonly #ownPorts = new OwnPorts();
  readonly #options: DataPlaneOptions;
  readonly #destinations: Destinations;
  readonly #listeners: Listeners;
  readonly #rules: RuleRuntime;
  readonly #holds: WorkerHolds;
  readonly #capture: CaptureWriter;
  readonly #pool: UpstreamPool;
  readonly #httpUpstreams: Http2Upstreams;
  readonly #leaves: LeafIssuer;
  readonly #faultyLeaves: FaultyLeafIssuer;
  readonly #autoPassthrough: AutoPassthroughView;
  readonly #openFlows: OpenFlows;
  readonly #environment: ConnectionEnvironment;

  constructor(options: DataPlaneOptions) {
    const { clock, link, config, clientLimits = defaultClientLimits } = options;
    this.#options = options;
    this.#config = config;
    this.#contexts = upstreamContexts(config);
    this.#destinations = new Destinations((host, port) => options.names.callee(host, port));
    this.#destinations.setProxies(config.upstreamProxies);
    this.#addresses = new AddressCounter(clientLimits.maxConnectionsPerAddress);
    this.#watch = new ClientWatch(clock, clientLimits);
    this.#holds = new WorkerHolds((message) => link.send(message));
    this.#rules = new RuleRuntime(clock, options.random, {
      ask: (ruleId, epoch, reply) => this.#ask(ruleId, epoch, reply),
      release: (ruleId, epoch) => link.send({ type: 'release', ruleId, epoch }),
    });
    this.#rules.hitCounted = () => this.#hitsLater();
    this.#rules.breakpoints = this.#holds;
    this.#capture = createCaptureWriter({
      clock,
      settings: config.capture,
      send: (...batch) => link.capture(...batch),
    });
    const dialOptions: DialOptions = {
      clock,
      connectTimeoutMs: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
      secureContext: (host, port) => this.#contexts.contextFor(host, port),
      isForbidden: (host, port, sameMachine) => this.#ownPorts.forbids(host, port, sameMachine),
      isOwnPort: (host, port, sameMachine) => this.#ownPorts.includes(host, port, sameMachine),
    };
    this.#pool = new UpstreamPool(dialOptions);
    this.#httpUpstreams = new Http2Upstreams(this.#pool, dialOptions, defaultHttp2Limits, defaultHttp1Limits);
    const leafParts = leafPartsOf(options.identity, clock);
    this.#leaves = createLeafIssuer(leafParts);
    this.#faultyLeaves = createFaultyLeafIssuer(leafParts);
    this.#autoPassthrough = new AutoPassthroughView(() => clock.now(), {
      rejected: (rejection) => link.send({ type: 'tls.rejected', ...rejection }),
      accepted: (client, name) => link.send({ type: 'tls.accepted', client, name }),
    });
    const sink: FlowSink = {
      record: (flow) => this.#record(flow),
      messages: (source, sizeBytes) => this.#capture.messages(source, sizeBytes),
    };
    this.#openFlows = new OpenFlows(clock, sink);
    this.#listeners = new Listeners(
      (socket, name, localAddress) => this.#accept(socket, name, localAddress),
      (report) => {
        if (report.address === null) this.#listening.delete(report.name);
        else this.#listening.set(report.name, report.address);
        this.#noteOwnPorts();
        link.send({ type: 'listening', ...report });
      },
    );
    this.#environment = this.#createEnvironment(sink);
  }

  openConnections(): number {
    return this.#connections.size;
  }

  takeHolds(): HoldGauge {
    const { budget } = this.#rules;
    return { heldBytes: budget.heldBytes, ...budget.takeCounts() };
  }

  announceOpenFlows(): void {
    for (const flow of this.#openFlows.snapshots()) this.#options.edges.begin(flow);
  }

  /** Takes over a configuration: rules first, so that what they hold is let go at once. Resolves when all is bound. */
  async configure(config: WorkerConfig): Promise<{ released: number }> {
    const before = this.#config;
    this.#config = config;
    this.#rules.budget.limitBytes = config.limits.maxRuleHoldBytes;
    const released = this.#rules.configure(config.rules);
    this.#flushHits();
    this.#capture.configure(config.capture);
    this.#passThrough = config.tls.passthrough.map((pattern) => compileText(pattern, false));
    this.#autoPassthrough.configure(config.tls.autoPassthrough, config.tls.distrust);
    this.#followUpstreamSettings(before);
    this.#setRoutes(config);
    this.#drainMoved();
    this.#noteOwnPorts();
    if (!this.#draining) {
      const routes = config.routes.map((route) => ({ name: route.name, listen: route.listen }));
      await this.#listeners.follow([{ name: null, listen: config.proxyListen }, ...routes]);
    }
    return { released };
  }

  decideReply(ask: number, decision: Decision): void {
    const reply = this.#asks.get(ask);
    this.#asks.delete(ask);
    reply?.(decision);
  }

  heldReceived(message: HeldToWorker): void {
    this.#holds.received(message);
  }

  captureAck(bytes: number): void {
    this.#capture.acknowledge(bytes);
  }

  /** Accepts nothing more, lets open calls end; resolves when the last connection is gone. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#listeners.close();
    this.#holds.stop();
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
    this.#httpUpstreams.close();
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
    const longBudget = createBodyBudget(longBodiesBytes);
    const messageRate = new MessageRate();
    return {
      clock,
      worker: identity.number,
      ids: createFlowIdSource(identity.agentId, identity.number),
      rules: this.#rules,
      upstreams: this.#pool,
      httpUpstreams: this.#httpUpstreams,
      http2Limits: defaultHttp2Limits,
      http2Queue: new FlushQueue(clock),
      sink,
      openFlows: this.#openFlows,
      waiting: new WaitingFlows(),
      http1Limits: defaultHttp1Limits,
      loopMark: loopMarkOf(identity.agentId),
      collectBody: (isLong = false) => {
        const { recording, maxBodyBytes } = this.#config.capture;
        if (!recording) return null;
        return isLong
          ? new LongBodyCollector(maxBodyBytes, longBudget)
          : new BodyCollector(maxBodyBytes, budget);
      },
      messagesOf: (flow) =>
        this.#config.capture.recording
          ? new FlowMessages(flow, sink, () => this.#openFlows.messagesBegan(), messageRate)
          : null,
      destination: (scheme, host, port, serverName) => this.#destinations.get(scheme, host, port, serverName),
      stripsAltSvc: () => this.#config.http.stripAltSvc,
      isForbidden: (host, port) => this.#ownPorts.forbids(host, port),
      leafContext: (name) => this.#leaves.contextFor(name),
      faultyContext: (name, fault) => this.#faultyLeaves.contextFor(name, fault),
      isRecording: () => this.#config.capture.recording,
      isPassedThrough: (name) => this.#passThrough.some((matches) => matches(name)),
      autoPassthrough: this.#autoPassthrough,
      resolveCaller: (socket, proxyUser) => names.caller(socket, proxyUser),
      connectionClosed: (connection) => this.#forget(connection),
    };
  }

  /** What connections to upstreams are made by: those that were made otherwise serve no further call. */
  #followUpstreamSettings(before: WorkerConfig): void {
    const { upstreamProxies } = this.#config;
    const parts = ({ tls: { extraRootsPem, clientCertificates } }: WorkerConfig): unknown => [
      extraRootsPem,
      clientCertificates,
    ];
    const tlsChanged = !isDeepStrictEqual(parts(this.#config), parts(before));
    const proxiesChanged = !isDeepStrictEqual(upstreamProxies, before.upstreamProxies);
    if (tlsChanged) this.#contexts = upstreamContexts(this.#config);
    if (proxiesChanged) this.#destinations.setProxies(upstreamProxies);
    if (!tlsChanged && !proxiesChanged) return;
    this.#pool.renew();
    this.#httpUpstreams.renew();
  }

  #setRoutes(config: WorkerConfig): void {
    this.#destinations.setRoutes(config.routes);
    this.#entries = new Map<string | null, Entry>([
      [null, { route: null, destination: null, ownHost: null, origin: null }],
    ]);
    for (const route of config.routes) {
      const destination = this.#destinations.forRoute(route);
      // An upstream elsewhere knows its own name only; one on this machine gets the Host that the client used.
      const ownHost = isLoopback(destination.host) ? null : route.listen;
      this.#entries.set(route.name, {
        route: route.name,
        destination,
        ownHost,
        origin: route.origin ?? null,
      });
    }
  }

  /**
   * Connections of a route that is gone or leads elsewhere end with the call at hand: the next call finds the new way. Those
   * of a proxy of Toxiproxy's API end at once.
   */
  #drainMoved(): void {
    for (const connection of [...this.#connections]) {
      const { route, destination, origin } = connection.entry;
      const now = this.#entries.get(route);
      if (now?.destination?.key === destination?.key && !connection.hasMoved) continue;
      if (origin === 'toxiproxy') connection.stop(proxyClosed);
      else connection.drain();
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
    const { maxConnections } = this.#options.clientLimits ?? defaultClientLimits;
    if (this.#connections.size >= maxConnections) return connection.refuse(overloaded(maxConnections));
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

  #ask(ruleId: string, epoch: number, reply: (decision: Decision) => void): void {
    const ask = this.#nextAsk++;
    this.#asks.set(ask, reply);
    this.#options.link.send({ type: 'decide', ask, ruleId, epoch });
  }

  #noteOwnPorts(): void {
    const { forbiddenUpstreams } = this.#config;
    const proxy = this.#listening.get(null);
    const routes = [...this.#listening].flatMap(([name, address]) => (name === null ? [] : [address]));
    this.#ownPorts.set(proxy === undefined ? forbiddenUpstreams : [...forbiddenUpstreams, proxy], routes);
  }
}

function overloaded(maxConnections: number): NetworkFailure {
  return {
    cause: 'spike-overloaded',
    code: 'SPIKE_OVERLOADED',
    message: `This worker has ${maxConnections} connections open, as many as it takes; this one was reset. Start Spike with more workers, or look for connections that are opened and never closed.`,
  };
}

function tooManyConnections(address: string): NetworkFailure {
  return {
    cause: 'client-limit-exceeded',
    code: 'SPIKE_TOO_MANY_CONNECTIONS',
    message: `${address} has as many connections to this worker as Spike takes from one address; this one was reset. Look for connections that are opened and never closed.`,
  };
}

/** Takes some 10 ms: once a change. */
function upstreamContexts({ tls }: WorkerConfig): UpstreamContexts {
  const { extraRootsPem, clientCertificates } = tls;
  return new UpstreamContexts(upstreamRoots(extraRootsPem), clientCertificates, (glob) =>
    compileText(glob, false),
  );
}

/** What leaf certificates are made with. */
function leafPartsOf(identity: WorkerIdentity, clock: Clock) {
  return {
    ca: certificateAuthorityFromPem({ ...identity.ca, now: clock.now() }),
    now: () => clock.now(),
    leafKey: createPrivateKey(identity.leafKeyPem),
    ticketKeys: Buffer.from(identity.ticketKeys),
  };
}
