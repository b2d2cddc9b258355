import { SpikeError } from '#shared/contract/errors.ts';

/** Keys and indices from the root to a value. */
export type JsonLocation = readonly (string | number)[];

export interface JsonPath {
  /** As it was written. */
  readonly text: string;
  matches(location: JsonLocation): boolean;
}

type Step = { readonly deep: boolean; readonly key: string | number | null };

const step =
  /(?<deep>\.\.)?(?:(?<dot>\.)?(?<name>[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff-]*|\*)|\[(?:(?<index>\d{1,9})|(?<any>\*)|'(?<single>(?:[^'\\]|\\.)*)'|"(?<double>(?:[^"\\]|\\.)*)")\])/y;

/**
 * A subset of RFC 9535: `$`, then any of `.name`, `['name']`, `["name"]`, `[3]`, `.*`, `[*]`, and `..` before a name, an index
 * or a star for "at any depth". No slices, filters, unions or negative indices. What a path reaches is replaced whole.
 * Throws `invalid-input` with the path and the position (from 0) of what is not understood.
 */
export function parseJsonPath(text: string): JsonPath {
  if (!text.startsWith('$')) throw badPath(text, 0, 'a path starts with $');
  const steps: Step[] = [];
  let at = 1;
  while (at < text.length) {
    step.lastIndex = at;
    const groups = step.exec(text)?.groups;
    // A name needs its dots, and two dots need no third one.
    if (groups === undefined || (groups['name'] !== undefined && !groups['dot'] === !groups['deep'])) {
      throw badPath(text, at, "expected .name, ['name'], [0], [*] or ..name");
    }
    steps.push({ deep: groups['deep'] !== undefined, key: keyOf(groups) });
    at = step.lastIndex;
  }
  if (steps.length === 0) throw badPath(text, 1, 'the path $ alone would replace everything');
  return { text, matches: (location) => matchesFrom(steps, 0, location, 0) };
}

function keyOf(groups: Record<string, string | undefined>): Step['key'] {
  if (groups['index'] !== undefined) return Number(groups['index']);
  if (groups['any'] !== undefined || groups['name'] === '*') return null;
  return groups['name'] ?? (groups['single'] ?? groups['double'] ?? '').replace(/\\(.)/g, '$1');
}

function matchesFrom(steps: readonly Step[], stepAt: number, location: JsonLocation, keyAt: number): boolean {
  const step = steps[stepAt];
  if (step === undefined) return keyAt === location.length;
  const last = step.deep ? location.length - 1 : keyAt;
  for (let at = keyAt; at <= last && at < location.length; at += 1) {
    if ((step.key === null || step.key === location[at]) && matchesFrom(steps, stepAt + 1, location, at + 1))
      return true;
  }
  return false;
}

function badPath(text: string, position: number, expected: string): SpikeError {
  return new SpikeError(
    'invalid-input',
    `The JSON path ${JSON.stringify(text)} in redact.json is not understood at position ${position}: ${expected}.`,
    { path: text, position },
  );
}
