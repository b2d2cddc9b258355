import type { HeldAnswer, HeldEdit } from '#shared/contract/held.ts';
import type { HeldProblem } from '../../breakpoints/held-messages.ts';
import { getField, removeField } from '../../proxy/http1/fields.ts';
import type { FlatFields } from '../../proxy/http1/fields.ts';
import { reasonPhrase } from '../../proxy/local-response.ts';
import { mayHaveBody } from '../../proxy/message-shape.ts';
import { byteCount } from '../fault-mark.ts';
import { codingsIn, encodeContent } from './content-coding.ts';
import { contentOf, isFixed, requestLineOf, shownPairs, statusLineOf } from './held-parts.ts';
import type { HeldParts } from './held-parts.ts';
import { frameWhole } from './message-framing.ts';
import type { EditableHead } from './message-head.ts';
import type { BodyFraming, LocalAnswer, MessageShape } from './stage.ts';

/** A message that takes the place of a held one. */
export interface EditedMessage {
  readonly head: EditableHead;
  /** Of its body; `headBytes` and `fields` follow the head. */
  readonly shape: MessageShape;
  /** The body as it is framed; null: as it came. */
  readonly wire: Buffer | null;
  /** What is different, as words: "method GET to PUT"; empty: nothing. */
  readonly changes: readonly string[];
}

/** An edited message; or what of the edit does not fit the message, which is held as it was then. */
export type Edited = EditedMessage | { readonly problems: readonly HeldProblem[] };

/** What an edit makes of a held message. The message itself stays as it is. */
export async function editMessage(parts: HeldParts, edit: HeldEdit): Promise<Edited> {
  const content = edit.body === undefined ? null : await contentOf(parts);
  const problems = [...misfits(parts, edit), ...headerMisfits(parts, edit)];
  if (typeof content === 'string') problems.push(problem('body', `The body cannot be edited: ${content}.`));
  else if (content !== null) problems.push(...bodyMisfits(parts, edit));
  if (problems.length > 0) return { problems };
  const head = editedHead(parts, edit);
  const changes = headChanges(parts, head);
  const body = content === null || typeof content === 'string' ? null : newContent(edit, content);
  if (body !== null && content !== null)
    changes.push(`body (${byteCount(content.length)} to ${byteCount(body.length)})`);
  return reframed(parts, head, body, changes);
}

/** A held answer, replaced. Fields about the connection stay: how it goes on is decided already. */
export function answerInPlace(parts: HeldParts, answer: HeldAnswer): EditedMessage {
  const { status, headers, body } = answer;
  const { version } = statusLineOf(parts.head);
  const kept = shownPairs(parts.head.fields).filter(([name]) => /^(connection|keep-alive)$/i.test(name));
  const head = {
    startLine: `${version} ${status} ${reasonPhrase(status)}`,
    fields: [...headers.map(trimmed).flat(), ...kept.flat()],
  };
  const mayHave = mayHaveBody(status, parts.request.method);
  const content = Buffer.from(body, 'base64');
  const isFramed = mayHave || parts.request.method === 'HEAD';
  if (isFramed) frameWhole(head, { ...parts.shape, httpVersion: '1.1' }, content, content.length, noBytes);
  const wire = mayHave ? content : noBytes;
  return { head, shape: shapeWith(parts.shape, head, wire, mayHave), wire, changes: [] };
}

/** A held request, answered. */
export function localAnswerOf({ status, headers, body }: HeldAnswer): LocalAnswer {
  return { status, headers: {}, fields: headers.map(trimmed).flat(), body: Buffer.from(body, 'base64') };
}

function problem(path: string, message: string): HeldProblem {
  return { path, message };
}

function misfits({ at, head, request }: HeldParts, edit: HeldEdit): HeldProblem[] {
  const problems: HeldProblem[] = [];
  if (at === 'request') {
    if (edit.status !== undefined) problems.push(problem('status', 'A request has no status.'));
    const { method } = requestLineOf(head);
    if (edit.method !== undefined && edit.method !== method && [edit.method, method].includes('HEAD')) {
      const why = 'An answer to HEAD has no body, and the caller expects what it asked for';
      problems.push(problem('method', `${why}: ${method} cannot become ${edit.method}.`));
    }
    return problems;
  }
  for (const field of ['method', 'target'] as const) {
    if (edit[field] !== undefined)
      problems.push(problem(field, `The ${request.method} request has been sent already.`));
  }
  return problems;
}

function headerMisfits({ at, head }: HeldParts, { headers }: HeldEdit): HeldProblem[] {
  if (headers === undefined || at === 'response') return [];
  const hosts = headers.filter(([name]) => name.toLowerCase() === 'host').length;
  const needed = shownPairs(head.fields).some(([name]) => name.toLowerCase() === 'host');
  if (hosts === 1 || (hosts === 0 && !needed)) return [];
  return [problem('headers', `A request has one Host (RFC 9112, section 3.2), not ${hosts}.`)];
}

function bodyMisfits({ at, head, request }: HeldParts, { body = '', status }: HeldEdit): HeldProblem[] {
  if (at === 'request' || body === '') return [];
  const code = status ?? statusLineOf(head).status;
  if (mayHaveBody(code, request.method)) return [];
  return [problem('body', `An answer with ${code} has no body (RFC 9110, section 6.4.1).`)];
}

function newContent({ body = '' }: HeldEdit, before: Buffer): Buffer | null {
  const content = Buffer.from(body, 'base64');
  return content.equals(before) ? null : content;
}

