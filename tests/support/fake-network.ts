import type { FlowRecord } from '../../src-main/engine/capture/flow-record.ts';
import type { ActiveRule } from '../../src-main/engine/cluster/messages.ts';
import type { ClientFacts, ProxyEnvironment } from '../../src-main/engine/proxy/environment.ts';
import { defaultHttp1Limits } from '../../src-main/engine/proxy/http1/limits.ts';
import type { ProtocolRequest } from '../../src-main/engine/proxy/http2/ports.ts';
import { OpenFlows } from '../../src-main/engine/proxy/open-flows.ts';
import { WaitingFlows } from '../../src-main/engine/proxy/waiting-flows.ts';
import type {
  Destination,
  LeasedConnection,
  LeaseRequest,
  Transport,
  TransportOwner,
  Upstreams,
} from '../../src-main/engine/proxy/ports.ts';
import { RuleRuntime } from '../../src-main/engine/rules/rule-runtime.ts';
import { ManualClock } from './manual-clock.ts';

/** A side of a connection that notes what it is told. */
export class FakeTransport implements Transport {
  text = '';
  /** end, close, destroy, reset: in the order in which they were commanded. */
  readonly commands: string[] = [];
  holds = 0;
  isFull = false;

  write(bytes: Buffer): boolean {
    return this.writeText(bytes.toString('latin1'));
  }
  writeText(text: string): boolean {
    if (this.commands.length > 0) throw new Error(`written after ${this.commands.join()}: ${text}`);
    this.text += text;
    return !this.isFull;
  }
  writeBoth(text: string, bytes: Buffer): boolean {
    return this.writeText(text + bytes.toString('latin1'));
  }
  pause(reason: number): void {
    this.holds |= reason;
  }
  resume(reasons: number): void {
    this.holds &= ~reasons;
  }
  end(): void {
    this.commands.push('end');
  }
  close(): void {
    this.commands.push('close');
  }
  destroy(): void {
    this.commands.push('destroy');
  }
  reset(): void {
    this.commands.push('reset');
  }
}

export class FakeConnection implements LeasedConnection {
  readonly transport = new FakeTransport();
  readonly address = '127.0.0.1:80';
  readonly timings = { dnsMs: -1, connectMs: 1, tlsMs: -1 };
  uses = 0;
  owner: TransportOwner | null = null;
  attachment: unknown = null;
  released: boolean | null = null;

  release(reusable: boolean): void {
    this.released = reusable;
    this.owner = null;
  }
}

export interface PendingRequest {
  readonly destination: Destination;
  readonly request: LeaseRequest;
  readonly fresh: boolean;
  cancelled: boolean;
}

/** Everything that a session needs, without a socket: leases wait in `leases` until the test grants them. */
export function fakeNetwork(rules: readonly ActiveRule[] = []) {
  const clock = new ManualClock();
  const flows: FlowRecord[] = [];
  const leases: PendingRequest[] = [];
  const asks: { destination: Destination; request: ProtocolRequest }[] = [];
  const sink = { record: (flow: FlowRecord) => void flows.push(flow), messages: () => undefined };
  const runtime = new RuleRuntime(clock, () => 0.5, { ask: () => undefined, release: () => undefined });
  runtime.configure(rules);
  const destination = (scheme: Destination['scheme'], host: string, port: number): Destination => ({
    scheme,
    host,
    port,
    origin: `${scheme}://${host}:${port}`,
    key: `${scheme}|${host}|${port}`,
    callee: { current: { name: host, resolvedBy: 'host', pid: null }, ready: null },
    route: null,
    serverName: null,
    replacedName: null,
    via: null,
    tunnelled: null,
    priorKnowledge: false,
  });
  let ids = 0;
  const upstreams: Upstreams = {
    lease(to, request, fresh = false) {
      const pending = { destination: to, request, fresh, cancelled: false };
      leases.push(pending);
      return { cancel: () => void (pending.cancelled = true) };
    },
  };
  const environment: ProxyEnvironment = {
    clock,
    worker: 1,
    ids: { next: () => `flow-${(ids += 1)}` },
    rules: runtime,
    upstreams,
    httpUpstreams: {
      lease: upstreams.lease,
      ask(to, request) {
        asks.push({ destination: to, request });
        return { cancel: () => undefined };
      },
    },
    sink,
    openFlows: new OpenFlows(clock, sink),
    waiting: new WaitingFlows(),
    loopMark: '1.1 spike-abc123',
    http1Limits: defaultHttp1Limits,
    collectBody: () => null,
    messagesOf: () => null,
    destination,
    stripsAltSvc: () => true,
    isForbidden: () => false,
  };
  const facts: ClientFacts = {
    connectionId: 'c1',
    client: '127.0.0.1:1',
    caller: { current: { name: 'web', resolvedBy: 'address', pid: null }, ready: null },
    listener: null,
    faults: [],
    tls: null,
    destination: destination('http', 'orders', 80),
    ownHost: null,
  };
  return { clock, flows, leases, asks, runtime, environment, facts };
}
