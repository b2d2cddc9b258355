import type { Direction } from '#shared/flow/flow.ts';
import { parseFields } from '../capture/field-text.ts';
import type { FlowRecord } from '../capture/flow-record.ts';
import type { CallFacts, TunnelFacts } from '../rules/call-facts.ts';
import type { FaultPlan, RulePlace } from '../rules/fault-plan.ts';
import { FrameChain } from '../rules/frame-chain.ts';
import { Link } from '../rules/link.ts';
import type { Candidates, CompiledRule } from '../rules/compiled-rules.ts';
import type { RuleHit } from '../rules/rule-hit.ts';
import { needs } from '../rules/compiled-rules.ts';
import { namesNeeded } from './names-needed.ts';
import type { Cut } from '../rules/faults/stage.ts';
import type { RulesFollower } from '../rules/rule-runtime.ts';
import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import { finishFlow } from './new-flow.ts';
import type { OpenFlow } from './open-flows.ts';
import { cutByRule } from './cut-by-rule.ts';
import { hold } from './ports.ts';
import { observeTunnel } from './tunnel-observer.ts';
import type { TunnelObserver } from './tunnel-observer.ts';
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
export class Tunnel implements OpenFlow, RulesFollower, RulePlace {
  openAt = -1;
  #links: Record<Direction, Link> | null = null;
  /** Of a WebSocket, before the links: knows from the first byte on where frames begin. */
  #frames: Record<Direction, FrameChain> | null = null;
  #plan: FaultPlan | null = null;
  /** Those that match now: drawn once each, whether they hit or not. */
  #rules: Candidates = [];
  /** The sender has said that this was all; `#ended`: and it has been passed on. */
  #ending: Record<Direction, boolean> = { request: false, response: false };
  #ended: Record<Direction, boolean> = { request: false, response: false };
  /** What the flow brought with it: an upgraded exchange has faults of its own. */
  readonly #faultsBefore: FlowRecord['faults'];
  #over = false;
  /** Why it ends whole, once the other direction has let out what it holds; null: its sides have ended it. */
  #failure: NetworkFailure | null = null;
  #gone: Record<Direction, boolean> = { request: false, response: false };
  #waitsForName = false;
  /** Until its rules have been looked at for the first time. */
  #isOpening = true;
  /** The rules that were on when it was opened. */
  #rulesFromStart: Set<string> | null = null;
  readonly #environment: ProxyEnvironment;
  readonly #facts: ClientFacts;
  readonly #destination: Destination;
  readonly #client: Transport;
  readonly #upstream: LeasedConnection;
  readonly #flow: FlowRecord;
  #observer: TunnelObserver | null = null;

  /** Takes over both transports; `flow` has been begun by whoever opened the connection, and is ended here. */
  constructor(parts: {
    environment: ProxyEnvironment;
    facts: ClientFacts;
    destination: Destination;
    client: Transport;
    upstream: LeasedConnection;
    flow: FlowRecord;
    /** Rules that matched before it became a tunnel; they are not drawn again. */
    matched?: Candidates;
  }) {
    this.#environment = parts.environment;
    this.#facts = parts.facts;
    this.#destination = parts.destination;
    this.#client = parts.client;
    this.#upstream = parts.upstream;
    this.#flow = parts.flow;
    this.#faultsBefore = parts.flow.faults;
    this.#rules = parts.matched ?? [];
  }

  get isNamed(): boolean {
    return this.#facts.caller.ready === null && this.#destination.callee.ready === null;
  }

  get startedAtMs(): number {
    return this.#flow.startedAtMs;
  }

