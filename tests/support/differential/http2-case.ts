import { caseField } from './case.ts';
import type { CaseRequest, DifferentialCase } from './case.ts';

/** A request or an answer as HTTP/2 says it: pseudo-fields and fields in one flat list, content without framing. */
export interface StreamMessage {
  readonly fields: readonly string[];
  /** latin1 */
  readonly content: string;
  readonly trailers: readonly string[];
}

/** Fields that frame a message in HTTP/1.1, or that say something about a connection. */
const left = /^(connection|keep-alive|proxy-.*|te|upgrade|transfer-encoding|expect|host)$/;

/** Field lines as HTTP/2 has them (RFC 9113, section 8.2): lower case, without the space around values. */
function fieldsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    const value = line.slice(line.indexOf(':') + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    return left.test(name) ? [] : [name, value];
  });
}

function isChunked(lines: readonly string[]): boolean {
  return lines.some((line) => /^transfer-encoding:/i.test(line));
}

function dechunked(body: string): { content: string; trailers: string[] } {
  let content = '';
  for (let at = 0; ;) {
    const lineEnd = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) return { content, trailers: fieldsOf(body.slice(at, -2).split('\r\n').filter(Boolean)) };
    content += body.slice(at, at + size);
    at += size + 2;
  }
}

function messageOf(pseudo: readonly string[], lines: readonly string[], body: string): StreamMessage {
  const { content, trailers } =
    isChunked(lines) && body !== '' ? dechunked(body) : { content: body, trailers: [] };
  return { fields: [...pseudo, ...fieldsOf(lines)], content, trailers };
}

/** What HTTP/2 can say and node:http2 lets be said: 1.1, one request, ASCII, no words about the connection. */
export function isForHttp2({ requests }: DifferentialCase): boolean {
  const [request] = requests;
  if (request === undefined || requests.length > 1 || request.version !== '1.1' || request.waits === true) return false;
  const { lines, answer, method, target } = request;
  const said = [...lines, answer.head, target].join('\n');
  if (/[^\t\n\r\x20-\x7e]/.test(said) || /\r\n(proxy-|upgrade|connection:.*x-hop)/i.test(answer.head)) return false;
  const about = /^(connection|keep-alive|proxy-[a-z]+|te|upgrade|expect|transfer-encoding: gzip.*):?/i;
  // node:http2 has one value of the first, and 1.1 one line of the second (RFC 9113, section 8.2.3).
  if (/^authorization:.*^authorization:|^cookie:.*^cookie:/ims.test(lines.join('\n'))) return false;
  if (lines.some((line) => about.test(line) && !/^transfer-encoding: *chunked$/i.test(line))) return false;
  // A length that HTTP/2 would contradict; methods and statuses that node:http2 does not take; large things are tested in 1.1.
  const odd = /^(CONNECT|TRACE)$/.test(method) || said.length > 12_000 || lines.length > 100 || target === '*';
  return !odd && answer.interim.length === 0 && !lines.some((line) => /^content-length: *0\d/i.test(line));
} // prettier-ignore

export function requestMessage(
  request: CaseRequest,
  id: string,
  authority: string,
  scheme = 'http',
): StreamMessage {
  const pseudo = [
    ':method',
    request.method,
    ':scheme',
    scheme,
    ':authority',
    authority,
    ':path',
    request.target,
  ];
  const lines = [`${caseField}: ${id}`, ...request.lines];
  return messageOf(pseudo, lines, request.body);
}

export function answerMessage({ answer }: CaseRequest): StreamMessage {
  const [start = '', ...lines] = answer.head.slice(0, -4).split('\r\n');
  return messageOf([':status', start.split(' ')[1] as string], lines, answer.body);
}
