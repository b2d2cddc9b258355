import type { FlatFields } from '../http1/fields.ts';
import type { RequestHead, ResponseHead } from '../http1/head.ts';
import type { SerializeRequestOptions } from '../http1/serialize-head.ts';
import { reasonPhrase } from '../local-response.ts';
import type { Http2RequestHead, Http2ResponseHead } from './ports.ts';

/** Fields that are about one connection and have no place in HTTP/2 (RFC 9113, section 8.2.2). */
const connectionSpecific: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
]);

/** `te` may stay if it says this alone (RFC 9113, section 8.2.2). */
const allowedTe = 'trailers';

/** Fields without those that HTTP/2 has no place for, names in lower case: of trailers, of rules, of answers of our own. */
export function withoutConnectionFields(fields: FlatFields): FlatFields {
  const kept: FlatFields = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase();
    const value = fields[i + 1] as string;
    if (!connectionSpecific.has(name) || (name === 'te' && value === allowedTe)) kept.push(name, value);
  }
  return kept;
}

const nothing: readonly string[] = [];

/** How the body of a message goes on in HTTP/1.1. */
export type Http1Framing = 'none' | 'length' | 'chunked';

/** How a request from HTTP/2 says in HTTP/1.1 where its body ends. */
export function framingOf(head: Http2RequestHead): Http1Framing {
  if (head.ended) return 'none';
  return head.fields.includes('content-length') ? 'length' : 'chunked';
}

/** Methods whose requests have a body by their nature: without one they say so (RFC 9110, section 8.6). */
const expectsBody = new Set(['POST', 'PUT', 'PATCH']);

/**
 * A request of HTTP/2 as the text of an HTTP/1.1 head.
 * @param more Fields to add, each with its CRLF.
 */
export function http1RequestText(
  head: Http2RequestHead,
  options: SerializeRequestOptions,
  framing: Http1Framing,
  more = '',
): string {
  const { method, fields } = head;
  let text = `${method} ${options.target ?? head.path} HTTP/1.1\r\nhost: ${options.host ?? head.authority}\r\n`;
  if (typeof options.proxyAuthorization === 'string')
    text += `proxy-authorization: ${options.proxyAuthorization}\r\n`;
  let cookies = '';
  let hasLength = false;
  let allowsTrailers = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (name === 'host' || name === 'proxy-authorization') continue;
    // In pieces, they compress better; in HTTP/1.1 there is one (RFC 9113, section 8.2.3).
    if (name === 'cookie') cookies += cookies === '' ? value : `; ${value}`;
    else if (name === 'te') allowsTrailers = true;
    else {
      text += `${name}: ${value}\r\n`;
      if (name === 'content-length') hasLength = true;
    }
  }
  if (cookies !== '') text += `cookie: ${cookies}\r\n`;
  if (framing === 'chunked') text += 'transfer-encoding: chunked\r\n';
  else if (framing === 'none' && !hasLength && expectsBody.has(method)) text += 'content-length: 0\r\n';
  if (allowsTrailers) text += more === '' ? 'te: trailers\r\nconnection: te\r\n' : 'te: trailers\r\n';
  return `${text}${more}\r\n`;
}

/** A request of HTTP/1.1 for an upstream that speaks HTTP/2. */
export function http2Request(head: RequestHead, scheme: string, isBodyless: boolean): Http2RequestHead {
  const fields: FlatFields = [];
  for (let i = 0; i < head.fields.length; i += 2) {
    const name = (head.fields[i] as string).toLowerCase();
    if (name === 'te') fields.push('te', 'trailers');
    else if (name !== 'host' && !connectionSpecific.has(name) && !head.connectionTokens.includes(name)) {
      fields.push(name, head.fields[i + 1] as string);
    }
  }
  return {
    method: head.method,
    scheme,
    authority: head.hostField ?? '',
    path: head.target,
    protocol: null,
    fields,
    neverIndexed: nothing,
    ended: isBodyless,
  };
}

/** An answer of HTTP/1.1 for a client that speaks HTTP/2. */
export function http2Response(head: ResponseHead, ended: boolean): Http2ResponseHead {
  const fields: FlatFields = [];
  const { connectionTokens } = head;
  for (let i = 0; i < head.fields.length; i += 2) {
    const name = (head.fields[i] as string).toLowerCase();
    if (connectionSpecific.has(name) || connectionTokens.includes(name)) continue;
    fields.push(name, head.fields[i + 1] as string);
  }
  return { status: head.status, fields, neverIndexed: nothing, ended };
}

/** An answer of HTTP/2 as the text of an HTTP/1.1 head. */
export function http1ResponseText({ status, fields }: Http2ResponseHead, framing: Http1Framing): string {
  let text = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  if (framing === 'chunked') text += 'transfer-encoding: chunked\r\n';
  return `${text}\r\n`;
}
