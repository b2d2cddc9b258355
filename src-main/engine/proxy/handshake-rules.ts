import type { AppliedFault } from '#shared/flow/flow.ts';
import { needs } from '../rules/compiled-rules.ts';
import type { HandshakeFault } from '../rules/faults/stage.ts';
import { EarlyRules } from './early-rules.ts';
import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import type { Destination } from './ports.ts';

/** What the rules do to one TLS handshake. */
export interface HandshakeDecision {
  /** In the order of the rules; what stalled it is over. */
  readonly faults: readonly HandshakeFault[];
  readonly marks: readonly AppliedFault[];
}

/** The rules of a client's TLS handshake, asked when its hello has been read. */
export class HandshakeRules {
  readonly #environment: ProxyEnvironment;
  readonly #rules: EarlyRules;

  constructor(environment: ProxyEnvironment, facts: ClientFacts) {
    this.#environment = environment;
    this.#rules = new EarlyRules(environment, facts);
  }

  /**
   * Calls `decided` once, at once unless a rule has to be waited for; never after `abandon`.
   * @param name Whom the client asked for.
   */
  decide(destination: Destination, name: string, decided: (decision: HandshakeDecision) => void): void {
    const rules = this.#rules;
    const question = { destination, host: name, startedAtMs: this.#environment.clock.now() };
    rules.ask(
      question,
      needs.handshakes,
      (rule) => rule.actsOnHandshakes,
      () => {
        const { plan } = rules;
        if (plan === null) return decided({ faults: [], marks: [] });
        plan.takeHandshakeFaults((faults) => {
          if (rules.isOver) return;
          rules.close();
          decided({ faults, marks: plan.applied() });
        });
      },
    );
  }

  /** What was done so far, for a client that has given up. */
  marks(): readonly AppliedFault[] {
    return this.#rules.plan?.applied() ?? [];
  }

  abandon(): void {
    this.#rules.close();
  }
}
