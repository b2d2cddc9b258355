/**
 * A subset of RFC 9535: `$`, then any of `.name`, `['name']`, `["name"]`, `[3]`, `.*`, `[*]`, and `..` before a name, an index
 * or a star for "at any depth". No slices, filters, unions or negative indices: those of `redact.json` as well.
 */
interface Step {
  readonly deep: boolean;
  /** null: any. */
  readonly key: string | number | null;
}
export type JsonSelector = (document: unknown, wanted: (value: unknown) => boolean) => boolean;

const step =
  /(?<deep>\.\.)?(?:(?<dot>\.)?(?<name>[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff-]*|\*)|\[(?:(?<index>\d{1,9})|(?<any>\*)|'(?<single>(?:[^'\\]|\\.)*)'|"(?<double>(?:[^"\\]|\\.)*)")\])/y;

/** The selector of a path: whether any value that it reaches is wanted. Null for a path that is not understood. */
export function compileJsonPath(text: string): JsonSelector | null {
  const steps = readSteps(text);
  return steps === null ? null : (document, wanted) => reaches(steps, 0, document, wanted);
}

function readSteps(text: string): Step[] | null {
  if (!text.startsWith('$')) return null;
  const steps: Step[] = [];
  let at = 1;
  while (at < text.length) {
    step.lastIndex = at;
    const groups = step.exec(text)?.groups;
    // A name needs its dots, and two dots need no third one.
    if (groups === undefined || (groups['name'] !== undefined && !groups['dot'] === !groups['deep']))
      return null;
    steps.push({ deep: groups['deep'] !== undefined, key: keyOf(groups) });
    at = step.lastIndex;
  }
  // Each `..` walks the whole document below it: more of them would multiply that.
  return steps.filter(({ deep }) => deep).length > 2 ? null : steps;
}

function keyOf(groups: Record<string, string | undefined>): Step['key'] {
  if (groups['index'] !== undefined) return Number(groups['index']);
  if (groups['any'] !== undefined || groups['name'] === '*') return null;
  return groups['name'] ?? (groups['single'] ?? groups['double'] ?? '').replace(/\\(.)/g, '$1');
}

/** Nested deeper than anything that is meant: a peer's `[[[[…` must not run the stack out. */
const deepest = 200;

function reaches(
  steps: readonly Step[],
  at: number,
  value: unknown,
  wanted: (value: unknown) => boolean,
  depth = 0,
): boolean {
  const now = steps[at];
  if (now === undefined) return wanted(value);
  if (typeof value !== 'object' || value === null || depth > deepest) return false;
  for (const [key, inner] of Object.entries(value)) {
    const isMeant = now.key === null || (Array.isArray(value) ? String(now.key) : now.key) === key;
    // A number is an index of a list, a name a field of an object.
    const fits = now.key === null || (typeof now.key === 'number') === Array.isArray(value);
    if (isMeant && fits && reaches(steps, at + 1, inner, wanted, depth + 1)) return true;
    if (now.deep && reaches(steps, at, inner, wanted, depth + 1)) return true;
  }
  return false;
}
