import type { Direction } from '#shared/flow/flow.ts';
import type { FlowRecord } from '../capture/flow-record.ts';
import type { FaultPlan } from '../rules/fault-plan.ts';
import { Link } from '../rules/link.ts';
import type { CompiledRule } from '../rules/compiled-rules.ts';
import { needs } from '../rules/compiled-rules.ts';
import type { RulesFollower } from '../rules/rule-runtime.ts';
import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import { endFlow } from './new-flow.ts';
import type { OpenFlow } from './open-flows.ts';
import type { Destination, LeasedConnection, NetworkFailure, Transport, TransportOwner } from './ports.ts';

/** One end of a tunnel: bytes that come from it go into a link, or straight to the other end. */
class TunnelEnd implements TransportOwner {
  readonly #tunnel: Tunnel;
  readonly #direction: Direction;

  constructor(tunnel: Tunnel, direction: Direction) {
    this.#tunnel = tunnel;
    this.#direction = direction;
  }

  received(bytes: Buffer): void {
    this.#tunnel.passed(this.#direction, bytes);
  }
  ended(): void {
    this.#tunnel.halfClosed(this.#direction);
  }
  closed(error: NodeJS.ErrnoException | null): void {
    this.#tunnel.gone(this.#direction, error);
  }
  drained(): void {
    this.#tunnel.drained(this.#direction);
  }
}

/**
 * Two directions of bytes that are not opened. Each half closes by itself (RFC 9293, section 3.6): an answer under way
 * is not lost because the client has said all it had to say. Rules that change while it is open take effect on it.
 */
export class Tunnel implements OpenFlow, RulesFollower {
  #links: Record<Direction, Link> | null = null;
  #plan: FaultPlan | null = null;
  #rules: readonly CompiledRule[] = [];
  #ended: Record<Direction, boolean> = { request: false, response: false };
  #over = false;
  #deciding = 0;
  readonly #environment: ProxyEnvironment;
  readonly #facts: ClientFacts;
  readonly #destination: Destination;
  readonly #client: Transport;
  readonly #upstream: LeasedConnection;
  readonly #flow: FlowRecord;
  readonly #onEnd: () => void;

  /** Takes over both transports; `flow` has been begun by whoever opened the connection, and is ended here. */
  constructor(parts: {
    environment: ProxyEnvironment;
    facts: ClientFacts;
    destination: Destination;
    client: Transport;
    upstream: LeasedConnection;
    flow: FlowRecord;
    /** A plan that is already open (an upgraded exchange): its stages have seen the head. */
    onEnd?: () => void;
  }) {
    this.#environment = parts.environment;
    this.#facts = parts.facts;
    this.#destination = parts.destination;
    this.#client = parts.client;
    this.#upstream = parts.upstream;
    this.#flow = parts.flow;
    this.#onEnd = parts.onEnd ?? (() => undefined);
  }

  get startedAtMs(): number {
    return this.#flow.startedAtMs;
  }

  /** Begins to pass bytes. Returns the owner that the client's transport is to have from now on. */
  open(): TransportOwner {
    this.#environment.openFlows.add(this);
    this.#environment.rules.followers.add(this);
    this.#upstream.owner = new TunnelEnd(this, 'response');
    this.rulesChanged();
    this.#upstream.transport.resume();
    return new TunnelEnd(this, 'request');
  }

