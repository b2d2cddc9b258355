import type { Rule } from '#shared/rules/rule.ts';
import type { RuleGroup } from '../rule-groups.ts';

/** What the list draws, one below the other: headings and rules. */
export type ListRow =
  | { readonly kind: 'head'; readonly key: string; readonly group: RuleGroup }
  | { readonly kind: 'rule'; readonly key: string; readonly rule: Rule };

/** The rows of a group, by their indexes in the list: from `first`, before `end`. */
export interface ListSection {
  readonly group: RuleGroup;
  readonly first: number;
  readonly end: number;
}

export interface ListRows {
  readonly rows: readonly ListRow[];
  readonly sections: readonly ListSection[];
}

/** @param closed Titles of the groups that show their heading alone. */
export function listRows(groups: readonly RuleGroup[], closed: ReadonlySet<string>): ListRows {
  const rows: ListRow[] = [];
  const sections = groups.map((group): ListSection => {
    const first = rows.length;
    if (group.title !== null) rows.push({ kind: 'head', key: `group ${group.title}`, group });
    if (group.title === null || !closed.has(group.title))
      for (const rule of group.rules) rows.push({ kind: 'rule', key: rule.id, rule });
    return { group, first, end: rows.length };
  });
  return { rows, sections };
}

/** Where a rule that is dropped at an edge of another one goes: before which rule; null: behind the last. */
export function dropPlace(
  rules: readonly Rule[],
  dragged: string,
  target: string,
  edge: 'above' | 'below',
): string | null {
  if (edge === 'above') return target;
  const rest = rules.filter((rule) => rule.id !== dragged && rule.origin === undefined);
  return rest[rest.findIndex((rule) => rule.id === target) + 1]?.id ?? null;
}

/** Where a rule goes that is moved by one within what is listed: before which rule; undefined: it is at the end already. */
export function stepPlace(
  rules: readonly Rule[],
  group: readonly Rule[],
  id: string,
  by: -1 | 1,
): string | null | undefined {
  const own = group.filter((rule) => rule.origin === undefined);
  const at = own.findIndex((rule) => rule.id === id);
  const neighbour = own[at + by];
  if (at < 0 || neighbour === undefined) return undefined;
  return dropPlace(rules, id, neighbour.id, by < 0 ? 'above' : 'below');
}
