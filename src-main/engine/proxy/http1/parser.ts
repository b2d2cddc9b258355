import type { Http1ErrorCode } from './http1-error.ts';
import type { MessageHead, RequestHead, ResponseHead } from './head.ts';
import type { Http1Limits } from './limits.ts';
import type { SectionState } from './section.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import { FieldScanner } from './field-scanner.ts';
import { splitFields } from './fields.ts';
import { Http1Error, Refusal } from './http1-error.ts';
import { defaultHttp1Limits } from './limits.ts';
import { readRequestHead } from './request-head.ts';
import { readResponseHead } from './response-head.ts';
import { Section } from './section.ts';

/**
 * What a parser finds, called synchronously from `feed` (and `finish`), in this order for each message:
 * onHead (for a response once more for every interim head before it), then any number of onData and onBody, at most
 * one onTrailers, then onComplete; or onError at any point, and nothing after it.
 * Buffers are slices of what was fed, valid as long as the caller leaves those bytes alone. A callback may call
 * `pause`, `reset` and the switches of the parser, but not `feed`.
 */
export interface Http1Sink<Head extends MessageHead> {
  onHead(head: Head): void;
  /** The payload without framing, only while `wantsData` is on; before the onBody whose bytes contain it. */
  onData(data: Buffer): void;
  /** The body as it is on the wire, with chunk framing, extensions and trailers: what to forward as it is. */
  onBody(wire: Buffer): void;
  /** [name, value, ...], only when there are any; before the onBody whose bytes contain them. */
  onTrailers(fields: string[]): void;
  onComplete(): void;
  /** The message is refused; the parser takes nothing more until it is replaced. */
  onError(error: Http1Error): void;
}

/**
 * What the end of the input means: `complete` the message had ended, or ends by this (until-close);
 * `idle` not a byte of a message had come; `truncated` it came in the middle of one; `failed` it was refused before.
 */
export type InputEnd = 'complete' | 'idle' | 'truncated' | 'failed';

// The states of a parser. HEAD also after an interim response.
const HEAD = 0;
const LENGTH = 1;
const UNTIL_CLOSE = 2;
const CHUNKED = 3;
const COMPLETE = 4;
const FAILED = 5;

/** The machine that requests and responses share. One parser reads all messages of one direction of a connection. */
abstract class MessageParser<Head extends MessageHead> {
  /** Whether onData is called. May be switched at any time; without it a chunked body is only walked through. */
  wantsData = true;
  /** Why the parser refuses, null while it does not. */
  error: Http1Error | null = null;

  protected readonly limits: Http1Limits;
  protected readonly scanner = new FieldScanner();
  private readonly sink: Http1Sink<Head>;
  private readonly section = new Section();
  private readonly chunks: ChunkDecoder;
  private state = HEAD;
  private stopped = false;
  private head: Head | null = null;
  /** Of the body: what is to come of a known length. */
  private left = 0;
  /** Of the message, for the offset of errors: the octets before the ones being read. */
  private offset = 0;
  private skippedEmptyLine = false;
  private interimCount = 0;

  constructor(sink: Http1Sink<Head>, limits: Http1Limits = defaultHttp1Limits) {
    this.sink = sink;
    this.limits = limits;
    this.chunks = new ChunkDecoder(limits.maxChunkExtensionBytes);
  }

  /** Whether the message has been read; `reset` is due before the next. */
  get isComplete(): boolean {
    return this.state === COMPLETE;
  }

  /** Whether not a byte of the next message has come, nor an interim response before it. */
  get isIdle(): boolean {
    return this.state === HEAD && this.interimCount === 0 && !this.section.isPartial;
  }

  /** What has come of a head that is not whole, as latin1; '' for none. */
  get partialHead(): string {
    return this.state === HEAD && this.section.isPartial ? this.sectionText() : '';
  }

  /**
   * Reads `chunk` from index `from` and returns the index of the first byte that it did not take: the length, or the
   * byte after the end of the message (pipelined, or not HTTP), or after the point where `pause` was called. What it
   * did not take is the caller's to feed again. Never throws for bad input.
   */
  feed(chunk: Buffer, from = 0): number {
    this.stopped = this.state === COMPLETE || this.state === FAILED;
    let at = from;
    while (at < chunk.length && !this.stopped) {
      if (this.state === HEAD) at = this.readHead(chunk, at);
      else if (this.state === CHUNKED) at = this.readChunked(chunk, at);
      else at = this.readPlain(chunk, at);
    }
    return at;
  }

