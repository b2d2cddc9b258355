import type { MessageHead, RequestHead, ResponseHead } from './head.ts';
import { ALT_SVC_LINE, TE_TRAILERS, UPGRADE_LINE } from './field-scanner.ts';
import { assertFields } from './encode.ts';

export interface SerializeOptions {
  /** What to say about this connection to the one who receives the head; absent: nothing. */
  readonly connection?: 'close' | 'keep-alive';
  /** Passes the Upgrade field on, with its Connection option. Default false: the upgrade is dropped. */
  readonly upgrade?: boolean;
  /** Leaves Alt-Svc out (RFC 7838), so that the client stays where it is. Default false. */
  readonly dropAltSvc?: boolean;
}

export interface SerializeRequestOptions extends SerializeOptions {
  /** The target to ask for, usually `head.destination.path`. Default: as it came. */
  readonly target?: string;
  /** The value of Host, usually `head.destination.authority` (RFC 9112, section 3.2.2). Default: as it came. */
  readonly host?: string;
  /** What is said to the proxy that the request is sent to (RFC 9110, section 11.7.2). Default, and null: nothing. */
  readonly proxyAuthorization?: string | null;
  /** A further line of Via (RFC 9110, section 7.6.3). Default: none is added. */
  readonly via?: string;
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
  const text = requestHeadText(head, options);
  const { proxyAuthorization = null, via } = options;
  if (proxyAuthorization === null && via === undefined) return text;
  const credentials = proxyAuthorization === null ? '' : `Proxy-Authorization: ${proxyAuthorization}\r\n`;
  return `${text.slice(0, -2)}${credentials}${via === undefined ? '' : `Via: ${via}\r\n`}\r\n`;
}

function requestHeadText(head: RequestHead, options: SerializeRequestOptions): string {
  const target = options.target ?? head.target;
  const startLine = target === head.target ? null : `${head.method} ${target} HTTP/${head.httpVersion}\r\n`;
  // A target that agrees with Host is the rule even in absolute-form; a Host to be replaced is worth the slow way.
  const host = options.host === undefined || options.host === head.hostField ? null : options.host;
  if (host === null && !isRewritten(head)) return cut(head, startLine, options);
  return rewrite(head, startLine, host, host !== null && head.hostField === null, options);
}

/** See `serializeRequestHead`. */
export function serializeResponseHead(head: ResponseHead, options: SerializeOptions = {}): string {
  return isRewritten(head) ? rewrite(head, null, null, false, options) : cut(head, null, options);
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
function cut(head: MessageHead, startLine: string | null, options: SerializeOptions): string {
  const { text, fieldsAt, marks } = head;
  if (marks === null && options.connection === undefined) {
    return startLine === null ? text : startLine + text.slice(fieldsAt);
  }
  let out = startLine ?? '';
  let from = startLine === null ? 0 : fieldsAt;
  let allowsTrailers = false;
  for (let i = 0; marks !== null && i < marks.length; i += 3) {
    const kind = marks[i];
    if (kind === UPGRADE_LINE && options.upgrade === true) continue;
    if (kind === ALT_SVC_LINE && options.dropAltSvc !== true) continue;
    out += text.slice(from, marks[i + 1]);
    from = marks[i + 2] as number;
    if (kind !== TE_TRAILERS || allowsTrailers) continue;
    out += TE_LINE;
    allowsTrailers = true;
  }
  return `${out}${text.slice(from, -2)}${connectionLine(options, allowsTrailers)}\r\n`;
}

const TE_LINE = 'TE: trailers\r\n';
const trailersPattern = /(^|,)[ \t]*trailers[ \t]*(,|$)/i;

/** The way of a head with another Host, with replaced fields, or that nominates fields of its own. */
function rewrite(
  head: MessageHead,
  startLine: string | null,
  host: string | null,
  addsHost: boolean,
  options: SerializeOptions,
): string {
  const fields = head.fields;
  if (head.edited) assertFields(fields);
  let out = startLine ?? head.text.slice(0, head.fieldsAt);
  if (addsHost) out += `Host: ${host}\r\n`;
  let allowsTrailers = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'te' && trailersPattern.test(value)) {
      if (!allowsTrailers) out += TE_LINE;
      allowsTrailers = true;
    } else if (travels(lower, head, options)) {
      out += `${name}: ${lower === 'host' && host !== null ? host : value}\r\n`;
    }
  }
  return `${out}${connectionLine(options, allowsTrailers)}\r\n`;
}

function travels(lower: string, head: MessageHead, options: SerializeOptions): boolean {
  if (lower === 'upgrade') return options.upgrade === true;
  if (lower === 'alt-svc' && options.dropAltSvc === true) return false;
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