  /**
   * Begins to pass bytes. Returns the owner that the client's transport is to have from now on.
   * @param hit Rules that hit what it was before, and stay on its bytes.
   */
  open(hit: readonly RuleHit[] = []): TransportOwner {
    this.#environment.openFlows.add(this);
    this.#observer = this.#observe();
    this.#environment.rules.followers.add(this);
    this.#upstream.owner = new TunnelEnd(this, 'response');
    if (this.#flow.kind === 'websocket')
      this.#frames = {
        request: this.#chain('request', this.#client),
        response: this.#chain('response', this.#upstream.transport),
      };
    const stays = ({ rule }: RuleHit): boolean =>
      rule.actsOnTunnels || (rule.actsOnFrames && this.#frames !== null);
    const staying = hit.filter(stays);
    this.#environment.rules.giveBack(hit.filter((one) => !stays(one)));
    if (staying.length > 0)
      this.#apply(staying, (plan, { rule }) => this.#environment.rules.carry(plan, rule));
    this.rulesChanged();
    this.#upstream.transport.resume(hold.all);
    return new TunnelEnd(this, 'request');
  }

  passed(direction: Direction, bytes: Buffer): void {
    if (this.#over) return;
    if (direction === 'request') this.#flow.requestBodyBytes += bytes.length;
    else this.#flow.responseBodyBytes += bytes.length;
    if (this.#frames !== null) this.#frames[direction].push(bytes);
    else this.#pass(direction, bytes);
    this.#observer?.passed(direction, bytes);
  }

  halfClosed(direction: Direction): void {
    if (this.#over || this.#ending[direction]) return;
    this.#ending[direction] = true;
    if (this.#frames !== null) this.#frames[direction].end();
    else this.#passEnd(direction);
  }

  /** One side is gone for good. After an orderly end, what is held for the other is still let out in its time. */
  gone(direction: Direction, error: NodeJS.ErrnoException | null): void {
    if (this.#over) return;
    this.#gone[direction] = true;
    if (error === null) {
      // With both gone nobody is left for what is held.
      if (this.#gone.request && this.#gone.response) return this.#finish(this.#failure, 'close');
      return this.halfClosed(direction);
    }
    const failure = failureOf(direction, error);
    if (error.code === 'ECONNRESET') this.#finish(failure, 'reset');
    else this.#finish(failure, 'close');
  }

  drained(direction: Direction): void {
    // This end can be written to again, so the other may be read again.
    (direction === 'request' ? this.#upstream.transport : this.#client).resume(hold.full);
  }

  /** Spike stops. Whoever calls this ends the client's connection. */
  stop(failure: NetworkFailure): void {
    this.#finish(failure, 'close');
  }

  rulesChanged(): void {
    const runtime = this.#environment.rules;
    const bits = this.#frames === null ? needs.tunnels : needs.tunnels | needs.calls;
    if ((runtime.compiled.needs & bits) === 0 && this.#plan === null) {
      this.#isOpening = false;
      return;
    }
    if (this.#waitForNames(runtime.compiled.needs)) return;
    const callee = this.#destination.callee.current.name;
    const caller = this.#facts.caller.current.name;
    const place = {
      caller,
      callee,
      host: this.#destination.host,
      route: this.#destination.route,
      listener: this.#facts.listener,
    };
    const matching =
      this.#frames === null
        ? runtime.compiled.matchTunnel(place)
        : runtime.compiled.matchWebSocket(
            askedFor(this.#flow, place, this.#destination.origin),
            this.#flow.status ?? 0,
          );
    const key = (rule: CompiledRule): string => `${rule.rule.id}\n${rule.rule.epoch}`;
    const known = new Set(this.#rules.map(key));
    const added = matching.filter((rule) => !known.has(key(rule)));
    this.#rules = matching;
    if (this.#isOpening && matching.length > 0)
      this.#rulesFromStart = new Set(matching.map(({ rule }) => rule.id));
    this.#isOpening = false;
    if (added.length > 0) this.#draw(added);
  }

  /** Whether a name that the rules ask for is still being looked up; looks at the rules again when that is over. */
  #waitForNames(needed: number): boolean {
    const names = namesNeeded(needed, this.#facts.caller, this.#destination.callee);
    if (names === null || this.#waitsForName) return this.#waitsForName;
    this.#waitsForName = true;
    void names.then(() => {
      this.#waitsForName = false;
      if (!this.#over) this.rulesChanged();
    });
    return true;
  }

  snapshot(): FlowRecord {
    return {
      ...this.#flow,
      caller: this.#facts.caller.current,
      callee: this.#destination.callee.current,
      faults: this.#faults(),
    };
  }

  #observe(): TunnelObserver | null {
    const { tls } = this.#facts;
    return observeTunnel({
      environment: this.#environment,
      flow: this.#flow,
      port: this.#destination.port,
      isOpaque: tls !== null && !tls.intercepted,
    });
  }

  #draw(added: readonly CompiledRule[]): void {
    this.#environment.rules.trigger(added, (hit) => {
      if (this.#over) this.#environment.rules.giveBack(hit);
      else if (hit.length > 0) this.#apply(hit);
    });
  }

  #apply(
    hit: readonly RuleHit[],
    keep = (plan: FaultPlan, one: RuleHit): void => this.#environment.rules.adopt(plan, one),
  ): void {
    const runtime = this.#environment.rules;
    if (this.#plan === null) this.#plan = runtime.open([], this.#flow.startedAtMs);
    for (const one of hit) keep(this.#plan, one);
    this.#links ??= {
      request: this.#link('request', this.#client),
      response: this.#link('response', this.#upstream.transport),
    };
    this.#plan.extend(hit, this.#links, this, this.#frames);
    const cut = this.#plan.takeCutAtStart();
    if (cut !== null) this.#cut(cut);
  }

  // --- RulePlace

  isFromStart({ rule }: CompiledRule): boolean {
    return this.#isOpening || this.#rulesFromStart?.has(rule.id) === true;
  }

  isLater(one: CompiledRule, than: CompiledRule): boolean {
    const placeOf = ({ rule }: CompiledRule): number =>
      this.#rules.findIndex((known) => known.rule.id === rule.id);
    return placeOf(one) > placeOf(than);
  }

  #link(direction: Direction, source: Transport): Link {
    return new Link(
      {
        write: (bytes) => this.#write(direction, bytes),
        end: () => this.#end(direction),
        reset: () => this.#cut('reset'),
        close: () => this.#closedByRule(direction),
      },
      { pause: () => source.pause(hold.link), resume: () => source.resume(hold.link) },
      this.#environment.rules.budget,
    );
  }

  #chain(direction: Direction, source: Transport): FrameChain {
    return new FrameChain(
      direction,
      {
        write: (bytes) => this.#pass(direction, bytes),
        end: () => this.#passEnd(direction),
        close: () => this.#cut('close'),
      },
      { pause: () => source.pause(hold.frames), resume: () => source.resume(hold.frames) },
      this.#environment.rules.budget,
    );
  }

  #pass(direction: Direction, bytes: Buffer): void {
    if (this.#links !== null) this.#links[direction].push(bytes);
    else this.#write(direction, bytes);
  }

  #passEnd(direction: Direction): void {
    if (this.#links !== null) this.#links[direction].end();
    else this.#end(direction);
  }

  #write(direction: Direction, bytes: Buffer): void {
    const [from, to] =
      direction === 'request'
        ? [this.#client, this.#upstream.transport]
        : [this.#upstream.transport, this.#client];
    if (!to.write(bytes)) from.pause(hold.full);
  }

  #end(direction: Direction): void {
    if (this.#ended[direction]) return;
    this.#ended[direction] = true;
    const to = direction === 'request' ? this.#upstream.transport : this.#client;
    if (this.#facts.endsWhole === true) {
      // What was read of the other direction is still let out, through its faults; nothing more is read.
      to.close();
      this.halfClosed(direction === 'request' ? 'response' : 'request');
    } else to.end();
    if (this.#ended.request && this.#ended.response) this.#finish(this.#failure, 'close');
  }

  #closedByRule(direction: Direction): void {
    if (this.#facts.endsWhole !== true) return this.#cut('close');
    this.#failure ??= cutByRule.close;
    this.#ending[direction] = true;
    this.#end(direction);
  }

  #cut(how: Cut): void {
    this.#finish(cutByRule[how], how);
  }

  #faults(): FlowRecord['faults'] {
    return this.#plan === null ? this.#faultsBefore : [...this.#faultsBefore, ...this.#plan.applied()];
  }

  /** Both sides end alike: in an orderly way, so that what was written still arrives, or with a RST. */
  #finish(failure: NetworkFailure | null, how: 'close' | 'reset'): void {
    if (this.#over) return;
    this.#over = true;
    this.#environment.openFlows.remove(this);
    this.#environment.rules.followers.delete(this);
    if (this.#plan !== null) this.#environment.rules.close(this.#plan);
    this.#flow.faults = this.#faults();
    const settled = this.#observer?.end() ?? null;
    this.#observer = null;
    if (settled !== null) this.#environment.openFlows.settling(settled);
    finishFlow(this.#environment, this.#flow, this.#facts, this.#destination, failure, settled);
    this.#upstream.owner = null;
    for (const transport of [this.#upstream.transport, this.#client]) {
      if (how === 'reset') transport.reset();
      else transport.close();
    }
  }
}

/** What the client asked for when it opened a WebSocket. */
function askedFor(flow: FlowRecord, place: TunnelFacts, origin: string): CallFacts {
  const { method, url, requestFields } = flow;
  const fields = parseFields(requestFields).flat();
  return { ...place, method, path: url.slice(origin.length), fields, upgrade: 'websocket' };
}

function failureOf(direction: Direction, error: NodeJS.ErrnoException): NetworkFailure {
  const code = error.code ?? 'UNKNOWN';
  return direction === 'request'
    ? { cause: 'client-closed', code, message: `The client broke the connection off (${code}).` }
    : { cause: 'upstream-reset', code, message: `The upstream broke the connection off (${code}).` };
}
