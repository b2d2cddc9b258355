import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import { isConversation, splitUrl } from '#shared/flow/flow-summary.ts';
import { noRare, protocolOf } from './batch-decoder.ts';
import { at, flag, kindCodes, recordFixedBytes, textNames, versionCodes } from './batch-format.ts';
import type { RecordTexts } from './batch-format.ts';
import { grpcStatusOf, traceOf } from './field-text.ts';
import { coded, durationAt, idAt, microseconds, startOf, whole } from './record-numbers.ts';

/** The names come first, so that a search for one does not read the fields. */
const nameCount = textNames.indexOf('rare');
const places = Object.fromEntries(textNames.map((name, index) => [name, index])) as Record<
  keyof RecordTexts,
  number
>;

/**
 * A plain record (flow-block.ts) as the row that it would have, each column read when it is asked for: a search looks at
 * one or two of them. Moved from record to record, so that nothing is made for one that does not match; whoever keeps a
 * row reads it with `indexAt`. Getters throw `MalformedBatchError`, as `indexAt` does.
 */
export class RecordRow implements FlowSummary {
  readonly faults: readonly string[] & string[] = [];
  readonly faultedStatus = false;
  readonly injectedMs = 0;
  readonly playback = false;
  readonly cause = null;
  readonly messages = null;
  #bytes: Buffer;
  #offset = 0;
  /** Of the record at hand: its names, or all of its texts. */
  #text: string | null = null;
  #hasFields = false;
  #target: ReturnType<typeof splitUrl> | null = null;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** To the record at `offset`; `bytes`: among others. */
  moveTo(offset: number, bytes = this.#bytes): this {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#text = null;
    this.#target = null;
    return this;
  }

  get id(): string {
    return idAt(this.#bytes, this.#offset);
  }

  get kind(): FlowSummary['kind'] {
    return coded(kindCodes, this.#bytes, this.#offset + at.kind);
  }

  get startedAtMs(): number {
    return startOf(this.#bytes, this.#offset);
  }

  get durationMs(): number | null {
    const durationMs = durationAt(this.#bytes, this.#offset);
    return durationMs < 0 ? null : microseconds(durationMs);
  }

  get caller(): string {
    return this.#name('caller');
  }

  get callee(): string {
    return this.#name('callee');
  }

  get route(): string | null {
    return this.#flags() & flag.route ? this.#name('route') : null;
  }

  get connectionId(): string {
    return this.#name('connectionId');
  }

  get method(): string | null {
    return this.#hasHttp() ? this.#name('method') : null;
  }

  get host(): string | null {
    return this.#hasHttp() ? this.#splitUrl().host : null;
  }

  get path(): string | null {
    return this.#hasHttp() ? this.#splitUrl().path : null;
  }

  get status(): number | null {
    const status = this.#bytes.readInt32LE(this.#offset + at.status);
    return status === 0 || !this.#hasHttp() ? null : status;
  }

  get grpcStatus(): number | null {
    if (!this.#hasHttp()) return null;
    const recorded = this.#bytes.readInt32LE(this.#offset + at.grpcStatus);
    const status =
      recorded >= 0 ? recorded : grpcStatusOf(-1, this.#field('responseFields'), this.#field('trailers'));
    return status < 0 ? null : status;
  }

  get sizeBytes(): number {
    const sizesAt = this.#offset + at.sizes;
    const response = whole(this.#bytes, sizesAt + 24);
    return isConversation(this.kind) ? whole(this.#bytes, sizesAt + 8) + response : response;
  }

  get protocol(): FlowSummary['protocol'] {
    const hasHttp = this.kind === 'http' || this.kind === 'refused' ? this.#hasHttp() : false;
    if (!hasHttp) return protocolOf(this.kind, null, noRare);
    const httpVersion = coded(versionCodes, this.#bytes, this.#offset + at.httpVersion);
    return protocolOf(this.kind, { httpVersion, grpcStatus: this.grpcStatus }, noRare);
  }

  get traceId(): string | null {
    return traceOf(this.#field('requestFields'))?.traceId ?? null;
  }

  #flags(): number {
    return this.#bytes.readUInt32LE(this.#offset + at.flags);
  }

  #length(index: number): number {
    return this.#bytes.readUInt32LE(this.#offset + at.textLengths + 4 * index);
  }

  #hasHttp(): boolean {
    return this.#length(places.method) > 0;
  }

  #splitUrl(): ReturnType<typeof splitUrl> {
    return (this.#target ??= splitUrl(this.#name('url')));
  }

  #name(name: keyof RecordTexts): string {
    if (this.#text === null) this.#read(nameCount);
    return this.#slice(name);
  }

  #field(name: keyof RecordTexts): string {
    if (this.#text === null || !this.#hasFields) this.#read(textNames.length);
    return this.#slice(name);
  }

  /** The first `count` texts, joined as they lie. */
  #read(count: number): void {
    let length = 0;
    for (let index = 0; index < count; index += 1) length += this.#length(index);
    const wide = (this.#flags() & flag.wide) !== 0;
    const from = this.#offset + recordFixedBytes;
    const end = from + (wide ? length * 2 : length);
    this.#text = this.#bytes.toString(wide ? 'utf16le' : 'latin1', from, end);
    this.#hasFields = count > nameCount;
  }

  #slice(name: keyof RecordTexts): string {
    const place = places[name];
    let start = 0;
    for (let index = 0; index < place; index += 1) start += this.#length(index);
    return (this.#text as string).slice(start, start + this.#length(place));
  }
}
