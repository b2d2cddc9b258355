import type { Flow } from '#shared/flow/flow.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import type { FlowRecord } from './flow-record.ts';
import {
  at,
  batchHeaderBytes,
  batchMagic,
  batchVersion,
  bodyStateCodes,
  flag,
  kindCodes,
  recordFixedBytes,
  resolverCodes,
  versionCodes,
} from './batch-format.ts';
import { encodeMessages } from './message-codec.ts';

const firstBytes = 512 * 1024;
const beyondLatin1 = /[^\x00-\xff]/;

/**
 * Writes flow records into one batch after another. The hot part of capture: one joined text, numbers through a
 * DataView, and no object made per flow. The buffer is used again: what `finish` returns holds until the next `add`.
 */
export class BatchEncoder {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #view = new DataView(this.#bytes.buffer);
  #end = batchHeaderBytes;
  #count = 0;
  /** TLS facts are shared by the flows of a connection: their text is made once. */
  readonly #tlsTexts = new WeakMap<object, string>();

  /** Flows in the batch at hand. */
  get count(): number {
    return this.#count;
  }

  /** Length of the batch at hand, header included. */
  get sizeBytes(): number {
    return this.#end;
  }

  /**
   * @param withBodies false: bodies are left out and marked `dropped`.
   * @param copies false: the caller sends the bodies behind the batch, which ends with this flow.
   */
  add(flow: FlowRecord, withBodies: boolean, copies = true): void {
    const tls = flow.tls === null ? '' : this.#tlsText(flow.tls);
    const rare = rareText(flow);
    const text = joinTexts(flow, rare, tls);
    const wide = beyondLatin1.test(text);
    const textBytes = wide ? text.length * 2 : text.length;
    const requestBytes = withBodies ? flow.requestBody.sizeBytes : 0;
    const responseBytes = withBodies ? flow.responseBody.sizeBytes : 0;
    const headLength = recordFixedBytes + textBytes;
    const length = headLength + requestBytes + responseBytes;
    const ownLength = copies ? length : headLength;
    this.#reserve(ownLength);
    const start = this.#end;
    const view = this.#view;
    view.setUint32(start + at.length, length, true);
    view.setUint32(start + at.headLength, headLength, true);
    view.setUint32(start + at.flags, flagsOf(flow, wide), true);
    view.setUint32(start + at.requestBodyStored, requestBytes, true);
    view.setUint32(start + at.responseBodyStored, responseBytes, true);
    writeFacts(view, start, flow, withBodies);
    writeNumbers(view, start, flow);
    writeLengths(view, start + at.textLengths, flow, rare, tls);
    const textAt = start + recordFixedBytes;
    this.#bytes.write(text, textAt, textBytes, wide ? 'utf16le' : 'latin1');
    if (copies && requestBytes > 0) this.#append(flow.requestBody.chunks, start + headLength);
    if (copies && responseBytes > 0)
      this.#append(flow.responseBody.chunks, start + headLength + requestBytes);
    this.#end = start + ownLength;
    this.#count += 1;
  }

  /** Messages of one flow; no flow may be added to the batch after them. */
  addMessages(flowId: string, messages: readonly FlowMessage[]): void {
    const group = encodeMessages(flowId, messages);
    this.#reserve(group.length);
    this.#bytes.set(group, this.#end);
    this.#end += group.length;
  }

  /**
   * The batch, as a view that holds until the next `add`: whoever keeps it, copies it. Begins a new one.
   * @param behindBytes Length of what the caller sends behind it.
   */
  finish(behindBytes = 0): Buffer {
    const view = this.#view;
    view.setUint32(0, batchMagic, true);
    view.setUint16(4, batchVersion, true);
    view.setUint16(6, 0, true);
    view.setUint32(8, this.#count, true);
    view.setUint32(12, this.#end + behindBytes, true);
    const batch = this.#bytes.subarray(0, this.#end);
    // One flow with large bodies must not leave its buffer behind for good.
    if (this.#bytes.length > 2 * firstBytes) this.#replace(Buffer.allocUnsafeSlow(firstBytes));
    this.#end = batchHeaderBytes;
    this.#count = 0;
    return batch;
  }

  #append(chunks: readonly Buffer[], offset: number): void {
    let end = offset;
    for (const chunk of chunks) {
      this.#bytes.set(chunk, end);
      end += chunk.length;
    }
  }

  #tlsText(tls: NonNullable<Flow['tls']>): string {
    let text = this.#tlsTexts.get(tls);
    if (text === undefined) this.#tlsTexts.set(tls, (text = JSON.stringify(tls)));
    return text;
  }

  #reserve(length: number): void {
    const needed = this.#end + length;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#replace(grown);
  }

