import type { AppliedFault } from '#shared/flow/flow.ts';
import type { Candidates } from '../rules/compiled-rules.ts';
import { needs } from '../rules/compiled-rules.ts';
import { EarlyRules } from './early-rules.ts';
import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import type { Destination, NetworkFailure } from './ports.ts';

/** What the rules say before a tunnel is connected. */
export interface WayInDecision {
  /** Why it is not connected; null: it is. */
  readonly failure: NetworkFailure | null;
  readonly faults: readonly AppliedFault[];
  /** Rules that have been asked, and are not asked again when the tunnel is open. */
  readonly matched: Candidates;
}

/** The rules of a tunnel that is not connected yet: those that keep it from being connected are asked before. */
export class WayIn {
  readonly #rules: EarlyRules;
  readonly #destination: Destination;
  readonly #startedAtMs: number;

  constructor(
    environment: ProxyEnvironment,
    facts: ClientFacts,
    destination: Destination,
    startedAtMs: number,
  ) {
    this.#rules = new EarlyRules(environment, facts);
    this.#destination = destination;
    this.#startedAtMs = startedAtMs;
  }

  /** Calls `decided` once, at once unless a rule has to be waited for; never after `abandon`. */
  decide(decided: (decision: WayInDecision) => void): void {
    const destination = this.#destination;
    const question = { destination, host: destination.host, startedAtMs: this.#startedAtMs };
    const rules = this.#rules;
    rules.ask(
      question,
      needs.connecting,
      (rule) => rule.failsConnecting,
      (matched) => {
        const { plan } = rules;
        if (plan === null) return decided({ failure: null, faults: [], matched });
        plan.takeConnectFault((failure) => {
          if (rules.isOver) return;
          rules.close();
          decided({ failure, faults: plan.applied(), matched });
        });
      },
    );
  }

  /** Nobody is left to connect for. */
  abandon(): void {
    this.#rules.close();
  }
}
