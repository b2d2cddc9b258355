import type { BodyMatch, Match, ValueTest } from '#shared/rules/match.ts';
import { readNumber } from './fault-fields.ts';

/** What a match says, as it stands in the form: texts, whether they are valid or not. An empty text is not given. */
export interface MatchDraft {
  readonly texts: Readonly<Record<MatchKey, string>>;
  /** Parameters and header fields, a row each. */
  readonly tests: readonly TestDraft[];
  readonly body: BodyDraft;
  /** What is open in the form beyond the four fields that always are. gRPC without a name means any gRPC call. */
  readonly open: readonly ConditionKind[];
  /** What the form has no field for: kept as it is. */
  readonly beyond: Match;
}

export const matchKeys = [
  ...['caller', 'callee', 'method', 'path', 'host', 'route', 'listener', 'protocol'],
  ...['traceId', 'status', 'grpc.service', 'grpc.method'],
] as readonly MatchKey[];
export type MatchKey =
  | 'caller'
  | 'callee'
  | 'method'
  | 'path'
  | 'host'
  | 'route'
  | 'listener'
  | 'protocol'
  | 'traceId'
  | 'status'
  | 'grpc.service'
  | 'grpc.method';

/** In the order in which the form offers them. */
export const conditionKinds = [
  'host',
  'query',
  'header',
  'body',
  'grpc',
  'traceId',
  'status',
  'protocol',
  'route',
  'listener',
] as const;
export type ConditionKind = (typeof conditionKinds)[number];

export interface TestDraft {
  /** Keeps its row as rows come and go. */
  readonly key: number;
  readonly of: 'query' | 'header';
  readonly name: string;
  readonly test: 'is' | 'present' | 'absent';
  readonly value: string;
}

export interface BodyDraft {
  readonly how: BodyHow;
  /** The text, the expression or the path. */
  readonly text: string;
  /** For `json-is`: as JSON; what is no JSON is a text. */
  readonly equals: string;
  readonly firstBytes: string;
  /** Whether `exists: true` is spelled out: it says no more than the path alone. */
  readonly spelledOut: boolean;
}
export type BodyHow = 'contains' | 'matches' | 'json-is' | 'json-present' | 'json-absent';

let lastKey = 0;

export function newTest(of: TestDraft['of']): TestDraft {
  lastKey += 1;
  return { key: lastKey, of, name: '', test: 'is', value: '' };
}

const emptyBody: BodyDraft = { how: 'contains', text: '', equals: '', firstBytes: '', spelledOut: false };
const emptyTexts = Object.fromEntries(matchKeys.map((key) => [key, ''])) as Record<MatchKey, string>;
export const emptyMatch: MatchDraft = { texts: emptyTexts, tests: [], body: emptyBody, open: [], beyond: {} };

export function matchDraftOf(match: Match): MatchDraft {
  const { query, header, grpc, body, ...rest } = match;
  const texts: Record<MatchKey, string> = { ...emptyTexts };
  const beyond: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    if (key in texts) texts[key as MatchKey] = String(value);
    else beyond[key] = value;
  }
  texts['grpc.service'] = grpc?.service ?? '';
  texts['grpc.method'] = grpc?.method ?? '';
  const isGiven = (kind: ConditionKind): boolean => match[kind] !== undefined;
  return {
    texts,
    tests: [...testsOf('query', query), ...testsOf('header', header)],
    body: body === undefined ? emptyBody : bodyDraftOf(body),
    open: conditionKinds.filter(isGiven),
    beyond,
  };
}

function testsOf(of: TestDraft['of'], record: Readonly<Record<string, ValueTest>> = {}): TestDraft[] {
  return Object.entries(record).map(([name, test]) => ({
    ...newTest(of),
    name,
    test: test === true ? 'present' : test === false ? 'absent' : 'is',
    value: typeof test === 'string' ? test : '',
  }));
}

function bodyDraftOf({ contains, matches, json, equals, exists, firstBytes }: BodyMatch): BodyDraft {
  const how =
    contains !== undefined ? 'contains' : matches !== undefined ? 'matches' : jsonHow(equals, exists);
  return {
    how,
    text: contains ?? matches ?? json ?? '',
    equals: equals === undefined ? '' : writeValue(equals),
    firstBytes: firstBytes === undefined ? '' : String(firstBytes),
    spelledOut: exists === true,
  };
}

