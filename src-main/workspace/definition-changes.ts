import { isDeepStrictEqual } from 'node:util';
import type { RouteDefinition } from '#shared/routes/route.ts';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { Rule } from '#shared/rules/rule.ts';
import type { Route } from '#shared/routes/route.ts';
import type { Definitions, IdentifiedRule } from './parse-workspace.ts';

/** What changed between two sets of definitions. Of a changed rule only the changed fields, so that edits of two sides meet. */
export interface DefinitionChanges {
  readonly rules: ReadonlyMap<string, IdentifiedRule | Partial<IdentifiedRule> | null>;
  readonly routes: ReadonlyMap<string, RouteDefinition | null>;
  /** The ids of all rules, where those that both sets have stand in another order; null: they do not. */
  readonly order: readonly string[] | null;
}

/** The users' definitions in a list of rules and routes as the engine gives them: what another origin made is no business of the file. */
export function definitionsOf(rules: readonly Rule[], routes: readonly Route[]): Definitions {
  return {
    rules: rules.filter(isOfUsers).map(({ id, name, enabled, match, trigger, faults }) => ({
      ...RuleDefinitionSchema.parse(withoutAbsent({ name, enabled, match, trigger, faults })),
      id,
    })),
    routes: routes.filter(isOfUsers).map(({ name, listen, upstream }) => ({ name, listen, upstream })),
  };
}

function isOfUsers({ origin }: Rule | Route): boolean {
  return origin === undefined;
}

/** A key whose value is undefined is no key: both sides of a comparison must agree on that. */
function withoutAbsent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

export function changesBetween(before: Definitions, after: Definitions): DefinitionChanges {
  return {
    rules: keyedChanges(before.rules, after.rules, idOf, changedFields),
    routes: keyedChanges(
      before.routes,
      after.routes,
      ({ name }) => name,
      (_, now) => now,
    ),
    order: orderChange(before.rules, after.rules),
  };
}

function orderChange(
  before: readonly IdentifiedRule[],
  after: readonly IdentifiedRule[],
): readonly string[] | null {
  const [was, now] = [new Set(before.map(idOf)), after.map(idOf)];
  const present = new Set(now);
  const kept = [...was].filter((id) => present.has(id));
  const common = now.filter((id) => was.has(id));
  return kept.every((id, index) => id === common[index]) ? null : now;
}

function idOf({ id }: IdentifiedRule): string {
  return id;
}

function keyedChanges<T, C>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
  changeOf: (was: T, now: T) => C,
): Map<string, T | C | null> {
  const changes = new Map<string, T | C | null>();
  const left = new Map(before.map((item) => [keyOf(item), item]));
  for (const now of after) {
    const was = left.get(keyOf(now));
    if (was === undefined) changes.set(keyOf(now), now);
    else if (!isDeepStrictEqual(was, now)) changes.set(keyOf(now), changeOf(was, now));
    left.delete(keyOf(now));
  }
  for (const key of left.keys()) changes.set(key, null);
  return changes;
}

function changedFields(was: IdentifiedRule, now: IdentifiedRule): Partial<IdentifiedRule> {
  const fields = Object.entries(now).filter(
    ([field, value]) => !isDeepStrictEqual(value, was[field as keyof IdentifiedRule]),
  );
  return Object.fromEntries(fields);
}

/** The definitions with the changes on top: in the order they have unless that is among the changes, what is new at the end. */
export function withChanges(to: Definitions, changes: DefinitionChanges): Definitions {
  return {
    rules: inOrder(keyedWithChanges(to.rules, changes.rules, idOf, isWholeRule), changes.order),
    routes: keyedWithChanges(
      to.routes,
      changes.routes,
      ({ name }) => name,
      () => true,
    ),
  };
}

/** What the order does not name stays behind what it stands behind: it came from the other side. */
function inOrder(
  rules: readonly IdentifiedRule[],
  order: readonly string[] | null,
): readonly IdentifiedRule[] {
  if (order === null) return rules;
  const places = new Map(order.map((id, index) => [id, index]));
  let place = -1;
  const placed = rules.map((rule) => {
    place = places.get(rule.id) ?? place;
    return { rule, place };
  });
  return placed.sort((a, b) => a.place - b.place).map(({ rule }) => rule);
}

/** A change of single fields has nothing to act on when the file no longer has its rule. */
function isWholeRule(change: Partial<IdentifiedRule>): change is IdentifiedRule {
  return change.id !== undefined;
}

function keyedWithChanges<T extends object>(
  items: readonly T[],
  changes: ReadonlyMap<string, T | Partial<T> | null>,
  keyOf: (item: T) => string,
  isWhole: (change: Partial<T>) => boolean,
): T[] {
  const kept = items.flatMap((item) => {
    const change = changes.get(keyOf(item));
    return change === null ? [] : [{ ...item, ...change }];
  });
  const present = new Set(items.map(keyOf));
  const added = [...changes].flatMap(([key, change]) =>
    change === null || present.has(key) || !isWhole(change) ? [] : [change as T],
  );
  return [...kept, ...added];
}

/** Whether both hold the same: rules in the same order, routes in any. */
export function sameDefinitions(a: Definitions, b: Definitions): boolean {
  const { rules, routes, order } = changesBetween(a, b);
  return rules.size === 0 && routes.size === 0 && order === null;
}
