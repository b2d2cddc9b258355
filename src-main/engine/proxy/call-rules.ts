import type { FlowRecord } from '../capture/flow-record.ts';
import type { CallFacts } from '../rules/call-facts.ts';
import {
  bodyBytesNeeded,
  decidedByRequest,
  matchingBody,
  matchingStatus,
  waitingForStatus,
} from '../rules/call-matching.ts';
import { needs } from '../rules/compiled-rules.ts';
import type { Candidates } from '../rules/compiled-rules.ts';
import type { FaultPlan } from '../rules/fault-plan.ts';
import type { CallSeen } from '../rules/faults/stage.ts';
import { linkHoldLimitBytes, unboundedHoldBytes } from '../rules/held-bytes.ts';
import type { RuleHit } from '../rules/rule-hit.ts';
import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import { namesNeeded } from './names-needed.ts';
import type { Destination, NetworkFailure } from './ports.ts';

/** What a head says that rules are matched with. `fields` is asked for only when a rule looks at them. */
export interface CallHead extends Pick<CallFacts, 'method' | 'fields' | 'upgrade'> {
  readonly destination: Pick<CallFacts, 'path'>;
}

/**
 * The rules of one call, whatever version of HTTP it came in: waits for names that rules ask for, matches, asks the
 * triggers, and holds the plan of those that hit.
 *
 *     names ─► head ─► body? ─► triggers ─► decided … response head ─► triggers of rules for its status
 *
 * Only a rule that asks for the body makes a call wait for it, and only for the first part of it.
 */
export class CallRules {
  plan: FaultPlan | null = null;
  /** Rules that matched, whether they hit or not. */
  matched: Candidates = [];
  hit: readonly RuleHit[] = [];
  /** Why a rule does not let the upstream be connected; null: it is. Known when the call is decided. */
  connectFailure: NetworkFailure | null = null;
  /** A rule holds connecting back: the client is read on, so that it is noticed when it gives up. */
  isConnecting = false;
  /** Called when that begins; set before `decide`. */
  connecting: (() => void) | null = null;
  #over = false;
  #earlyBytes = 0;
  #awaited: AwaitedBody | null = null;
  /** Set when it is matched. */
  #head: CallHead | null = null;
  /** Rules that match so far, and wait for the status of the response. */
  #late: Candidates = [];
  readonly #environment: ProxyEnvironment;
  readonly #facts: ClientFacts;
  readonly #destination: Destination;
  readonly #flow: FlowRecord;
  readonly #startedAt: number;

  constructor(environment: ProxyEnvironment, facts: ClientFacts, destination: Destination, flow: FlowRecord) {
    this.#environment = environment;
    this.#facts = facts;
    this.#destination = destination;
    this.#flow = flow;
    this.#startedAt = flow.startedAtMs;
  }

