/** One thing that is wrong with an input. `path` is as one writes it in JavaScript: `faults[0].latencyMs`; '' is the whole. */
export interface InputProblem {
  readonly path: string;
  readonly message: string;
  /** What would be accepted; null where the message says all. */
  readonly expected: string | null;
}

type PathPart = PropertyKey | { readonly key: PropertyKey };

/** An issue of Standard Schema, with what zod adds to it. */
export interface InputIssue {
  readonly message: string;
  readonly path?: readonly PathPart[] | undefined;
  readonly code?: string;
  readonly expected?: unknown;
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[];
  readonly keys?: readonly string[];
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
}

/** All problems of a refused input, flat, in the order in which they were found. */
export function describeIssues(issues: readonly InputIssue[]): InputProblem[] {
  return issues.flatMap((issue) => {
    const path = keysOf(issue);
    if (issue.code === 'unrecognized_keys')
      return (issue.keys ?? []).map((key) => unknownField([...path, key]));
    return [{ path: pathText(path), message: messageOf(issue), expected: expectedOf(issue) }];
  });
}

/** The sentence for a person: names the first field, and how many more are wrong. */
export function summariseProblems(problems: readonly InputProblem[]): string {
  const first = problems[0];
  if (first === undefined) return 'The input was refused.';
  const where = first.path === '' ? 'The input' : `\`${first.path}\``;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return `${where} was refused: ${first.message}${more}`;
}

/** A field of another type, said without zod's "received undefined": whoever reads it left a field out, or quoted a number. */
function messageOf({ code, message }: InputIssue): string {
  const types =
    code === 'invalid_type' ? /^Invalid input: expected (.+), received (.+)$/.exec(message) : null;
  if (types === null) return message;
  const [, expected, received] = types;
  return received === 'undefined'
    ? `It is missing. Expected ${expected}.`
    : `Expected ${expected}, not ${received}.`;
}

function unknownField(path: readonly PropertyKey[]): InputProblem {
  return { path: pathText(path), message: 'There is no such field.', expected: null };
}

function keysOf(issue: InputIssue): PropertyKey[] {
  const keys = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  // Inputs in parts (contract: `inputStructure: 'detailed'`) are one input to the caller: `body.name` is the field `name`.
  return keys[0] === 'body' || keys[0] === 'params' ? keys.slice(1) : keys;
}

function pathText(keys: readonly PropertyKey[]): string {
  let text = '';
  for (const key of keys) {
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}

function expectedOf(issue: InputIssue): string | null {
  const choices = issue.values ?? issue.options;
  if (choices !== undefined && choices.length > 0)
    return choices.map((value) => JSON.stringify(value)).join(' | ');
  if (typeof issue.expected === 'string') return issue.expected;
  if (issue.code === 'too_small' && issue.minimum !== undefined) return `>= ${issue.minimum}`;
  if (issue.code === 'too_big' && issue.maximum !== undefined) return `<= ${issue.maximum}`;
  return null;
}
