/** One request of a case, and what its origin answers. Text is latin1: one character an octet. */
export interface CaseRequest {
  readonly method: string;
  /** Path and query, or `*`. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  /** Field lines without their CRLF; `{authority}` stands for the origin's host and port. */
  readonly lines: readonly string[];
  /** As on the wire. */
  readonly body: string;
  /** Written before the request: an empty line, which some old clients send. */
  readonly before?: string;
  /** Waits for `100 Continue` before the body is sent. */
  readonly waits?: boolean;
  readonly answer: CaseAnswer;
}

export interface CaseAnswer {
  /** Whole heads of interim answers. */
  readonly interim: readonly string[];
  /** Start line, field lines, empty line. */
  readonly head: string;
  readonly body: string;
  /** The origin ends the connection behind it, because nothing else tells where it ends or because it says so. */
  readonly closes: boolean;
  /** Sizes of the pieces in which it is written; the last one is repeated. */
  readonly pieces: readonly number[];
}

export interface DifferentialCase {
  readonly name: string;
  readonly requests: readonly CaseRequest[];
  /** All requests are written at once, without waiting for answers. */
  readonly pipelined: boolean;
  /** Sizes of the pieces in which the client writes; the last one is repeated. */
  readonly pieces: readonly number[];
}

/** Every request carries the number of its case and its own, so that the origin knows what to answer. */
export const caseField = 'X-Case';

/** @param prefix Before the target: `http://host:port` for a proxy, else ''. */
export function headOf(request: CaseRequest, id: string, authority: string, prefix = ''): string {
  const target = prefix !== '' && request.target === '*' ? prefix : prefix + request.target;
  const lines = [`${caseField}: ${id}`, ...request.lines];
  return `${request.method} ${target} HTTP/${request.version}\r\n${lines.join('\r\n')}\r\n\r\n`.replaceAll(
    '{authority}',
    authority,
  );
}

/** Cuts into pieces of these sizes, of which the last one is repeated. */
export function piecesOf(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (let index = 0; at < text.length; index++) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? text.length;
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}
