import type { FailureCause } from '#shared/flow/failure-cause.ts';
import type { LocalAnswer } from '../rules/faults/stage.ts';
import { fieldLines } from './http1/encode.ts';
import type { FlatFields } from './http1/fields.ts';
import type { NetworkFailure } from './ports.ts';

/** An answer of Spike's own, in the parts that a flow records. */
export interface LocalResponse {
  readonly status: number;
  readonly reason: string;
  /** Field lines, each with its CRLF, framing included. */
  readonly fieldsText: string;
  readonly body: Buffer;
  /** Of gRPC; null or absent: none. */
  readonly trailers?: FlatFields | null;
}

/** The reason phrases of RFC 9110, section 15, and of those that services are known to send. */
const reasons: Readonly<Record<number, string>> = {
  200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No Content', 206: 'Partial Content',
  301: 'Moved Permanently', 302: 'Found', 303: 'See Other', 304: 'Not Modified',
  307: 'Temporary Redirect', 308: 'Permanent Redirect',
  400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found',
  405: 'Method Not Allowed', 406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout',
  409: 'Conflict', 410: 'Gone', 411: 'Length Required', 412: 'Precondition Failed', 413: 'Content Too Large',
  414: 'URI Too Long', 415: 'Unsupported Media Type', 417: 'Expectation Failed', 418: "I'm a teapot",
  421: 'Misdirected Request', 422: 'Unprocessable Content', 425: 'Too Early', 426: 'Upgrade Required',
  428: 'Precondition Required', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large',
  500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable',
  504: 'Gateway Timeout', 505: 'HTTP Version Not Supported', 508: 'Loop Detected',
}; // prettier-ignore

export function reasonPhrase(status: number): string {
  return reasons[status] ?? '';
}

/** Statuses that never have a body (RFC 9110, sections 15.3.5 and 15.4.5). */
function allowsBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

/** The answer of a status fault. Framing fields are Spike's own, whatever the rule says. */
export function faultResponse(answer: LocalAnswer): LocalResponse {
  if (answer.grpc !== undefined) return grpcResponse(answer, answer.grpc.trailers);
  const given = Object.entries(answer.headers).filter(
    ([name]) => !/^(content-length|transfer-encoding|connection)$/i.test(name),
  );
  const fields = [...given.flat(), ...(answer.fields ?? [])];
  if (
    typeof answer.body === 'string' &&
    answer.body !== '' &&
    !given.some(([name]) => name.toLowerCase() === 'content-type')
  ) {
    fields.push(
      'content-type',
      /^\s*[[{]/.test(answer.body) ? 'application/json' : 'text/plain; charset=utf-8',
    );
  }
  return response(answer.status, fields, answer.body);
}

function grpcResponse({ status, headers }: LocalAnswer, trailers: FlatFields | null): LocalResponse {
  const fieldsText = fieldLines(Object.entries(headers).flat());
  return { status, reason: reasonPhrase(status), fieldsText, body: Buffer.alloc(0), trailers };
}

const tookTooLong: ReadonlySet<FailureCause> = new Set<FailureCause>([
  'upstream-connect-timeout',
  'upstream-timeout',
  'upstream-proxy-timeout',
  'fault-connect-timeout',
]);

/** 504 for what took too long, 403 for where Spike does not go, 508 for a loop, 502 for the rest (RFC 9110, sections 15.5.4 and 15.6). */
export function statusOfFailure({ cause }: Pick<NetworkFailure, 'cause'>): number {
  if (cause === 'upstream-forbidden') return 403;
  // RFC 5842, section 7.2.
  if (cause === 'upstream-loop') return 508;
  return tookTooLong.has(cause) ? 504 : 502;
}

/** The answer when the upstream could not give one: says why in words, and in `spike-error` for programs. */
export function failureResponse(
  status: number,
  failure: Pick<NetworkFailure, 'cause' | 'message'>,
): LocalResponse {
  return response(
    status,
    ['content-type', 'text/plain; charset=utf-8', 'spike-error', failure.cause],
    `Spike: ${failure.message}\n`,
  );
}

function response(status: number, fields: readonly string[], content: string | Uint8Array): LocalResponse {
  const body = allowsBody(status) ? Buffer.from(content as string) : Buffer.alloc(0);
  const length = allowsBody(status) ? ['content-length', String(body.length)] : [];
  return { status, reason: reasonPhrase(status), fieldsText: fieldLines([...fields, ...length]), body };
}

/** The whole message; to HEAD without the body. */
export function responseBytes(answer: LocalResponse, connection: 'close' | null, withBody: boolean): Buffer {
  const close = connection === null ? '' : 'connection: close\r\n';
  const head = `HTTP/1.1 ${answer.status} ${answer.reason}\r\n${answer.fieldsText}${close}\r\n`;
  const headBytes = Buffer.from(head, 'latin1');
  return withBody && answer.body.length > 0 ? Buffer.concat([headBytes, answer.body]) : headBytes;
}