// --- the head

function editedHead({ at, head }: HeldParts, edit: HeldEdit): EditableHead {
  const startLine = at === 'request' ? requestLine(head, edit) : statusLine(head, edit);
  const fields = edit.headers === undefined ? [...head.fields] : withPairs(head.fields, edit.headers);
  return { startLine, fields };
}

function requestLine(head: EditableHead, edit: HeldEdit): string {
  const { method, target, before, version } = requestLineOf(head);
  return `${edit.method ?? method} ${before}${edit.target ?? target} ${version}`;
}

function statusLine(head: EditableHead, { status }: HeldEdit): string {
  const { version, status: before } = statusLineOf(head);
  if (status === undefined || status === before) return head.startLine;
  return `${version} ${status} ${reasonPhrase(status)}`;
}

/** The pairs in place of what may be edited; fixed fields stay where they are, as far as that place still exists. */
function withPairs(fields: FlatFields, edited: readonly (readonly [string, string])[]): FlatFields {
  const hasAuthority = fields.includes(':authority');
  const pairs = edited.map(trimmed).map(([name, value]): [string, string] => {
    if (!hasAuthority) return [name, value];
    // In HTTP/2 names are in lower case (RFC 9113, section 8.2).
    const lower = name.toLowerCase();
    return [lower === 'host' ? ':authority' : lower, value];
  });
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (isFixed(name)) pairs.splice(Math.min(i / 2, pairs.length), 0, [name, fields[i + 1] as string]);
  }
  return pairs.flat();
}

/** A value has no white space at its ends (RFC 9110, section 5.5). */
function trimmed([name, value]: readonly [string, string]): [string, string] {
  return [name, value.replace(/^[ \t]+|[ \t]+$/g, '')];
}

function headChanges({ at, head }: HeldParts, after: EditableHead): string[] {
  const changes: string[] = [];
  const say = (what: string, from: string | number, to: string | number): void => {
    if (from !== to) changes.push(`${what} ${from} to ${to}`);
  };
  if (at === 'request') {
    const [was, is] = [requestLineOf(head), requestLineOf(after)];
    say('method', was.method, is.method);
    say('target', brief(was.target), brief(is.target));
    if (was.target !== is.target && brief(was.target) === brief(is.target)) changes.push('target');
  } else say('status', statusLineOf(head).status, statusLineOf(after).status);
  const names = changedNames(head.fields, after.fields);
  if (names.length > 0) changes.push(`headers (${brief(names.join(', '))})`);
  return changes;
}

/** Notes are for a line of a list. */
function brief(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}

/** Names whose values, in their order, are not what they were; all of them when only the order of names is another. */
function changedNames(before: FlatFields, after: FlatFields): string[] {
  if (before.join('\n') === after.join('\n')) return [];
  const was = valuesByName(before);
  const is = valuesByName(after);
  const names = [...new Set([...was.keys(), ...is.keys()])];
  const changed = names.filter((name) => was.get(name) !== is.get(name));
  return changed.length > 0 ? changed : ['their order'];
}

function valuesByName(fields: FlatFields): Map<string, string> {
  const values = new Map<string, string>();
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).replace(/^:authority$/, 'host').toLowerCase();
    values.set(name, `${values.get(name) ?? ''}\n${fields[i + 1]}`);
  }
  return values;
}

// --- the body

async function reframed(
  parts: HeldParts,
  head: EditableHead,
  body: Buffer | null,
  changes: readonly string[],
): Promise<EditedMessage> {
  const { at, shape } = parts;
  if (at === 'response') {
    const mayHave = mayHaveBody(statusLineOf(head).status, parts.request.method);
    const hadBody = mayHaveBody(statusLineOf(parts.head).status, parts.request.method);
    if (!mayHave && hadBody) return bodyless(parts, head, changes);
    // A 204 that became another says where it ends: without that it would last until the connection closes.
    if (mayHave && !hadBody) return framed(parts, head, body ?? noBytes, changes);
  }
  if (body === null) return { head, shape, wire: null, changes };
  return framed(parts, head, await encodeContent(body, codingsIn(head.fields)), changes);
}

function framed(
  parts: HeldParts,
  head: EditableHead,
  coded: Buffer,
  changes: readonly string[],
): EditedMessage {
  const wire = frameWhole(head, parts.shape, coded, coded.length, parts.trailers);
  return { head, shape: shapeWith(parts.shape, head, wire, true), wire, changes };
}

/** RFC 9110, section 8.6: a 204 has no Content-Length. */
function bodyless({ shape }: HeldParts, head: EditableHead, changes: readonly string[]): EditedMessage {
  for (const name of ['content-length', 'transfer-encoding', 'trailer']) removeField(head.fields, name);
  return { head, shape: shapeWith(shape, head, noBytes, false), wire: noBytes, changes };
}

function shapeWith(
  shape: MessageShape,
  { fields }: EditableHead,
  wire: Buffer,
  mayHave: boolean,
): MessageShape {
  // In chunks only where trailers come behind it.
  const http1: BodyFraming = getField(fields, 'transfer-encoding') === null ? 'length' : 'chunked';
  const framing = shape.httpVersion === '2' ? 'stream' : http1;
  return { ...shape, bodyBytes: wire.length, framing: mayHave ? framing : 'none' };
}

const noBytes = Buffer.alloc(0);
