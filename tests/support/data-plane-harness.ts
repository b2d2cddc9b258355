import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bodyPlace,
  decodeFlow,
  parseMessages,
  recordOffsets,
  splitBatch,
} from '../../src-main/engine/capture/batch-codec.ts';
import { HeldDesk } from '../../src-main/engine/breakpoints/held-desk.ts';
import { createSystemClock } from '../../src-main/engine/clock.ts';
import type { Clock, Random } from '../../src-main/engine/clock.ts';
import { DecisionDesk } from '../../src-main/engine/cluster/decision-desk.ts';
import type {
  ActiveRule,
  ToPrimary,
  WorkerConfig,
  WorkerIdentity,
} from '../../src-main/engine/cluster/messages.ts';
import { DataPlane } from '../../src-main/engine/data-plane.ts';
import type { NameSource } from '../../src-main/engine/data-plane.ts';
import type { ClientLimits } from '../../src-main/engine/io/client-watch.ts';
import { silentLog } from '../../src-main/engine/log.ts';
import { EdgeAggregator } from '../../src-main/engine/metrics/edge-aggregator.ts';
import { AutoPassthroughBook } from '../../src-main/engine/tls/auto-passthrough.ts';
import { loadOrCreateCertificateAuthority } from '../../src-main/engine/tls/certificate-authority.ts';
import type { CertificateAuthority } from '../../src-main/engine/tls/certificate-authority.ts';
import type { AgentEvent } from '../../src-shared/contract/events.ts';
import type { Flow } from '../../src-shared/flow/flow.ts';
import type { FlowMessage } from '../../src-shared/flow/message.ts';
import type { RouteDefinition } from '../../src-shared/routes/route.ts';
import { FaultSchema } from '../../src-shared/rules/fault.ts';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import type { Match, Trigger } from '../../src-shared/rules/rule.ts';
import { CaptureSettingsSchema } from '../../src-shared/workspace/workspace.ts';

/** A flow as it was captured, with the bodies that came with it. */
export interface SeenFlow {
  readonly flow: Flow;
  readonly requestBody: Buffer;
  readonly responseBody: Buffer;
}

/** What a test says of a rule; the rest is the default. `epoch` counts up as in the agent when a rule is changed. */
export interface RuleText {
  readonly name: string;
  readonly epoch?: number;
  readonly match?: Match;
  readonly trigger?: Trigger;
  readonly faults: readonly FaultInput[];
}

export interface HarnessOptions {
  readonly routes?: readonly RouteDefinition[];
  readonly rules?: readonly RuleText[];
  readonly tls?: Partial<WorkerConfig['tls']>;
  readonly http?: Partial<WorkerConfig['http']>;
  readonly limits?: Partial<WorkerConfig['limits']>;
  readonly capture?: Partial<WorkerConfig['capture']>;
  readonly proxyListen?: string;
  readonly forbiddenUpstreams?: readonly string[];
  readonly upstreamProxies?: WorkerConfig['upstreamProxies'];
}

export interface HarnessParts {
  readonly random?: Random;
  /** Counts for several data planes at once. */
  readonly desk?: DecisionDesk;
  /** The primary's, for calls that are held. */
  readonly heldClock?: Clock;
  readonly names?: Partial<NameSource>;
  readonly connectTimeoutMs?: number;
  readonly clientLimits?: ClientLimits;
  readonly worker?: number;
  /** Default: the same for all. */
  readonly agentId?: string;
}

let authority: Promise<CertificateAuthority> | null = null;

/** A CA of its own, made once a test file; its directory is gone again. */
export function testAuthority(): Promise<CertificateAuthority> {
  authority ??= makeAuthority();
  return authority;
}