function jsonHow(equals: BodyMatch['equals'], exists: boolean | undefined): BodyHow {
  if (equals !== undefined) return 'json-is';
  return exists === false ? 'json-absent' : 'json-present';
}

/** A text that would be read as something else gets its quotes: `"5"` is a text, `5` a number. */
function writeValue(value: NonNullable<BodyMatch['equals']> | null): string {
  if (typeof value !== 'string') return String(value);
  return readValue(value) === value ? value : JSON.stringify(value);
}

function readValue(text: string): string | number | boolean | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? text : (value as string | number | boolean | null);
  } catch {
    return text;
  }
}

/** The match that the form says; its schema says what is wrong with it. */
export function readMatchDraft(draft: MatchDraft): unknown {
  const { texts, tests, body, open, beyond } = draft;
  const match: Record<string, unknown> = { ...beyond };
  for (const key of matchKeys) {
    const text = texts[key].trim();
    if (text !== '' && !key.startsWith('grpc.')) match[key] = key === 'status' ? statusOf(text) : text;
  }
  if (open.includes('grpc')) match['grpc'] = grpcOf(texts);
  for (const of of ['query', 'header'] as const) {
    const rows = tests.filter((test) => test.of === of);
    if (rows.length > 0) match[of] = Object.fromEntries(rows.map((row) => [row.name, valueOf(row)]));
  }
  if (open.includes('body')) match['body'] = bodyOf(body);
  return match;
}

function statusOf(text: string): string | number {
  return /^\d{3}$/.test(text) ? Number(text) : text;
}

function grpcOf(texts: MatchDraft['texts']): object {
  const service = texts['grpc.service'].trim();
  const method = texts['grpc.method'].trim();
  return { ...(service === '' ? {} : { service }), ...(method === '' ? {} : { method }) };
}

function valueOf({ test, value }: TestDraft): ValueTest {
  return test === 'is' ? value : test === 'present';
}

function bodyOf({ how, text, equals, firstBytes, spelledOut }: BodyDraft): object {
  const first = readNumber(firstBytes);
  const part = first === undefined ? {} : { firstBytes: first };
  if (how === 'contains' || how === 'matches') return { [how]: text, ...part };
  const json = text.trim();
  if (how === 'json-is') return { json, equals: readValue(equals), ...part };
  if (how === 'json-absent') return { json, exists: false, ...part };
  return { json, ...(spelledOut ? { exists: true } : {}), ...part };
}

/** What the rows lack before a schema can judge them, by their key: a name, or one that no other row has. */
export function testProblems(tests: readonly TestDraft[]): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const row of tests) {
    const isTwice = tests.some(({ key, of, name }) => key < row.key && of === row.of && name === row.name);
    if (row.name === '') problems[`match.tests.${row.key}`] = 'Expected a name.';
    else if (isTwice) problems[`match.tests.${row.key}`] = 'This name is there already.';
    else if (row.test === 'is' && row.value === '') problems[`match.tests.${row.key}`] = 'Expected a value.';
  }
  return problems;
}

/** Without a condition of the form: what it had said is forgotten. */
export function closeCondition(draft: MatchDraft, kind: ConditionKind): MatchDraft {
  const open = draft.open.filter((other) => other !== kind);
  if (kind === 'query' || kind === 'header') {
    return { ...draft, open, tests: draft.tests.filter((test) => test.of !== kind) };
  }
  if (kind === 'body') return { ...draft, open, body: emptyBody };
  const cleared = kind === 'grpc' ? { 'grpc.service': '', 'grpc.method': '' } : { [kind]: '' };
  return { ...draft, open, texts: { ...draft.texts, ...cleared } };
}

export function openCondition(draft: MatchDraft, kind: ConditionKind): MatchDraft {
  const open = draft.open.includes(kind) ? draft.open : [...draft.open, kind];
  const isRows = kind === 'query' || kind === 'header';
  const texts = kind === 'protocol' ? { ...draft.texts, protocol: 'http' } : draft.texts;
  return { ...draft, open, texts, tests: isRows ? [...draft.tests, newTest(kind)] : draft.tests };
}
