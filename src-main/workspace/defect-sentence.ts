import { z } from 'zod';
import { WorkspaceSchema } from '#shared/workspace/workspace.ts';

/** What a figure means, by the name that carries its unit. */
const quantities: readonly (readonly [RegExp, string])[] = [
  [/Ms$/, 'a whole number of milliseconds, such as 2000'],
  [/^bytesPerSecond$/, 'a whole number of bytes a second, such as 100000'],
  [/Bytes$/, 'a size such as 10MiB, 500kB or a number of bytes'],
  [/^probability$/, 'a number from 0 to 1, such as 0.5'],
  [/^status$/, 'an HTTP status from 200 to 599, such as 503'],
  [/^first$/, 'a whole number of calls, such as 3'],
  [/^seed$/, 'a whole number'],
  [/^passphrase$/, 'a text; one that looks like a number stands in quotes, and so does "${NAME}"'],
];
const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of names to texts',
};

type Issue = z.core.$ZodIssue;

/** What was expected, as a sentence. `present`: there is something at the issue's path. */
export function sentenceOf(issue: Issue, { present, value }: { present: boolean; value: unknown }): string {
  if (issue.code === 'unrecognized_keys') return unknownKey(issue.path, issue.keys[0] ?? '', value);
  // Not always at a node: a text that stands for a mapping has no keys.
  if (issue.code === 'custom') return issue.message;
  if (!present) return `Expected "${nameOf(issue.path)}" here: ${wanted(issue)}. It is missing.`;
  if (issue.code === 'invalid_format') return issue.message;
  const options = optionsOf(issue);
  if (options?.length === 1) return `Expected ${options[0]}.`;
  if (options !== null) return `Expected one of ${listed(options)}.${suggestion(String(value), options)}`;
  return `Expected ${wanted(issue)}.`;
}

function wanted(issue: Issue): string {
  const name = nameOf(issue.path);
  const quantity = quantities.find(([pattern]) => pattern.test(name))?.[1];
  if (issue.code === 'too_small' || issue.code === 'too_big') return bounded(issue, quantity);
  if (quantity !== undefined) return quantity;
  if (issue.code === 'invalid_type') return kinds[issue.expected] ?? issue.expected;
  return optionsOf(issue)?.join(' or ') ?? issue.message;
}

function bounded(
  issue: Extract<Issue, { code: 'too_small' | 'too_big' }>,
  quantity: string | undefined,
): string {
  const bound = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  if (issue.origin === 'array')
    return `${bound} ${issue.code === 'too_small' && issue.minimum === 1 ? 'entry' : 'entries'} in the list`;
  if (issue.origin === 'string')
    return issue.code === 'too_small' ? 'a text that is not empty' : `a text of ${bound} characters`;
  return `${quantity ?? kinds['number']}, ${bound}`;
}

const mostListed = 8;

/** A list that is too long to be read is begun, and counted. */
function listed(options: readonly string[]): string {
  if (options.length <= mostListed) return options.join(', ');
  return `${options.slice(0, mostListed - 2).join(', ')} and ${options.length - mostListed + 2} more`;
}

function optionsOf(issue: Issue): string[] | null {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code !== 'invalid_union') return null;
  const options: unknown = 'options' in issue ? issue.options : null;
  return Array.isArray(options) ? options.map(String) : null;
}

function unknownKey(path: readonly PropertyKey[], key: string, value: unknown): string {
  const known = knownKeys(path, value);
  const close = nearest(key, known);
  const hint = close === null ? `Expected one of ${known.join(', ')}.` : `Did you mean "${close}"?`;
  return `"${key}" is not known here. ${hint}`;
}

/** The keys that may stand at a path; `value` is what stands there, since a fault's keys depend on its type. */
function knownKeys(path: readonly PropertyKey[], value: unknown): string[] {
  const schema = path.reduce<z.core.$ZodType | null>(stepInto, WorkspaceSchema);
  return Object.keys(shapeOf(schema, value) ?? {});
}

function stepInto(schema: z.core.$ZodType | null, step: PropertyKey): z.core.$ZodType | null {
  const bare = unwrapped(schema);
  if (bare instanceof z.ZodArray) return bare.element;
  return bare instanceof z.ZodObject
    ? ((bare.shape as Record<PropertyKey, z.core.$ZodType>)[step] ?? null)
    : null;
}

function shapeOf(schema: z.core.$ZodType | null, value: unknown): Record<string, z.core.$ZodType> | null {
  const bare = unwrapped(schema);
  if (bare instanceof z.ZodObject) return bare.shape as Record<string, z.core.$ZodType>;
  if (!(bare instanceof z.ZodDiscriminatedUnion)) return null;
  const { type } = value as { type?: unknown };
  const option = bare.options.find(
    (candidate) => candidate instanceof z.ZodObject && candidate.shape['type']?.safeParse(type).success,
  );
  return option instanceof z.ZodObject ? (option.shape as Record<string, z.core.$ZodType>) : null;
}

function unwrapped(schema: z.core.$ZodType | null): z.core.$ZodType | null {
  let bare = schema;
  for (;;) {
    if (bare instanceof z.ZodPipe) bare = bare.def.out;
    else if (bare instanceof z.ZodDefault || bare instanceof z.ZodPrefault || bare instanceof z.ZodOptional) {
      bare = bare.def.innerType;
    } else return bare;
  }
}

function nameOf(path: readonly PropertyKey[]): string {
  return String(path.findLast((step) => typeof step === 'string') ?? 'version');
}

function suggestion(text: string, options: readonly string[]): string {
  const close = nearest(text, options);
  return close === null ? '' : ` Did you mean "${close}"?`;
}

/** The option that a typing mistake away from `text` is meant, or null when none is near. */
export function nearest(text: string, options: readonly string[]): string | null {
  const ranked = options
    .map((option) => ({ option, distance: editDistance(text.toLowerCase(), option.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.option.length / 3))
    ? best.option
    : null;
}

/** Levenshtein's distance, over texts cut to a length that a key can have. */
function editDistance(a: string, b: string): number {
  const [left, right] = [a.slice(0, 64), b.slice(0, 64)];
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const swap = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
