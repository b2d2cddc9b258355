import type { Http1Error } from '../../../src-main/engine/proxy/http1/http1-error.ts';
import type { RequestHead, ResponseHead } from '../../../src-main/engine/proxy/http1/head.ts';
import type { Http1Limits } from '../../../src-main/engine/proxy/http1/limits.ts';
import type { Http1Sink, InputEnd } from '../../../src-main/engine/proxy/http1/parser.ts';
import { defaultHttp1Limits } from '../../../src-main/engine/proxy/http1/limits.ts';
import { RequestParser, ResponseParser } from '../../../src-main/engine/proxy/http1/parser.ts';

type Head = RequestHead | ResponseHead;

/** One message as a sink saw it, with what the splitting of the input must not change. */
export interface ObservedMessage {
  /** The final head, null until it came; interim heads before it. */
  head: Head | null;
  readonly interim: ResponseHead[];
  wire: Buffer;
  data: Buffer;
  trailers: string[];
  complete: boolean;
}

export interface Observation {
  readonly messages: ObservedMessage[];
  error: Http1Error | null;
  errorCount: number;
  end: InputEnd;
  /** How many bytes were taken before the parser ended for good. */
  consumed: number;
  /** Callbacks that came out of order: after an error, before a head, after the end. Always empty. */
  readonly disorder: string[];
}

const emptyMessage = (): ObservedMessage => ({
  head: null,
  interim: [],
  wire: Buffer.alloc(0),
  data: Buffer.alloc(0),
  trailers: [],
  complete: false,
});

class Recorder implements Http1Sink<RequestHead>, Http1Sink<ResponseHead> {
  readonly seen: Observation = {
    messages: [],
    error: null,
    errorCount: 0,
    end: 'idle',
    consumed: 0,
    disorder: [],
  };
  private current: ObservedMessage | null = null;

  onHead(head: Head): void {
    this.check('head');
    const message = this.current ?? this.begin();
    if (message.head !== null) this.seen.disorder.push('second head');
    if ('interim' in head && head.interim) message.interim.push(head);
    else message.head = head;
  }

  onData(data: Buffer): void {
    const message = this.body('data');
    message.data = Buffer.concat([message.data, data]);
  }

  onBody(wire: Buffer): void {
    const message = this.body('wire');
    if (wire.length === 0) this.seen.disorder.push('empty wire');
    message.wire = Buffer.concat([message.wire, wire]);
  }

  onTrailers(fields: string[]): void {
    this.body('trailers').trailers = fields;
  }

  onComplete(): void {
    this.body('complete').complete = true;
    this.current = null;
  }

  onError(error: Http1Error): void {
    this.check('error');
    this.seen.error = error;
    this.seen.errorCount++;
  }

  private begin(): ObservedMessage {
    this.current = emptyMessage();
    this.seen.messages.push(this.current);
    return this.current;
  }

  private body(what: string): ObservedMessage {
    this.check(what);
    if (!this.current?.head) this.seen.disorder.push(`${what} without head`);
    return this.current ?? emptyMessage();
  }

  private check(what: string): void {
    if (this.seen.error !== null) this.seen.disorder.push(`${what} after error`);
  }
}

export interface ObserveOptions {
  readonly kind: 'request' | 'response';
  readonly method?: string;
  readonly limits?: Partial<Http1Limits>;
}

/** Feeds the input cut at these indices, message after message, to its end, and says what a sink saw. */
export function observe(input: Buffer, cuts: readonly number[], options: ObserveOptions): Observation {
  const recorder = new Recorder();
  const limits = { ...defaultHttp1Limits, ...options.limits };
  const parser =
    options.kind === 'request' ? new RequestParser(recorder, limits) : new ResponseParser(recorder, limits);
  const next = (): void => {
    if (parser instanceof ResponseParser) parser.expect(options.method ?? 'GET');
    else parser.reset();
  };
  next();
  for (const piece of pieces(input, cuts)) {
    let at = 0;
    while (at < piece.length && parser.error === null) {
      if (parser.isComplete) {
        if (endsHttp(recorder.seen)) break;
        next();
      }
      const taken = parser.feed(piece, at);
      if (taken < at || taken > piece.length) throw new Error(`feed returned ${taken}`);
      recorder.seen.consumed += taken - at;
      at = taken;
    }
  }
  recorder.seen.end = parser.finish();
  return recorder.seen;
}

function endsHttp(seen: Observation): boolean {
  const head = seen.messages.at(-1)?.head ?? null;
  if (head === null) return false;
  return 'endsHttp' in head ? head.endsHttp : head.method === 'CONNECT';
}

/** Copies, so that a parser that kept what it must not keep, or read beyond its chunk, is found out. */
function* pieces(input: Buffer, cuts: readonly number[]): Generator<Buffer> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut > from && cut < input.length) {
      yield Buffer.from(input.subarray(from, cut));
      from = cut;
    }
  }
  yield Buffer.from(input.subarray(from));
}

/** What must be the same however the input was split. `rawHead` is not: more of a refused head may have come. */
export function comparable(seen: Observation): unknown {
  return {
    messages: seen.messages.map((message) => ({
      head: message.head && headFacts(message.head),
      interim: message.interim.map(headFacts),
      wire: message.wire.toString('latin1'),
      data: message.data.toString('latin1'),
      trailers: message.trailers,
      complete: message.complete,
    })),
    error: seen.error && { code: seen.error.code, offset: seen.error.offset, status: seen.error.status },
    errorCount: seen.errorCount,
    end: seen.end,
    disorder: seen.disorder,
  };
}

function headFacts(head: Head): unknown {
  return { ...head, fields: head.fields, destination: 'destination' in head ? head.destination : null };
}
