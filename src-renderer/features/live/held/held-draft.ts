import { HeldAnswerSchema, HeldEditSchema, longestHeldBodyBytes } from '#shared/contract/held.ts';
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

/** The edit that a draft says. */
export function editOf(message: Message, draft: HeldDraft): HeldEdit {
  return { ...editOfHead(message, draft), ...(draft.body !== null && { body: encodeBody(draft.body) }) };
}

function editOfHead(message: Message, draft: HeldDraft): HeldEdit {
  return {
    ...(draft.method !== null && { method: draft.method.trim() }),
    ...(draft.target !== null && { target: draft.target.trim() }),
    ...(draft.status !== null && { status: readStatus(draft.status) }),
    ...(draft.headers !== null && !sameHeaders(message, draft.headers) && { headers: listed(draft.headers) }),
  };
}

/** What of a draft cannot be sent. Cheap, since it is asked with every key: the body is not encoded for it. */
export function draftProblems(message: Message, draft: HeldDraft): HeldProblems {
  const read = HeldEditSchema.safeParse(editOfHead(message, draft));
  const found = read.success ? {} : problemsOf(read.error.issues, draft.headers);
  return { ...found, ...bodyProblem(draft.body ?? '') };
}

function bodyProblem(text: string): HeldProblems {
  // A letter has three bytes at the most (one of two halves has two).
  const mayBeLonger = text.length * 3 > longestHeldBodyBytes;
  if (!mayBeLonger || new TextEncoder().encode(text).length <= longestHeldBodyBytes) return {};
  return { body: 'A body may have 10 MiB at the most.' };
}

/** An answer that somebody writes. */
export interface AnswerDraft {
  readonly status: string;
  readonly headers: readonly HeaderDraft[];
  readonly body: string;
}

export function answerOf({ status, headers, body }: AnswerDraft): HeldAnswer {
  return { status: readStatus(status), headers: listed(headers), body: encodeBody(body) };
}

/** What of an answer cannot be sent. */
export function answerProblems({ status, headers, body }: AnswerDraft): HeldProblems {
  const read = HeldAnswerSchema.safeParse({ status: readStatus(status), headers: listed(headers) });
  return { ...(read.success ? {} : problemsOf(read.error.issues, headers)), ...bodyProblem(body) };
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
