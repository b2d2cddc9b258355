import type { Candidates, CompiledRule } from '../rules/compiled-rules.ts';
import type { FaultPlan } from '../rules/fault-plan.ts';
import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import { namesNeeded } from './names-needed.ts';
import type { Destination } from './ports.ts';

/** What is asked for: a connection of which nothing has passed yet. */
export interface EarlyQuestion {
  readonly destination: Destination;
  /** As the client named it; most often the destination's. */
  readonly host: string;
  readonly startedAtMs: number;
}

/**
 * The rules of a connection before a byte of it has passed: those that keep it from being connected, or that act on its
 * handshake. Waits for names, matches, asks the triggers; one question, one plan.
 */
export class EarlyRules {
  plan: FaultPlan | null = null;
  isOver = false;
  readonly #environment: ProxyEnvironment;
  readonly #facts: ClientFacts;

  constructor(environment: ProxyEnvironment, facts: ClientFacts) {
    this.#environment = environment;
    this.#facts = facts;
  }

  /**
   * @param bit What the enabled rules must need, for any of them to be looked at (`needs`).
   * @param acts Whether a rule is one of those that are meant.
   * @param decided Called once, at once unless a rule has to be waited for, with all that matched; those that hit are in
   *   `plan`, which is null when none did. Never called after `close`.
   */
  ask(
    question: EarlyQuestion,
    bit: number,
    acts: (rule: CompiledRule) => boolean,
    decided: (matched: Candidates) => void,
  ): void {
    const { compiled } = this.#environment.rules;
    if ((compiled.needs & bit) === 0) return decided([]);
    const names = namesNeeded(compiled.needs, this.#facts.caller, question.destination.callee);
    if (names === null) return this.#match(question, acts, decided);
    void names.then(() => {
      if (!this.isOver) this.#match(question, acts, decided);
    });
  }

  /** Nothing is held any more. */
  close(): void {
    this.isOver = true;
    if (this.plan !== null) this.#environment.rules.close(this.plan);
  }

  #match(
    { destination, host, startedAtMs }: EarlyQuestion,
    acts: (rule: CompiledRule) => boolean,
    decided: (matched: Candidates) => void,
  ): void {
    const { rules } = this.#environment;
    const facts = {
      caller: this.#facts.caller.current.name,
      callee: destination.callee.current.name,
      host,
      route: destination.route,
      listener: this.#facts.listener,
    };
    const matched = rules.compiled.matchConnection(facts).filter(acts);
    if (matched.length === 0) return decided([]);
    rules.trigger(matched, (hits) => {
      if (this.isOver) return rules.giveBack(hits);
      if (hits.length > 0) this.plan = rules.open(hits, startedAtMs);
      decided(matched);
    });
  }
}