export async function makeAuthority(now = Date.now()): Promise<CertificateAuthority> {
  const directory = await mkdtemp(join(tmpdir(), 'spike-data-plane-'));
  try {
    return await loadOrCreateCertificateAuthority({
      directory,
      now: () => now,
      log: silentLog,
      hostName: 'test',
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const leafKeyPem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const ticketKeys = randomBytes(48);

export function activeRule({ name, epoch = 1, match = {}, trigger = {}, faults }: RuleText): ActiveRule {
  return {
    id: name,
    name,
    epoch,
    sinceMs: Date.now(),
    match,
    trigger,
    faults: faults.map((fault) => FaultSchema.parse(fault)),
  };
}

/** One data plane in this process, with a primary that decodes what it captured and counts for its rules. */
export class DataPlaneHarness implements AsyncDisposable {
  /** Flows that have ended, in the order of their end. */
  readonly ended: SeenFlow[] = [];
  /** Reports of flows that were open then. */
  readonly open: Flow[] = [];
  /** What passed inside flows, by the id of the flow. */
  readonly messages = new Map<string, FlowMessage[]>();
  readonly hits = new Map<string, number>();
  readonly addresses = new Map<string | null, string>();
  readonly edges = new EdgeAggregator();
  /** The primary's list of clients that reject the certificate. */
  readonly distrust = new AutoPassthroughBook(Date.now);
  /** The primary's list of calls that are held, and what it told of them. */
  readonly held: HeldDesk;
  readonly heldEvents: AgentEvent[] = [];
  readonly plane: DataPlane;
  readonly caPem: string;
  #options: HarnessOptions;
  #version = 1;
  #waiting: (() => void)[] = [];
  readonly #desk: DecisionDesk;
  readonly #worker: number;

  private constructor(ca: CertificateAuthority, options: HarnessOptions, parts: HarnessParts) {
    this.caPem = ca.certificatePem;
    this.#options = options;
    const random = parts.random ?? Math.random;
    this.#worker = parts.worker ?? 1;
    this.#desk = parts.desk ?? new DecisionDesk(random, createSystemClock());
    this.held = new HeldDesk({
      clock: parts.heldClock ?? createSystemClock(),
      send: (_worker, message) => setImmediate(() => this.plane.heldReceived(message)),
      tell: (event) => void this.heldEvents.push(event),
    });
    this.plane = new DataPlane({
      identity: {
        ...identityOf(ca, parts.worker ?? 1),
        ...(parts.agentId !== undefined && { agentId: parts.agentId }),
      },
      config: this.#config(),
      clock: createSystemClock(),
      random,
      log: silentLog,
      link: {
        send: (message) => this.#receive(message),
        capture: (batch, _flows, _bodies, tail) => {
          const whole = Buffer.concat([batch, ...(tail?.chunks ?? [])]);
          tail?.taken();
          this.#capture(whole);
        },
      },
      edges: this.edges,
      names: { ...plainNames, ...parts.names },
      ...(parts.connectTimeoutMs !== undefined && { connectTimeoutMs: parts.connectTimeoutMs }),
      ...(parts.clientLimits !== undefined && { clientLimits: parts.clientLimits }),
    });
  }

  static async start(options: HarnessOptions = {}, parts: HarnessParts = {}): Promise<DataPlaneHarness> {
    const harness = new DataPlaneHarness(await testAuthority(), options, parts);
    await harness.configure({});
    return harness;
  }

  /** host:port of the proxy port. */
  get proxy(): string {
    return this.address(null);
  }

  get proxyPort(): number {
    return this.port(null);
  }

  address(name: string | null): string {
    const address = this.addresses.get(name);
    if (address === undefined) throw new Error(`no listener ${name ?? 'for the proxy'}`);
    return address;
  }

  port(name: string | null): number {
    return Number(this.address(name).split(':').at(-1));
  }

  /** Changes what is given and keeps the rest. Resolves with how many calls were let go. */
  async configure(change: HarnessOptions): Promise<number> {
    this.#options = { ...this.#options, ...change };
    this.#version += 1;
    const config = this.#config();
    this.#desk.configure(config.rules);
    return (await this.plane.configure(config)).released;
  }

  /** The first flow that has ended and that the test means; waits for it. */
  async flow(means: (flow: Flow) => boolean = () => true): Promise<SeenFlow> {
    return (await this.flows(1, means))[0] as SeenFlow;
  }

  async flows(count: number, means: (flow: Flow) => boolean = () => true): Promise<SeenFlow[]> {
    const find = (): SeenFlow[] => this.ended.filter((seen) => means(seen.flow));
    await this.until(() => find().length >= count);
    return find();
  }

  /** The messages inside a flow, once there are so many; those that came later as well. */
  async messagesOf(id: string, count: number): Promise<readonly FlowMessage[]> {
    await this.until(() => (this.messages.get(id)?.length ?? 0) >= count);
    return this.messages.get(id) ?? [];
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plane.close();
    this.held.close();
  }

  #config(): WorkerConfig {
    const {
      routes = [],
      rules = [],
      tls,
      capture,
      proxyListen,
      forbiddenUpstreams,
      http,
      limits,
      upstreamProxies,
    } = this.#options;
    return {
      version: this.#version,
      proxyListen: proxyListen ?? '127.0.0.1:0',
      routes,
      rules: rules.map(activeRule),
      capture: { ...CaptureSettingsSchema.parse({}), recording: true, ...capture },
      // Off where a test does not ask for it: all its clients have one name.
      tls: {
        passthrough: [],
        extraRootsPem: [],
        clientCertificates: [],
        autoPassthrough: false,
        distrust: this.distrust.snapshot(),
        ...tls,
      },
      http: { stripAltSvc: true, ...http },
      limits: { maxRuleHoldBytes: 128 * 1024 ** 2, ...limits },
      upstreamProxies: upstreamProxies ?? null,
      forbiddenUpstreams: forbiddenUpstreams ?? [],
    };
  }

  #receive(message: ToPrimary): void {
    if (message.type === 'decide') {
      const decision = this.#desk.decide(this.#worker, message.ruleId, message.epoch);
      // As over a channel: the answer comes later.
      setImmediate(() => this.plane.decideReply(message.ask, decision));
    } else if (
      message.type === 'held.ask' ||
      message.type === 'held.reserve' ||
      message.type === 'held.size' ||
      message.type === 'held.gone' ||
      message.type === 'held.over' ||
      message.type === 'held.reply'
    ) {
      this.held.received(this.#worker, message);
    } else if (message.type === 'release') {
      this.#desk.release(this.#worker, message.ruleId, message.epoch);
    } else if (message.type === 'listening' && message.address !== null) {
      this.addresses.set(message.name, message.address);
    } else if (message.type === 'tls.rejected' || message.type === 'tls.accepted') {
      if (message.type === 'tls.rejected') this.distrust.rejected(message);
      else this.distrust.accepted(message.client, message.name);
      void this.configure({});
    } else if (message.type === 'hits') {
      for (const [rule, count] of Object.entries(message.hits)) {
        this.hits.set(rule, (this.hits.get(rule) ?? 0) + count);
      }
    }
    this.#resumeWaiting();
  }

  #resumeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  #capture(bytes: Buffer): void {
    const { flows: batch, messages } = splitBatch(Buffer.from(bytes));
    for (const { flowId, json } of messages) {
      this.messages.set(flowId, [...(this.messages.get(flowId) ?? []), ...parseMessages(json)]);
    }
    for (const offset of recordOffsets(batch)) {
      const flow = decodeFlow(batch, offset);
      if (flow.durationMs === null) this.open.push(flow);
      else {
        const body = (side: 'request' | 'response'): Buffer => {
          const place = bodyPlace(batch, offset, side);
          return batch.subarray(offset + place.offset, offset + place.offset + place.length);
        };
        this.ended.push({ flow, requestBody: body('request'), responseBody: body('response') });
      }
    }
    this.plane.captureAck(bytes.length);
    this.#resumeWaiting();
  }
}

const plainNames: NameSource = {
  caller: (_socket, authorization) => ({
    current: {
      name: authorization ?? 'client',
      resolvedBy: authorization === null ? 'address' : 'proxy-user',
      pid: null,
    },
    ready: null,
  }),
  callee: (host, port) => ({
    current: { name: `${host}:${port}`, resolvedBy: 'host', pid: null },
    ready: null,
  }),
  close: () => undefined,
};

function identityOf(ca: CertificateAuthority, number: number): WorkerIdentity {
  const privateKeyPem = ca.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    number,
    agentId: 'abc123',
    ca: { certificatePem: ca.certificatePem, privateKeyPem, directory: ca.directory },
    leafKeyPem,
    ticketKeys,
  };
}