  passed(direction: Direction, bytes: Buffer): void {
    if (direction === 'request') this.#flow.requestBodyBytes += bytes.length;
    else this.#flow.responseBodyBytes += bytes.length;
    if (this.#links !== null) this.#links[direction].push(bytes);
    else this.#write(direction, bytes);
  }

  halfClosed(direction: Direction): void {
    if (this.#links !== null) this.#links[direction].end();
    else this.#end(direction);
  }

  /** One side is gone for good: what is held for the other is let out, then it ends as well. */
  gone(direction: Direction, error: NodeJS.ErrnoException | null): void {
    if (this.#over) return;
    const clientGone = direction === 'request';
    if (error === null && !clientGone && this.#links !== null && this.#links.response.heldBytes > 0) {
      return this.#links.response.end();
    }
    if (error?.code === 'ECONNRESET') (clientGone ? this.#upstream.transport : this.#client).reset();
    this.#finish(error === null ? null : failureOf(direction, error));
  }

  drained(direction: Direction): void {
    // This end can be written to again, so the other may be read again.
    (direction === 'request' ? this.#upstream.transport : this.#client).resume();
  }

  rulesChanged(): void {
    const runtime = this.#environment.rules;
    if ((runtime.compiled.needs & needs.tunnels) === 0 && this.#plan === null) return;
    const caller = this.#facts.caller;
    if (caller.ready !== null) {
      void caller.ready.then(() => {
        if (!this.#over) this.rulesChanged();
      });
      return;
    }
    const callee = this.#destination.callee.current.name;
    const matching = runtime.compiled.matchTunnel(caller.current.name, callee, this.#destination.host);
    const key = (rule: CompiledRule): string => `${rule.rule.id}\n${rule.rule.epoch}`;
    const known = new Set(this.#rules.map(key));
    const added = matching.filter((rule) => !known.has(key(rule)));
    this.#rules = matching;
    if (added.length > 0) this.#draw(added);
  }

  snapshot(): FlowRecord {
    return {
      ...this.#flow,
      caller: this.#facts.caller.current,
      callee: this.#destination.callee.current,
      faults: this.#plan?.applied() ?? this.#flow.faults,
    };
  }

  #draw(added: readonly CompiledRule[]): void {
    const turn = ++this.#deciding;
    this.#environment.rules.trigger(added, (hit) => {
      if (this.#over || hit.length === 0 || turn !== this.#deciding) return;
      this.#apply(hit);
    });
  }

  #apply(hit: readonly CompiledRule[]): void {
    const runtime = this.#environment.rules;
    if (this.#plan === null) this.#plan = runtime.open([], this.#flow.startedAtMs);
    for (const rule of hit) runtime.adopt(this.#plan, rule);
    this.#links ??= {
      request: this.#link('request', this.#client),
      response: this.#link('response', this.#upstream.transport),
    };
    this.#plan.extend(hit, this.#links);
    if (this.#plan.takeResetAtStart()) this.#reset();
  }

  #link(direction: Direction, source: Transport): Link {
    return new Link(
      {
        write: (bytes) => this.#write(direction, bytes),
        end: () => this.#end(direction),
        reset: () => this.#reset(),
      },
      source,
    );
  }

  #write(direction: Direction, bytes: Buffer): void {
    const [from, to] =
      direction === 'request'
        ? [this.#client, this.#upstream.transport]
        : [this.#upstream.transport, this.#client];
    if (!to.write(bytes)) from.pause();
  }

  #end(direction: Direction): void {
    if (this.#ended[direction]) return;
    this.#ended[direction] = true;
    (direction === 'request' ? this.#upstream.transport : this.#client).end();
    if (this.#ended.request && this.#ended.response) this.#finish(null);
  }

  #reset(): void {
    if (this.#over) return;
    this.#client.reset();
    this.#finish({
      cause: 'fault-reset',
      code: 'ECONNRESET',
      message: 'A rule reset the connection to the client.',
    });
  }

  #finish(failure: NetworkFailure | null): void {
    if (this.#over) return;
    this.#over = true;
    const now = this.#environment.clock.now();
    this.#environment.openFlows.remove(this);
    this.#environment.rules.followers.delete(this);
    if (this.#plan !== null) {
      this.#environment.rules.close(this.#plan);
      this.#flow.faults = [...this.#flow.faults, ...this.#plan.applied()];
    }
    endFlow(this.#flow, this.#facts, this.#destination, now, failure);
    this.#environment.sink.record(this.#flow);
    if (failure !== null) this.#client.destroy();
    this.#upstream.release(false);
    this.#client.end();
    this.#onEnd();
  }
}

function failureOf(direction: Direction, error: NodeJS.ErrnoException): NetworkFailure {
  const code = error.code ?? 'UNKNOWN';
  return direction === 'request'
    ? { cause: 'client-closed', code, message: `The client broke the connection off (${code}).` }
    : { cause: 'upstream-reset', code, message: `The upstream broke the connection off (${code}).` };
}
