import { SpikeError } from '#shared/contract/errors.ts';
import { inlineRuleId } from '#shared/scenarios/scenario.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import type { Phase } from '#shared/scenarios/timeline.ts';
import type { Rule, RuleInput } from '#shared/rules/rule.ts';
import type { RuleBook } from '../engine-interface.ts';

interface Switched {
  /** As its user has it. */
  before: boolean;
  /** As the scenario has set it last. */
  set: boolean;
}

/**
 * The rules that a scenario turns on and off, by way of the one rule book. A rule that somebody else turns meanwhile is theirs:
 * it is not touched until a step is about it again, nor put back at the end.
 */
export class SwitchedRules {
  readonly #book: RuleBook;
  readonly #switched = new Map<string, Switched>();
  readonly #inline: string[] = [];

  constructor(book: RuleBook) {
    this.#book = book;
  }

  /** Makes the rules of the steps, turned off. Throws what the book refuses, and has left nothing behind then. */
  prepare({ steps }: Scenario): void {
    try {
      for (const { rule } of steps) {
        if (rule === undefined) continue;
        const made = this.#book.create({ ...rule, id: inlineRuleId(rule), enabled: false }, 'scenario');
        this.#inline.push(made.id);
      }
    } catch (error) {
      this.restore();
      throw error;
    }
  }

  /** Goes from one phase to the next. Throws `not-found` for a rule that is gone. */
  enter(phase: Phase, before: Phase | null): void {
    for (const id of phase.off) if (before === null || !before.off.includes(id)) this.#turn(id, false);
    for (const id of phase.on) if (before === null || !before.on.includes(id)) this.#turn(id, true);
  }

  /** Everything as it was. Returns the ids that somebody else has turned, and that stay as they are. */
  restore(): string[] {
    const left: string[] = [];
    for (const [id, { before, set }] of this.#switched) {
      const rule = this.#find(id);
      if (rule === null || this.#inline.includes(id)) continue;
      if (rule.enabled !== set) left.push(id);
      else if (rule.enabled !== before) this.#book.update(id, { enabled: before });
    }
    for (const id of this.#inline.splice(0)) if (this.#find(id) !== null) this.#book.remove(id);
    this.#switched.clear();
    return left;
  }

  /** Whether the scenario has to do with a rule. */
  has(id: string): boolean {
    return this.#switched.has(id) || this.#inline.includes(id);
  }

  /** The rule as its user has it: what belongs into the workspace file. */
  asOfUser(rule: Rule): Rule {
    const switched = this.#switched.get(rule.id);
    if (switched === undefined || rule.enabled !== switched.set) return rule;
    return { ...rule, enabled: switched.before };
  }

  /** A rule of the file as the book should have it now. What the file says is what it is put back to. */
  asNow(id: string, input: RuleInput): RuleInput {
    const switched = this.#switched.get(id);
    if (switched === undefined || this.#find(id)?.enabled !== switched.set) return input;
    switched.before = input.enabled ?? false;
    return { ...input, enabled: switched.set };
  }

  #turn(id: string, enabled: boolean): void {
    const rule = this.#book.get(id);
    const known = this.#switched.get(id);
    const isOurs = known !== undefined && rule.enabled === known.set;
    this.#switched.set(id, { before: isOurs ? known.before : rule.enabled, set: enabled });
    if (rule.enabled !== enabled) this.#book.update(id, { enabled });
  }

  #find(id: string): Rule | null {
    try {
      return this.#book.get(id);
    } catch (error) {
      if (error instanceof SpikeError && error.code === 'not-found') return null;
      throw error;
    }
  }
}
