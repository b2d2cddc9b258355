import { HeldAnswerSchema, HeldEditSchema } from '#shared/contract/held.ts';
import type { HeldAnswer, HeldEdit, HeldMessage } from '#shared/contract/held.ts';
import type { RefusedField } from '../../../stores/held-store.ts';
import { toBase64 } from '../../../ui/base64.ts';

/** One field of a message while it is edited. */
export interface HeaderDraft {
  /** Stays the same while it is edited. */
  readonly key: number;
  readonly name: string;
  readonly value: string;
}

/** What somebody changed in a held message; null: as it came. */
export interface HeldDraft {
  readonly method: string | null;
  readonly target: string | null;
  readonly status: string | null;
  readonly headers: readonly HeaderDraft[] | null;
  readonly body: string | null;
}

export const untouched: HeldDraft = { method: null, target: null, status: null, headers: null, body: null };

export type HeldPart = keyof HeldDraft;
const parts: readonly HeldPart[] = ['method', 'target', 'status', 'headers', 'body'];

/** What is wrong, by the field: `method`, `headers.3.name`, `body`. */
export type HeldProblems = Readonly<Record<string, string>>;

type Message = HeldMessage['message'];

export function changedParts(message: Message, draft: HeldDraft): readonly HeldPart[] {
  return parts.filter(
    (part) => draft[part] !== null && !(part === 'headers' && sameHeaders(message, draft.headers)),
  );
}

export function headersOf(message: Message, draft: HeldDraft): readonly HeaderDraft[] {
  return draft.headers ?? draftHeaders(message.headers);
}

function draftHeaders(headers: Message['headers']): readonly HeaderDraft[] {
  return headers.map(([name, value], key) => ({ key, name, value }));
}

/** The draft with a part changed; what is again as it came is no change. */
export function withPart<P extends HeldPart>(
  message: Message,
  draft: HeldDraft,
  part: P,
  value: HeldDraft[P],
): HeldDraft {
  return { ...draft, [part]: isAsItCame(message, part, value) ? null : value };
}

function isAsItCame(message: Message, part: HeldPart, value: HeldDraft[HeldPart]): boolean {
  switch (part) {
    case 'method':
    case 'target':
      return message.kind === 'request' && value === message[part];
    case 'status':
      return message.kind === 'response' && value === String(message.status);
    case 'headers': {
      const headers = value as HeldDraft['headers'];
      return headers?.length === message.headers.length && sameHeaders(message, headers);
    }
    case 'body':
      return false; // its editor knows: it may show another form of the same text
  }
}

function sameHeaders(message: Message, headers: readonly HeaderDraft[] | null): boolean {
  return JSON.stringify(listed(headers)) === JSON.stringify(message.headers);
}

/** A row that nobody has written in is none. */
function written(headers: readonly HeaderDraft[] | null): readonly HeaderDraft[] {
  return (headers ?? []).filter(({ name, value }) => name !== '' || value !== '');
}

function listed(headers: readonly HeaderDraft[] | null): [string, string][] {
  return written(headers).map(({ name, value }) => [name, value]);
}

/** The edit that a draft says, or what is wrong with it and where. */
export function readDraft(
  message: Message,
  draft: HeldDraft,
): { edit: HeldEdit; problems: null } | { edit: null; problems: HeldProblems } {
  const read = HeldEditSchema.safeParse({
    ...(draft.method !== null && { method: draft.method.trim() }),
    ...(draft.target !== null && { target: draft.target.trim() }),
    ...(draft.status !== null && { status: readStatus(draft.status) }),
    ...(draft.headers !== null && !sameHeaders(message, draft.headers) && { headers: listed(draft.headers) }),
    ...(draft.body !== null && { body: encodeBody(draft.body) }),
  });
  if (read.success) return { edit: read.data, problems: null };
  return { edit: null, problems: problemsOf(read.error.issues, draft.headers) };
}

/** An answer that somebody writes. */
export interface AnswerDraft {
  readonly status: string;
  readonly headers: readonly HeaderDraft[];
  readonly body: string;
}

export function readAnswer(
  draft: AnswerDraft,
): { answer: HeldAnswer; problems: null } | { answer: null; problems: HeldProblems } {
  const read = HeldAnswerSchema.safeParse({
    status: readStatus(draft.status),
    headers: listed(draft.headers),
    body: encodeBody(draft.body),
  });
  if (read.success) return { answer: read.data, problems: null };
  return { answer: null, problems: problemsOf(read.error.issues, draft.headers) };
}

function readStatus(text: string): number {
  return /^\d+$/.test(text.trim()) ? Number(text) : NaN;
}

function encodeBody(text: string): string {
  return toBase64(new TextEncoder().encode(text));
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function problemsOf(issues: readonly Issue[], headers: readonly HeaderDraft[] | null): HeldProblems {
  const problems: Record<string, string> = {};
  for (const { path, message } of issues) {
    const field = fieldAt(path, headers);
    problems[field] ??= field === 'status' ? 'Expected a status from 200 to 599.' : message;
  }
  return problems;
}

/** Where the agent and the schema say `headers[2][1]`, the table says which row that is. */
function fieldAt(path: readonly PropertyKey[], headers: readonly HeaderDraft[] | null): string {
  const [part, index, side] = path;
  const row = part === 'headers' ? written(headers)[Number(index)] : undefined;
  if (row === undefined) return part === undefined ? 'all' : String(part);
  return `headers.${row.key}.${Number(side) === 1 ? 'value' : 'name'}`;
}

/** What the agent refused, in the fields of the draft. */
export function refusedProblems(
  refused: readonly RefusedField[],
  headers: readonly HeaderDraft[] | null,
): HeldProblems {
  const issues = refused.map(({ path, message }) => ({ path: path.match(/[^.[\]]+/g) ?? [], message }));
  return problemsOf(issues, headers);
}
