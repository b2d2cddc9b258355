import { SpikeError } from '#shared/contract/errors.ts';
import type { Origin } from '#shared/routes/route.ts';

interface Ordered {
  readonly id: string;
  /** null: the users'. */
  readonly origin: Origin | null;
}

/**
 * The ids of all rules with one of the users' moved before another; `before` null: behind the last of theirs. Rules of another
 * origin keep their order, behind the users'.
 * @throws SpikeError `not-found` for an id that no rule has, `conflict` for a rule of another origin.
 */
export function movedBefore(rules: readonly Ordered[], id: string, before: string | null): string[] {
  refuseMissing(rules, [id, ...(before === null ? [] : [before])]);
  refuseForeign(rules, before === null ? [id] : [id, before]);
  const rest = idsOf(rules, true).filter((other) => other !== id);
  if (before === id) return [...idsOf(rules, true), ...idsOf(rules, false)];
  const at = before === null ? rest.length : rest.indexOf(before);
  return [...rest.slice(0, at), id, ...rest.slice(at), ...idsOf(rules, false)];
}

/**
 * The ids of all rules with those of the users as they are asked for: each of them once. Rules of another origin keep their
 * order, behind them.
 * @throws SpikeError `not-found`, `conflict`, or `invalid-input` for one that is missing or named twice.
 */
export function askedOrder(rules: readonly Ordered[], ids: readonly string[]): string[] {
  refuseMissing(rules, ids);
  refuseForeign(rules, ids);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  if (twice.length > 0) throw invalid(`Expected each rule once: ${listed(twice)} is named again.`, twice);
  const asked = new Set(ids);
  const missing = idsOf(rules, true).filter((id) => !asked.has(id));
  if (missing.length > 0) throw invalid(`Expected every rule: ${listed(missing)} is missing.`, missing);
  return [...ids, ...idsOf(rules, false)];
}

function idsOf(rules: readonly Ordered[], ofUsers: boolean): string[] {
  return rules.filter(({ origin }) => (origin === null) === ofUsers).map(({ id }) => id);
}

/** @throws SpikeError `not-found` with all the ids that no rule has. */
export function refuseMissing(rules: readonly { readonly id: string }[], ids: readonly string[]): void {
  const known = new Set(rules.map(({ id }) => id));
  const unknown = [...new Set(ids)].filter((id) => !known.has(id));
  if (unknown.length === 0) return;
  throw new SpikeError(
    'not-found',
    `There is no rule with the id ${listed(unknown)}. Nothing was changed.`,
    unknown,
  );
}

function refuseForeign(rules: readonly Ordered[], ids: readonly string[]): void {
  const asked = new Set(ids);
  const foreign = rules.filter(({ id, origin }) => origin !== null && asked.has(id)).map(({ id }) => id);
  if (foreign.length === 0) return;
  throw new SpikeError(
    'conflict',
    `The order of ${listed(foreign)} is not the users': who made it keeps it, behind their rules. The order is as it was.`,
    foreign,
  );
}

function invalid(message: string, ids: readonly string[]): SpikeError {
  return new SpikeError('invalid-input', `${message} The order is as it was.`, ids);
}

function listed(ids: readonly string[]): string {
  const more = ids.length > 5 ? ` and ${ids.length - 5} more` : '';
  return (
    ids
      .slice(0, 5)
      .map((id) => `"${id}"`)
      .join(', ') + more
  );
}
