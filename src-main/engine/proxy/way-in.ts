import type { Candidates } from '../rules/compiled-rules.ts';
import { needs } from '../rules/compiled-rules.ts';
import type { FaultPlan } from '../rules/fault-plan.ts';
import type { RuleHit } from '../rules/rule-hit.ts';
import type { AppliedFault } from '#shared/flow/flow.ts';
import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import { namesNeeded } from './names-needed.ts';
import type { Destination, NetworkFailure } from './ports.ts';

/** What the rules say before a tunnel is connected. */
export interface WayInDecision {
  /** Why it is not connected; null: it is. */
  readonly failure: NetworkFailure | null;
  readonly faults: readonly AppliedFault[];
  /** Rules that matched, and are not asked again; those of them that hit go on with the tunnel. */
  readonly matched: Candidates;
  readonly hit: readonly RuleHit[];
}

const free: WayInDecision = { failure: null, faults: [], matched: [], hit: [] };

/** The rules of a tunnel that is not connected yet: those that keep it from being connected are asked before. */
export class WayIn {
  #plan: FaultPlan | null = null;
  #over = false;
  readonly #environment: ProxyEnvironment;
  readonly #facts: ClientFacts;
  readonly #destination: Destination;
  readonly #startedAt: number;

  constructor(
    environment: ProxyEnvironment,
    facts: ClientFacts,
    destination: Destination,
    startedAt: number,
  ) {
    this.#environment = environment;
    this.#facts = facts;
    this.#destination = destination;
    this.#startedAt = startedAt;
  }

  /** Calls `decided` once, at once unless a rule has to be waited for; never after `abandon`. */
  decide(decided: (decision: WayInDecision) => void): void {
    const { compiled } = this.#environment.rules;
    if ((compiled.needs & needs.connecting) === 0) return decided(free);
    const names = namesNeeded(compiled.needs, this.#facts.caller, this.#destination.callee);
    if (names === null) return this.#match(decided);
    void names.then(() => {
      if (!this.#over) this.#match(decided);
    });
  }

  /** Nobody is left to connect for. */
  abandon(): void {
    this.#over = true;
    if (this.#plan !== null) this.#environment.rules.close(this.#plan);
    this.#plan = null;
  }

  #match(decided: (decision: WayInDecision) => void): void {
    const { rules } = this.#environment;
    const { callee, host, route } = this.#destination;
    const matched = rules.compiled
      .matchTunnel({
        caller: this.#facts.caller.current.name,
        callee: callee.current.name,
        host,
        route,
        listener: this.#facts.listener,
      })
      .filter(({ failsConnecting }) => failsConnecting);
    if (matched.length === 0) return decided(free);
    rules.trigger(matched, (hit) => {
      if (this.#over) return rules.giveBack(hit);
      this.#connect(matched, hit, decided);
    });
  }

  #connect(matched: Candidates, hit: readonly RuleHit[], decided: (decision: WayInDecision) => void): void {
    if (hit.length === 0) return decided({ ...free, matched });
    const { rules } = this.#environment;
    const plan = rules.open(hit, this.#startedAt);
    this.#plan = plan;
    plan.takeConnectFault((failure) => {
      if (this.#over) return;
      this.#plan = null;
      this.#over = true;
      rules.close(plan);
      decided({ failure, faults: plan.applied(), matched, hit: [] });
    });
  }
}
