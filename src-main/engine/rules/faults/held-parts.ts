import { fixedHeaderNames } from '#shared/contract/held.ts';
import type { HeldSide } from '#shared/contract/held.ts';
import type { HeldView } from '../../breakpoints/held-messages.ts';
import { splitFields } from '../../proxy/http1/fields.ts';
import type { FlatFields } from '../../proxy/http1/fields.ts';
import { codingsIn, decodeContent, isKnownCoding } from './content-coding.ts';
import type { EditableHead } from './message-head.ts';
import { longestCollectedBytes } from './message-stage.ts';
import type { MessageShape } from './stage.ts';

/** A message that a breakpoint holds, in parts. */
export interface HeldParts {
  readonly at: HeldSide;
  readonly head: EditableHead;
  readonly shape: MessageShape;
  /** Without framing; null: it is not there whole, and `why` says why. */
  readonly body: Buffer | null;
  readonly why: string | null;
  readonly trailers: Buffer;
  readonly request: RequestOfHeld;
}

/** The request of the call that is held, as its caller sent it. */
export interface RequestOfHeld {
  readonly method: string;
  readonly target: string;
  /** Field lines, each with its CRLF. */
  readonly fieldsText: string;
}

type Pair = [name: string, value: string];

/** The parts as somebody reads them. */
export async function viewOf(parts: HeldParts): Promise<HeldView> {
  const { at, head, shape, trailers } = parts;
  const content = await contentOf(parts);
  const isReadable = typeof content !== 'string';
  const pairs = shownPairs(head.fields);
  const common = {
    httpVersion: shape.httpVersion ?? '1.1',
    headers: pairs.filter(([name]) => !isFixed(name)),
    fixedHeaders: pairs.filter(([name]) => isFixed(name)),
    trailers: trailers.toString('latin1').trim(),
    body: isReadable ? content : Buffer.alloc(0),
    bodyEncoding: codingsIn(head.fields).join(', ') || 'identity',
    isBodyEditable: isReadable,
    why: isReadable ? null : content,
  };
  if (at === 'request') {
    const { method, target } = requestLineOf(head);
    return { message: { kind: 'request', method, target, ...common }, request: null };
  }
  const { status, reason } = statusLineOf(head);
  const { method, target, fieldsText } = parts.request;
  const headers = shownPairs(splitFields(`${fieldsText}\r\n`, 0));
  return {
    message: { kind: 'response', status, reason, ...common },
    request: { method, target, headers },
  };
}

/** The body without its codings; a sentence about why it cannot be had. */
export async function contentOf({ at, head, body, why, request }: HeldParts): Promise<Buffer | string> {
  if (at === 'response' && request.method === 'HEAD') return 'an answer to HEAD has none';
  if (body === null) return why ?? 'it is not there';
  const codings = codingsIn(head.fields);
  const unknown = codings.find((coding) => !isKnownCoding(coding));
  if (unknown !== undefined) return `its coding ${unknown} is not known`;
  // An empty body is empty in every coding: to HEAD, a 304, or where a server says the coding all the same.
  return body.length === 0 ? body : decodeContent(body, codings, longestCollectedBytes);
}

export function isFixed(name: string): boolean {
  return fixedHeaderNames.has(name.toLowerCase());
}

/** Fields as pairs. Whom an HTTP/2 request asks is shown as in HTTP/1.1; a Host besides says nothing more. */
export function shownPairs(fields: FlatFields): Pair[] {
  const pairs: Pair[] = [];
  const hasAuthority = fields.includes(':authority');
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (name === ':authority') pairs.push(['host', value]);
    else if (!hasAuthority || name !== 'host') pairs.push([name, value]);
  }
  return pairs;
}

export interface RequestLine {
  readonly method: string;
  /** Path and query, also where the line has a whole URL (to a forwarding proxy). */
  readonly target: string;
  /** What the line has before it: `http://host` or nothing. */
  readonly before: string;
  readonly version: string;
}

export function requestLineOf({ startLine }: Pick<EditableHead, 'startLine'>): RequestLine {
  const [method = '', whole = '', version = ''] = startLine.split(' ');
  const before = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i.exec(whole)?.[0] ?? '';
  return { method, target: whole.slice(before.length), before, version };
}

export function statusLineOf({ startLine }: Pick<EditableHead, 'startLine'>): {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
} {
  const [version = '', status = '', ...reason] = startLine.split(' ');
  return { version, status: Number(status), reason: reason.join(' ') };
}