  /** Called from a callback: has `feed` return after what has been reported, at the latest after the next onBody. */
  pause(): void {
    this.stopped = true;
  }

  /** Whether the next byte is one of the body: nothing that was fed is kept then. */
  get isInBody(): boolean {
    if (this.state === CHUNKED) return !this.chunks.atTrailers;
    return this.state === LENGTH || this.state === UNTIL_CLOSE;
  }

  /** Readies the parser for the next message of the connection. Does not revive one that has refused. */
  reset(): void {
    if (this.state === FAILED) return;
    this.state = HEAD;
    this.head = null;
    this.offset = 0;
    this.skippedEmptyLine = false;
    this.interimCount = 0;
    this.section.reset();
  }

  /** Says that no more will come (FIN). Ends a message whose body lasts until close. */
  finish(): InputEnd {
    if (this.state === FAILED) return 'failed';
    if (this.state === UNTIL_CLOSE) this.complete();
    if (this.state === COMPLETE) return 'complete';
    return this.isIdle ? 'idle' : 'truncated';
  }

  protected abstract readonly kind: 'request' | 'response';
  protected abstract parseHead(bytes: Buffer, start: number, end: number): Head | Refusal;
  /** Whether that head is not yet the one of the message, but comes before it. */
  protected abstract isInterim(head: Head): boolean;
  /** Whether the bytes that have come of a head can no longer become one, by its first line alone. */
  protected abstract isStartLineTooLong(section: Section): boolean;

  private readHead(chunk: Buffer, at: number): number {
    const section = this.section;
    const mayBeEmpty = this.kind === 'request' && !this.skippedEmptyLine;
    const state = section.read(chunk, at, this.limits.maxHeadBytes, mayBeEmpty);
    if (state === 'complete') {
      // Old clients send an empty line after a body (RFC 9112, section 2.2).
      if (section.end - section.start === 2) return this.skipEmptyLine();
      return this.acceptHead();
    }
    if (state === 'hopeless' || this.isStartLineTooLong(section)) return this.acceptHead();
    if (state === 'too-large') this.fail('head-too-large', section.end - section.start, this.sectionText());
    return section.next;
  }

  private skipEmptyLine(): number {
    this.skippedEmptyLine = true;
    this.section.reset();
    return this.section.next;
  }

  private acceptHead(): number {
    const { bytes, start, end, next } = this.section;
    const head = this.parseHead(bytes as Buffer, start, end);
    if (head instanceof Refusal) {
      this.fail(head.code, this.offset + head.at - start, this.sectionText());
      return next;
    }
    this.section.reset();
    if (!this.isInterim(head)) this.beginBody(head);
    else if (++this.interimCount <= this.limits.maxInterimResponses) this.sink.onHead(head);
    else this.fail('too-many-interim-responses', 0, head.text);
    return next;
  }

  private beginBody(head: Head): void {
    this.head = head;
    this.offset = head.rawHeadBytes;
    this.left = head.contentLength ?? 0;
    const empty = head.framing === 'none' || (head.framing === 'length' && this.left === 0);
    if (head.framing === 'chunked') {
      this.state = CHUNKED;
      this.chunks.reset();
    } else this.state = head.framing === 'until-close' ? UNTIL_CLOSE : LENGTH;
    this.sink.onHead(head);
    if (empty) this.complete();
  }