  #replace(bytes: Buffer<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** In the order of `textNames`. */
function joinTexts(flow: FlowRecord, rare: string, tls: string): string {
  return (
    flow.id +
    flow.caller.name +
    flow.callee.name +
    (flow.route ?? '') +
    flow.connectionId +
    flow.method +
    flow.url +
    rare +
    flow.requestFields +
    flow.responseFields +
    flow.trailers +
    flow.client +
    (flow.upstreamAddress ?? '') +
    flow.reason +
    (flow.rawHead ?? '') +
    tls
  );
}

function writeLengths(view: DataView, offset: number, flow: FlowRecord, rare: string, tls: string): void {
  view.setUint32(offset, flow.id.length, true);
  view.setUint32(offset + 4, flow.caller.name.length, true);
  view.setUint32(offset + 8, flow.callee.name.length, true);
  view.setUint32(offset + 12, flow.route === null ? 0 : flow.route.length, true);
  view.setUint32(offset + 16, flow.connectionId.length, true);
  view.setUint32(offset + 20, flow.method.length, true);
  view.setUint32(offset + 24, flow.url.length, true);
  view.setUint32(offset + 28, rare.length, true);
  view.setUint32(offset + 32, flow.requestFields.length, true);
  view.setUint32(offset + 36, flow.responseFields.length, true);
  view.setUint32(offset + 40, flow.trailers.length, true);
  view.setUint32(offset + 44, flow.client.length, true);
  view.setUint32(offset + 48, flow.upstreamAddress === null ? 0 : flow.upstreamAddress.length, true);
  view.setUint32(offset + 52, flow.reason.length, true);
  view.setUint32(offset + 56, flow.rawHead === null ? 0 : flow.rawHead.length, true);
  view.setUint32(offset + 60, tls.length, true);
}

/** Faults, errors, messages: most flows have none of them, so they pay a few comparisons. */
function rareText(flow: FlowRecord): string {
  const { faults, error, protocol, messages } = flow;
  if (faults.length === 0 && error === null && messages === null && protocol === null) return '';
  return JSON.stringify({ faults, error, protocol, messages });
}

function flagsOf(flow: FlowRecord, wide: boolean): number {
  return (
    (wide ? flag.wide : 0) |
    (flow.upstreamReused ? flag.reused : 0) |
    (flow.route === null ? 0 : flag.route) |
    (flow.upstreamAddress === null ? 0 : flag.upstream) |
    (flow.rawHead === null ? 0 : flag.rawHead)
  );
}

function writeFacts(view: DataView, start: number, flow: FlowRecord, withBodies: boolean): void {
  view.setUint8(start + at.kind, kindCodes.indexOf(flow.kind));
  view.setUint8(start + at.httpVersion, versionCodes.indexOf(flow.httpVersion));
  view.setUint8(start + at.requestBodyState, stateCode(flow.requestBody, withBodies));
  view.setUint8(start + at.responseBodyState, stateCode(flow.responseBody, withBodies));
  view.setUint16(start + at.worker, flow.worker, true);
  view.setUint8(start + at.callerResolver, resolverCodes.indexOf(flow.caller.resolvedBy));
  view.setUint8(start + at.calleeResolver, resolverCodes.indexOf(flow.callee.resolvedBy));
  view.setInt32(start + at.callerPid, flow.caller.pid ?? -1, true);
  view.setInt32(start + at.calleePid, flow.callee.pid ?? -1, true);
  view.setInt32(start + at.status, flow.status, true);
  view.setInt32(start + at.grpcStatus, flow.grpcStatus, true);
}

function stateCode(body: FlowRecord['requestBody'], withBodies: boolean): number {
  const left = !withBodies && body.sizeBytes > 0;
  return bodyStateCodes.indexOf(left ? 'dropped' : body.state);
}

function writeNumbers(view: DataView, start: number, flow: FlowRecord): void {
  view.setFloat64(start + at.startedAt, flow.startedAtMs, true);
  view.setFloat64(start + at.duration, flow.durationMs, true);
  view.setFloat64(start + at.sizes, flow.requestHeadBytes, true);
  view.setFloat64(start + at.sizes + 8, flow.requestBodyBytes, true);
  view.setFloat64(start + at.sizes + 16, flow.responseHeadBytes, true);
  view.setFloat64(start + at.sizes + 24, flow.responseBodyBytes, true);
  view.setFloat64(start + at.timings, flow.blockedMs, true);
  view.setFloat64(start + at.timings + 8, flow.dnsMs, true);
  view.setFloat64(start + at.timings + 16, flow.connectMs, true);
  view.setFloat64(start + at.timings + 24, flow.tlsMs, true);
  view.setFloat64(start + at.timings + 32, flow.sendMs, true);
  view.setFloat64(start + at.timings + 40, flow.waitMs, true);
  view.setFloat64(start + at.timings + 48, flow.receiveMs, true);
}
