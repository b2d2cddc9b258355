import type { MessageHead, RequestHead, ResponseHead } from './head.ts';
import { TE_TRAILERS, UPGRADE_LINE } from './field-scanner.ts';
import { assertFields } from './encode.ts';

export interface SerializeOptions {
  /** What to say about this connection to the one who receives the head; absent: nothing. */
  readonly connection?: 'close' | 'keep-alive';
  /** Passes the Upgrade field on, with its Connection option. Default false: the upgrade is dropped. */
  readonly upgrade?: boolean;
}

export interface SerializeRequestOptions extends SerializeOptions {
  /** The target to ask for, usually `head.destination.path`. Default: as it came. */
  readonly target?: string;
  /** The value of Host, usually `head.destination.authority` (RFC 9112, section 3.2.2). Default: as it came. */
  readonly host?: string;
}

/**
 * Fields that end at Spike (RFC 9110, section 7.6.1). Transfer-Encoding stays, as it frames the body that is passed on.
 * Proxy-Authorization is what the client says to Spike; Proxy-Authenticate is relayed, as it comes from a proxy behind.
 */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'upgrade',
]);

/**
 * Nominated or not, these travel: without them the message would end elsewhere or go elsewhere. A field that says
 * "Connection: content-length" is a known way to make a proxy do that.
 */
const neverDropped: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'host']);

/**
 * The head to send on: start line and fields as they came, in order and case, without hop-by-hop fields. The version is
 * that of the client, though RFC 9110, section 6.2, wants our own: asked in 1.1, the upstream could answer a
 * 1.0 client in chunks, which it cannot read. Throws a TypeError if replaced fields cannot be written.
 */
export function serializeRequestHead(head: RequestHead, options: SerializeRequestOptions = {}): string {
  const target = options.target ?? head.target;
  const startLine = target === head.target ? null : `${head.method} ${target} HTTP/${head.httpVersion}\r\n`;
  const host = options.host === undefined || options.host === head.hostField ? null : options.host;
  if (isRewritten(head)) return rewrite(head, startLine, host, options);
  const newHost = host === null ? null : `Host: ${host}\r\n`;
  return cut(head, startLine, options, head.hostLineStart, head.hostLineEnd, newHost);
}

/** See `serializeRequestHead`. */
export function serializeResponseHead(head: ResponseHead, options: SerializeOptions = {}): string {
  if (isRewritten(head)) return rewrite(head, null, null, options);
  return cut(head, null, options, -1, -1, null);
}

/** Whether the head has to be written field by field, for lines that the parser has not marked. */
function isRewritten(head: MessageHead): boolean {
  if (head.edited) return true;
  return head.connectionTokens.length > 0 && head.connectionTokens.some(nominatesOther);
}

function nominatesOther(token: string): boolean {
  return token !== 'close' && !hopByHop.has(token) && !neverDropped.has(token);
}

/** The common way: what remains is copied in as few pieces as there are lines to go, or not at all. */
function cut(
  head: MessageHead,
  startLine: string | null,
  options: SerializeOptions,
  hostStart: number,
  hostEnd: number,
  newHost: string | null,
): string {
  const { text, fieldsAt } = head;
  const marks = head.marks ?? noMarks;
  if (marks.length === 0 && newHost === null && options.connection === undefined) {
    return startLine === null ? text : startLine + text.slice(fieldsAt);
  }
  let out = startLine ?? '';
  let from = startLine === null ? 0 : fieldsAt;
  let hostPending = newHost !== null;
  if (hostPending && hostStart < 0) {
    out += text.slice(from, fieldsAt) + newHost;
    from = fieldsAt;
    hostPending = false;
  }
  let allowsTrailers = false;
  for (let i = 0; i < marks.length; i += 3) {
    const start = marks[i + 1] as number;
    if (hostPending && hostStart < start) {
      out += text.slice(from, hostStart) + newHost;
      from = hostEnd;
      hostPending = false;
    }
    if (marks[i] === UPGRADE_LINE && options.upgrade === true) continue;
    out += text.slice(from, start);
    if (marks[i] === TE_TRAILERS && !allowsTrailers) {
      out += 'TE: trailers\r\n';
      allowsTrailers = true;
    }
    from = marks[i + 2] as number;
  }
  if (hostPending) {
    out += text.slice(from, hostStart) + newHost;
    from = hostEnd;
  }
  return `${out}${text.slice(from, -2)}${connectionLine(options, allowsTrailers)}\r\n`;
}

const noMarks: readonly number[] = Object.freeze([]);

/** The way of a head whose fields were replaced, or that nominates fields of its own. */
function rewrite(
  head: MessageHead,
  startLine: string | null,
  host: string | null,
  options: SerializeOptions,
): string {
  const fields = head.fields;
  if (head.edited) assertFields(fields);
  let out = startLine ?? head.text.slice(0, head.fieldsAt);
  let allowsTrailers = false;
  let hostPending = host !== null;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'host' && host !== null) {
      if (hostPending) out += `${name}: ${host}\r\n`;
      hostPending = false;
    } else if (lower === 'te' && /(^|,)[ \t]*trailers[ \t]*(,|$)/i.test(value)) {
      if (!allowsTrailers) out += 'TE: trailers\r\n';
      allowsTrailers = true;
    } else if (travels(lower, head, options)) out += `${name}: ${value}\r\n`;
  }
  if (hostPending) out += `Host: ${host}\r\n`;
  return `${out}${connectionLine(options, allowsTrailers)}\r\n`;
}

function travels(lower: string, head: MessageHead, options: SerializeOptions): boolean {
  if (lower === 'upgrade') return options.upgrade === true;
  if (hopByHop.has(lower)) return false;
  return neverDropped.has(lower) || !head.connectionTokens.includes(lower);
}

/** A TE goes with a Connection option (RFC 9110, section 10.1.4), and so does Upgrade. */
function connectionLine(options: SerializeOptions, allowsTrailers: boolean): string {
  if (options.connection === undefined && !allowsTrailers && options.upgrade !== true) return '';
  const tokens: string[] = options.connection === undefined ? [] : [options.connection];
  if (options.upgrade === true) tokens.push('Upgrade');
  if (allowsTrailers) tokens.push('TE');
  return `Connection: ${tokens.join(', ')}\r\n`;
}