  private readPlain(chunk: Buffer, at: number): number {
    let end = chunk.length;
    if (this.state === LENGTH) {
      end = Math.min(end, at + this.left);
      this.left -= end - at;
    }
    const wire = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end);
    if (this.wantsData) this.sink.onData(wire);
    this.sink.onBody(wire);
    if (this.state === LENGTH && this.left === 0) this.complete();
    return end;
  }

  private readChunked(chunk: Buffer, at: number): number {
    const chunks = this.chunks;
    let next = at;
    if (!chunks.atTrailers) {
      next = chunks.read(chunk, at, this.wantsData ? this.sink : null);
      if (chunks.refusal !== null) return this.refuseChunk(chunk, at, chunks.refusal);
      if (!chunks.atTrailers || next === chunk.length) return this.passOn(chunk, at, next);
    }
    return this.readTrailers(chunk, at, next);
  }

  /** What came before the refused octet is passed on, however the input was split. */
  private refuseChunk(chunk: Buffer, at: number, refusal: Refusal): number {
    const offset = this.offset + refusal.at - at;
    this.passOn(chunk, at, refusal.at);
    this.fail(refusal.code, offset, this.head?.text ?? '');
    return refusal.at;
  }

  private passOn(chunk: Buffer, from: number, to: number): number {
    this.offset += to - from;
    if (to > from) this.sink.onBody(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
    return to;
  }

  /** `from` is where the body of this chunk begins, `at` its trailers. They are passed on only when they are whole and valid. */
  private readTrailers(chunk: Buffer, from: number, at: number): number {
    const section = this.section;
    const gathered = section.isPartial;
    const state = section.read(chunk, at, this.limits.maxTrailerBytes, true);
    if (state === 'partial') {
      this.passOn(chunk, from, at);
      return section.next;
    }
    const refusal = this.checkTrailers(state);
    if (refusal !== null) {
      this.passOn(chunk, from, at);
      this.fail(refusal.code, this.offset + refusal.at - section.start, this.head?.text ?? '');
      return section.next;
    }
    if (gathered) this.passOn(section.bytes as Buffer, 0, section.end);
    else this.passOn(chunk, from, section.next);
    const next = section.next;
    this.complete();
    return next;
  }

  private checkTrailers(state: SectionState): Refusal | null {
    const { bytes, start, end } = this.section;
    if (state === 'too-large') return new Refusal('trailer-too-large', end);
    if (state === 'complete' && end - start === 2) return null;
    const text = this.sectionText();
    const scanner = this.scanner;
    const refusal = scanner.scan(bytes as Buffer, start, start, text, this.limits.maxFields);
    if (refusal !== null) return refusal;
    // Whoever merges trailers into the head would frame or route the message anew (RFC 9110, section 6.5.1).
    if (scanner.framingAt >= 0) return new Refusal('forbidden-trailer', scanner.framingAt);
    if (scanner.hostAt >= 0) return new Refusal('forbidden-trailer', scanner.hostAt);
    this.sink.onTrailers(splitFields(text, 0));
    return null;
  }

  private complete(): void {
    this.state = COMPLETE;
    this.stopped = true;
    this.section.reset();
    this.sink.onComplete();
  }

  private fail(code: Http1ErrorCode, offset: number, rawHead: string): void {
    this.state = FAILED;
    this.stopped = true;
    this.error = new Http1Error(this.kind, code, offset, rawHead);
    this.section.reset();
    this.sink.onError(this.error);
  }

  private sectionText(): string {
    const { bytes, start, end } = this.section;
    return bytes?.toString('latin1', start, end) ?? '';
  }
}

/** Reads the requests of a client's connection. */
export class RequestParser extends MessageParser<RequestHead> {
  protected readonly kind = 'request';

  protected parseHead(bytes: Buffer, start: number, end: number): RequestHead | Refusal {
    return readRequestHead(bytes, start, end, this.scanner, this.limits);
  }

  protected isInterim(): boolean {
    return false;
  }

  protected isStartLineTooLong(section: Section): boolean {
    const limit = this.limits.maxRequestLineBytes;
    if (section.end - section.start <= limit) return false;
    const lineEnd = section.bytes?.indexOf('\r', section.start, 'latin1') ?? -1;
    return lineEnd < 0 || lineEnd - section.start > limit;
  }
}

/** Reads the responses of an upstream's connection. */
export class ResponseParser extends MessageParser<ResponseHead> {
  protected readonly kind = 'response';
  private requestMethod = 'GET';

  /** Has to be told to which method the response belongs, before its first byte is fed: HEAD and CONNECT change its framing. */
  expect(requestMethod: string): void {
    this.requestMethod = requestMethod;
    this.reset();
  }

  protected parseHead(bytes: Buffer, start: number, end: number): ResponseHead | Refusal {
    return readResponseHead(bytes, start, end, this.scanner, this.limits, this.requestMethod);
  }

  protected isInterim(head: ResponseHead): boolean {
    return head.interim;
  }

  protected isStartLineTooLong(): boolean {
    return false;
  }
}
