import type { MatchBlock, ReadStringMatch } from './istio-schema.ts';

/** Whether a call may match one of `before` and one of `own`; an empty list matches every call. */
export function mayTakeTheSame(before: readonly MatchBlock[], own: readonly MatchBlock[]): boolean {
  const every: readonly MatchBlock[] = [{}];
  const [left, right] = [before, own].map((blocks) => (blocks.length === 0 ? every : blocks));
  return (left ?? every).some((one) => (right ?? every).some((other) => !areApart(one, other)));
}

/** Certain only where both ask for plain texts of the same thing; expressions may always meet. */
function areApart(one: MatchBlock, other: MatchBlock): boolean {
  const anyCase = one.ignoreUriCase === true || other.ignoreUriCase === true;
  return (
    (!anyCase && differ(one.uri, other.uri)) ||
    differ(one.method, other.method) ||
    differ(one.authority, other.authority) ||
    differInSome(one.headers, other.headers) ||
    differInSome(one.queryParams, other.queryParams) ||
    labelsDiffer(one.sourceLabels, other.sourceLabels)
  );
}

type Tests = Readonly<Record<string, ReadStringMatch>>;

function differInSome(one: Tests = {}, other: Tests = {}): boolean {
  return Object.entries(one).some(([name, test]) => Object.hasOwn(other, name) && differ(test, other[name]));
}

function labelsDiffer(
  one: Readonly<Record<string, string>> = {},
  other: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(one).some(([label, value]) => Object.hasOwn(other, label) && other[label] !== value);
}

function differ(one: ReadStringMatch | undefined, other: ReadStringMatch | undefined): boolean {
  const [a, b] = [one?.exact, other?.exact];
  if (a !== undefined && b !== undefined) return a !== b;
  const [begin, start] = [a ?? one?.prefix, b ?? other?.prefix];
  if (begin === undefined || start === undefined) return false;
  if (a !== undefined) return !a.startsWith(start);
  if (b !== undefined) return !b.startsWith(begin);
  return !begin.startsWith(start) && !start.startsWith(begin);
}
