import { statusOf } from './message-splitter.ts';
import type { CaseRequest } from './case.ts';

/**
 * All that may be different through Spike, and nothing else (RFC 9110, section 7.6.1). Bodies, chunk sizes, extensions and
 * trailers are the same byte by byte; so are start lines and fields, their order, case, number and the space in them, but:
 *
 * 1. `Connection`, `Keep-Alive`, `Proxy-Connection`, `TE` and `Proxy-Authorization` end at Spike. So does `Upgrade`, but for a
 *    request's that `Connection` names (`h2c` is never passed on: RFC 9113 has dropped it) and an answer's that says what
 *    is required: it is passed on, with `Connection: Upgrade` at the end.
 * 2. So do the fields that `Connection` names, but for those that frame or address the message. The other fields of such a
 *    message are written anew as `name: value`.
 * 3. `TE` with `trailers` is passed on as `TE: trailers`, with `Connection: TE` at the end.
 * 4. The client is told `Connection: close` where its connection ends behind the answer, and, if it speaks 1.0,
 *    `Connection: keep-alive` where it does not. What the origin said about its own connection is for Spike alone.
 * 5. A client of 1.0 gets no interim answers.
 * 6. Through the proxy port, a request of 1.0 without Host gets the one of its target.
 */
const endHere = ['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'te', 'proxy-authorization'];
const stay = ['content-length', 'transfer-encoding', 'host'];

interface Head {
  readonly start: string;
  readonly lines: string[];
}

function split(head: string): Head {
  const [start = '', ...lines] = head.slice(0, -4).split('\r\n');
  return { start, lines };
}

function join({ start, lines }: Head): string {
  return [start, ...lines, '', ''].join('\r\n');
}

const nameOf = (line: string): string => line.slice(0, line.indexOf(':')).toLowerCase();
const valueOf = (line: string): string => line.slice(line.indexOf(':') + 1).replace(/^[ \t]+|[ \t]+$/g, '');

function connectionOptions(lines: readonly string[]): string[] {
  return lines
    .filter((line) => nameOf(line) === 'connection')
    .flatMap((line) => valueOf(line).toLowerCase().split(','))
    .map((option) => option.trim());
}

function passedOn(lines: readonly string[], upgrades = false): string[] {
  const options = connectionOptions(lines);
  const named = options.filter((option) => ![...endHere, ...stay, 'close', ''].includes(option));
  let allowsTrailers = false;
  const kept = lines.flatMap((line) => {
    const name = nameOf(line);
    if (name === 'te' && /\btrailers\b/i.test(valueOf(line)) && !allowsTrailers) {
      allowsTrailers = true;
      return ['TE: trailers'];
    }
    if (name === 'upgrade' && upgrades) return [line];
    return endHere.includes(name) || named.includes(name) ? [] : [line];
  });
  const written =
    named.length === 0 ? kept : kept.map((line) => `${line.slice(0, line.indexOf(':'))}: ${valueOf(line)}`);
  const said = [...(upgrades ? ['Upgrade'] : []), ...(allowsTrailers ? ['TE'] : [])];
  return said.length === 0 ? written : [...written, `Connection: ${said.join(', ')}`];
}

/** What the origin gets through Spike of a head that it got directly. @param host Of the target, by the proxy port; else null. */
export function expectedAtOrigin(direct: string, host: string | null): string {
  const { start, lines } = split(direct);
  const wanted = lines.some((line) => nameOf(line) === 'upgrade' && valueOf(line) !== 'h2c');
  const kept = passedOn(lines, wanted && connectionOptions(lines).includes('upgrade'));
  const hasHost = lines.some((line) => nameOf(line) === 'host');
  return join({ start, lines: hasHost || host === null ? kept : [`Host: ${host}`, ...kept] });
}

/** What the client gets through Spike of a head that it got directly; null: nothing. */
export function expectedAtClient(direct: string, request: CaseRequest): string | null {
  const { start, lines } = split(direct);
  const status = statusOf(direct);
  if (status < 200) return request.version === '1.0' ? null : join({ start, lines: passedOn(lines) });
  const options = connectionOptions(request.lines);
  const isKept = request.version === '1.0' ? options.includes('keep-alive') : !options.includes('close');
  const ends = !isKept || isUntilClose(direct, request.method, status) || isRefusedEarly(request);
  const said = ends ? ['Connection: close'] : request.version === '1.0' ? ['Connection: keep-alive'] : [];
  return join({ start, lines: [...passedOn(lines, status === 426), ...said] });
}

function isUntilClose(head: string, method: string, status: number): boolean {
  if (method === 'HEAD' || status === 204 || status === 304) return false;
  return !/\r\n(content-length|transfer-encoding):/i.test(head);
}

/** A client that waits to be told to send its body, and is answered, may send it or not: only the end tells. */
function isRefusedEarly(request: CaseRequest): boolean {
  return request.waits === true && request.answer.interim.length === 0;
}
