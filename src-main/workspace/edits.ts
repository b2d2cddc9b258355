import { isDeepStrictEqual } from 'node:util';
import { briefFault } from '#shared/rules/brief-fault.ts';
import type { Fault } from '#shared/rules/fault.ts';
import { escapedText } from './environment.ts';
import type { Definitions, IdentifiedRule, ParsedWorkspace } from './parse-workspace.ts';

/** One change of a workspace file. Paths are into the file as it is before any of them. */
export type Edit =
  | {
      readonly kind: 'set';
      readonly path: readonly (string | number)[];
      readonly value: unknown;
      readonly keyOrder: readonly string[];
    }
  | { readonly kind: 'delete'; readonly path: readonly (string | number)[] }
  | { readonly kind: 'append'; readonly list: 'rules' | 'routes'; readonly value: Record<string, unknown> };

/**
 * What has to change in the file for it to define `target`. Values that are equal are not touched, so their placeholders,
 * comments and way of writing stay. A rule without an id in the file gets none here: see write-back.ts.
 */
export function editsFor(parsed: ParsedWorkspace, target: Definitions): Edit[] {
  return [
    ...listEdits('rules', parsed.rules, target.rules, ({ id }) => id, withoutId),
    ...listEdits(
      'routes',
      parsed.routes,
      target.routes,
      ({ name }) => name,
      (route) => route,
    ),
  ];
}

const withoutId = ({ id: _, ...definition }: IdentifiedRule): object => definition;

function listEdits<T extends object>(
  list: 'rules' | 'routes',
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
  written: (item: T) => object,
): Edit[] {
  const wanted = new Map(after.map((item) => [keyOf(item), item]));
  const edits = before.flatMap((item, index): Edit[] => {
    const now = wanted.get(keyOf(item));
    wanted.delete(keyOf(item));
    if (now === undefined) return [{ kind: 'delete', path: [list, index] }];
    return valueEdits(written(item), written(now), [list, index]);
  });
  const added = [...wanted.values()].map((item): Edit => ({
    kind: 'append',
    list,
    value: escaped(compact(written(item))) as Record<string, unknown>,
  }));
  return [...edits, ...added];
}

/** The edits within a mapping, fewer where it keeps its shape. */
export function valueEdits(before: object, after: object, path: readonly (string | number)[]): Edit[] {
  const was = before as Record<string, unknown>;
  const now = after as Record<string, unknown>;
  const keyOrder = Object.keys(now);
  const gone = Object.keys(was).filter((key) => now[key] === undefined && was[key] !== undefined);
  return [
    ...gone.map((key): Edit => ({ kind: 'delete', path: [...path, key] })),
    ...keyOrder.flatMap((key): Edit[] => {
      if (now[key] === undefined || isDeepStrictEqual(was[key], now[key])) return [];
      return (
        innerEdits(was[key], now[key], [...path, key]) ?? [
          { kind: 'set', path: [...path, key], value: escaped(asWritten(key, now[key])), keyOrder },
        ]
      );
    }),
  ];
}

/** Edits within a value that keeps its shape; null when it is better replaced whole. */
function innerEdits(was: unknown, now: unknown, path: readonly (string | number)[]): Edit[] | null {
  if (isMapping(was) && isMapping(now) && was['type'] === now['type'] && Object.keys(was).length > 0) {
    return valueEdits(was, now, path);
  }
  if (!Array.isArray(was) || !Array.isArray(now) || was.length !== now.length) return null;
  const inner = now.map((item: unknown, index) =>
    isDeepStrictEqual(was[index], item) ? [] : innerEdits(was[index], item, [...path, index]),
  );
  return inner.includes(null) ? null : inner.flatMap((edits) => edits ?? []);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without what says nothing: a rule is written as its user would write it. */
function compact(value: object): Record<string, unknown> {
  const entries = Object.entries(value).filter(
    ([key, item]) =>
      !((key === 'match' || key === 'trigger') && isMapping(item) && Object.keys(item).length === 0),
  );
  return Object.fromEntries(entries.map(([key, item]) => [key, asWritten(key, item)]));
}

/** Faults without what is as by default. */
function asWritten(key: string, value: unknown): unknown {
  return key === 'faults' ? (value as readonly Fault[]).map(briefFault) : value;
}

/** A text of the window is meant as it is: in the file, what looks like a placeholder is marked as none. */
export function escaped(value: unknown): unknown {
  if (typeof value === 'string') return escapedText(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escaped(item)]));
}