  /**
   * Finds out what is to be done with the call; `decided` is called once, unless the call is over before.
   * @param waits Called later, when it waits for something else than before (see `awaitsBody`); null: there is no body.
   * @returns Whether it has been decided already.
   */
  decide(head: CallHead, decided: () => void, waits: (() => void) | null = null): boolean {
    const needed = this.#environment.rules.compiled.needs;
    // Rules for tunnels alone: nothing is looked up, and no name is waited for.
    if ((needed & needs.calls) === 0) {
      decided();
      return true;
    }
    const names = namesNeeded(needed, this.#facts.caller, this.#destination.callee);
    if (names === null) return this.#match(head, decided, waits);
    void names.then(() => {
      if (!this.#over && !this.#match(head, decided, waits)) waits?.();
    });
    return false;
  }

  /** Whether the body is to be read on, although the call is not decided yet. */
  get awaitsBody(): boolean {
    return this.#awaited !== null;
  }

  /** What came of the body, without framing, while it is awaited. */
  bodyData(data: Buffer): void {
    const awaited = this.#awaited;
    if (awaited === null) return;
    awaited.chunks.push(data);
    awaited.bytes += data.length;
    if (awaited.bytes >= awaited.neededBytes) this.bodyComplete();
  }

  /** There is no more of the body. */
  bodyComplete(): void {
    const awaited = this.#awaited;
    this.#awaited = null;
    awaited?.ready(Buffer.concat(awaited.chunks));
  }

  /** Bytes of the request are kept until it is decided. */
  keepsEarly(bytes: number): void {
    this.#earlyBytes += bytes;
    this.#environment.rules.budget.take(bytes);
  }

  /** They are kept no more. */
  earlyGone(): void {
    this.#environment.rules.budget.giveBack(this.#earlyBytes);
    this.#earlyBytes = 0;
  }

  /** No more of the request is to be read for now: nothing is decided by it. */
  get isEarlyFull(): boolean {
    if (!this.isConnecting) return false;
    const { budget } = this.#environment.rules;
    return this.#earlyBytes > (budget.isFull ? unboundedHoldBytes : linkHoldLimitBytes);
  }

  /** Whether some rule waits for the status of the response. */
  get waitsForStatus(): boolean {
    return this.#late.length > 0;
  }

  /**
   * The head of the response is there: adds what rules for its status do. `decided` as in `decide`; the links of the response
   * are to be made after it.
   */
  respond(status: number, decided: () => void): boolean {
    const { rules } = this.#environment;
    // The upstream may have taken its time: what was turned off meanwhile is not asked for.
    const meant = matchingStatus(this.#late, status).filter((rule) => rules.compiled.has(rule));
    this.#late = [];
    return this.#trigger(meant, (go) => go(), decided);
  }

  /** Whether a rule that hangs has the call right now. */
  get isHanging(): boolean {
    const holds = (type: string): boolean => type === 'hang' || type === 'breakpoint';
    return this.plan?.marks.some(({ type, outcome }) => holds(type) && outcome === 'acting') ?? false;
  }

  /** The caller has hung up; `close` follows. */
  callerGone(): void {
    if (this.plan !== null) this.plan.isCallerGone = true;
  }

  /**
   * The call is over: nothing is held any more.
   * @param keep Hits that go on with what the call has become.
   */
  close(keep: readonly RuleHit[] = []): void {
    this.#over = true;
    this.#awaited = null;
    this.earlyGone();
    if (this.plan !== null) this.#environment.rules.close(this.plan, keep);
  }

  #match(head: CallHead, decided: () => void, waits: (() => void) | null): boolean {
    const { rules } = this.#environment;
    this.#head = head;
    const matching = rules.compiled.matchCall(new FactsOfCall(head, this.#facts, this.#destination));
    if (matching.length === 0) {
      decided();
      return true;
    }
    const neededBytes = bodyBytesNeeded(matching);
    const withBody = (body: Buffer): boolean => {
      this.matched = neededBytes === 0 ? matching : matchingBody(matching, body);
      this.#late = waitingForStatus(this.matched);
      return this.#trigger(decidedByRequest(this.matched), (go) => this.#connect(go), decided);
    };
    if (neededBytes === 0 || waits === null) return withBody(noBody);
    const ready = (body: Buffer): void => {
      if (!withBody(body)) waits();
    };
    this.#awaited = { neededBytes, chunks: [], bytes: 0, ready };
    return false;
  }

  /** Connecting may be what a rule fails: then the call is decided when its time is over. */
  #connect(go: () => void): void {
    this.isConnecting = true;
    const isFailed =
      this.plan?.takeConnectFault((failure) => {
        this.isConnecting = false;
        this.connectFailure = failure;
        if (!this.#over) go();
      }) ?? false;
    if (!isFailed) {
      this.isConnecting = false;
      go();
    } else if (this.isConnecting) this.connecting?.();
  }

  #trigger(matching: Candidates, then: (go: () => void) => void, decided: () => void): boolean {
    if (matching.length === 0) {
      decided();
      return true;
    }
    const { rules } = this.#environment;
    let settled = false;
    rules.trigger(matching, (hits) => {
      if (this.#over) return rules.giveBack(hits);
      this.#hit(rules.asCallAsks(hits, () => this.#head?.fields ?? []));
      then(() => {
        settled = true;
        decided();
      });
    });
    return settled;
  }

  #seen(): CallSeen {
    const { id, method, url, requestFields } = this.#flow;
    const caller = this.#facts.caller.current.name;
    const callee = this.#destination.callee.current.name;
    return { flowId: id, caller, callee, method, url, requestFields };
  }

  #hit(hits: readonly RuleHit[]): void {
    if (hits.length === 0) return;
    const { rules } = this.#environment;
    this.hit = [...this.hit, ...hits];
    if (this.plan === null) {
      this.plan = rules.open(hits, this.#startedAt);
      this.plan.call = () => this.#seen();
    } else {
      for (const hit of hits) {
        this.plan.add(hit);
        rules.adopt(this.plan, hit);
      }
    }
  }
}

/** A class, so that the getter is made once: what is made here is made for each call while a rule is on. */
class FactsOfCall implements CallFacts {
  readonly caller: string;
  readonly callee: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly route: string | null;
  readonly listener: string | null;
  readonly upgrade: string | null;
  readonly #head: CallHead;

  constructor(head: CallHead, client: ClientFacts, { callee, serverName, host, route }: Destination) {
    this.#head = head;
    this.caller = client.caller.current.name;
    this.callee = callee.current.name;
    this.method = head.method;
    this.host = serverName ?? host;
    this.path = head.destination.path;
    this.route = route;
    this.listener = client.listener;
    this.upgrade = head.upgrade;
  }

  get fields(): readonly string[] {
    return this.#head.fields;
  }
}

/** The first part of a body, while it comes. */
interface AwaitedBody {
  readonly neededBytes: number;
  readonly chunks: Buffer[];
  bytes: number;
  ready(body: Buffer): void;
}

const noBody = Buffer.alloc(0);
