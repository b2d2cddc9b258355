import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  FlowMessageSchema,
  messagesPerFlowLimit,
  messageTextLimit,
  messageTypes,
} from '#shared/flow/message.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import {
  BatchEncoder,
  MalformedBatchError,
  parseMessages,
  readIndex,
  splitBatch,
} from '../../../../../src-main/engine/capture/batch-codec.ts';
import { CaptureStore } from '../../../../../src-main/engine/capture/capture-store.ts';
import { createCaptureWriter } from '../../../../../src-main/engine/capture/capture-writer.ts';
import type { CaptureLimits } from '../../../../../src-main/engine/capture/capture-writer.ts';
import type { FlowRecord } from '../../../../../src-main/engine/capture/flow-record.ts';
import { silentLog } from '../../../../../src-main/engine/log.ts';
import { FlowMessages } from '../../../../../src-main/engine/proxy/flow-messages.ts';
import { bodyOf, flowRecord, idOf, manualClock, parted } from './flow-records.ts';

const MiB = 1024 ** 2;

function message(index: number, text = `message ${index}`): FlowMessage {
  return {
    index,
    type: 'text',
    direction: 'request',
    atMs: index,
    durationMs: null,
    sizeBytes: text.length,
    text,
    encoding: 'text',
    truncated: false,
    compressed: false,
    summary: '',
    error: null,
  };
}

function batchWith(flows: readonly FlowRecord[], messages: Readonly<Record<string, FlowMessage[]>>): Buffer {
  const encoder = new BatchEncoder();
  for (const flow of flows) encoder.add(flow, true);
  for (const [id, group] of Object.entries(messages)) encoder.addMessages(id, group);
  return Buffer.from(encoder.finish());
}

describe('in a batch', () => {
  const anyMessage: fc.Arbitrary<FlowMessage> = fc.record({
    index: fc.nat(messagesPerFlowLimit),
    type: fc.constantFrom(...messageTypes),
    direction: fc.constantFrom('request', 'response'),
    atMs: fc.double({ min: 0, max: 1e9, noNaN: true }).map((ms) => Math.round(ms * 1000) / 1000),
    durationMs: fc.option(fc.nat(1e6)),
    sizeBytes: fc.nat(),
    text: fc.string({ unit: 'binary' }),
    encoding: fc.constantFrom('text', 'base64'),
    truncated: fc.boolean(),
    compressed: fc.boolean(),
    summary: fc.string(),
    error: fc.option(fc.string()),
  });

  test('they come back as they were, beside the flows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(anyMessage, { minLength: 1, maxLength: 4 }), { maxLength: 3 }),
        (groups) => {
          const sorted = groups.map((group) => group.toSorted((a, b) => a.index - b.index));
          const byId = Object.fromEntries(sorted.map((group, number) => [idOf(number), group]));
          const batch = batchWith([flowRecord(1), flowRecord(2)], byId);
          const { flows, messages } = splitBatch(batch);
          expect(readIndex(flows).map(({ summary }) => summary.id)).toEqual([idOf(1), idOf(2)]);
          expect(messages.map(({ json }) => parseMessages(json))).toEqual(sorted);
          expect(messages.map(({ flowId, last }) => [flowId, last])).toEqual(
            sorted.map((group, number) => [idOf(number), group.at(-1)?.index]),
          );
          for (const group of sorted) for (const each of group) FlowMessageSchema.parse(each);
        },
      ),
    );
  });

  test('a batch that was cut or changed is refused in the declared way', () => {
    const whole = (): Buffer => batchWith([flowRecord(1)], { [idOf(1)]: [message(0), message(1)] });
    const read = (batch: Buffer): void => {
      try {
        const { flows, messages } = splitBatch(batch);
        readIndex(flows);
        for (const { json } of messages)
          for (const each of parseMessages(json)) FlowMessageSchema.parse(each);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedBatchError);
      }
    };
    for (let length = 0; length < whole().length; length += 1) read(whole().subarray(0, length));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const batch = whole();
          for (const [place, value] of changes) batch[place % batch.length] = value;
          read(batch);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('in the store', () => {
  let directory: string;
  let store: CaptureStore;
  const open = (maxDiskBytes = 1024 * MiB): CaptureStore =>
    new CaptureStore({ directory, log: silentLog, nowMs: () => 1_750_000_000_000, maxDiskBytes });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'spike-messages-'));
  });
  afterEach(() => {
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function write(flows: readonly FlowRecord[], messages: Readonly<Record<string, FlowMessage[]>> = {}): void {
    store.write([parted(batchWith(flows, messages))]);
  }
  const indexes = (id: string, after = -1, enough = (): boolean => false): number[] =>
    store.messages(id, after, enough).map(({ index }) => index);
  const counted = (number: number, parts: Partial<FlowRecord> = {}): FlowRecord =>
    flowRecord(number, { messages: { count: 3, dropped: 0 }, ...parts });

  test('they are read from any index, by group, and are there again after the file was closed', () => {
    store = open();
    write([], { [idOf(1)]: [message(0), message(1)], [idOf(2)]: [message(0)] });
    write([counted(1)], { [idOf(1)]: [message(2), message(5)] });
    expect(indexes(idOf(1))).toEqual([0, 1, 2, 5]);
    expect(indexes(idOf(1), 0)).toEqual([1, 2, 5]);
    expect(indexes(idOf(1), 5)).toEqual([]);
    expect(indexes(idOf(1), -1, () => true)).toEqual([0, 1]);
    store.close();
    store = open();
    expect(indexes(idOf(1))).toEqual([0, 1, 2, 5]);
    expect(store.flow(idOf(1)).messages).toEqual({ count: 3, dropped: 0 });
    expect(store.rowsOf([idOf(1)])[0]?.messages).toBe(3);
  });

  test('they make room with their flow, not with an earlier record of it', () => {
    store = open(2 * MiB);
    const filler = bodyOf(Buffer.alloc(600_000));
    write([counted(1, { durationMs: -1, responseBody: filler })], { [idOf(1)]: [message(0)] });
    write([counted(2, { responseBody: filler })], { [idOf(2)]: [message(0)] });
    write([counted(1, { responseBody: filler })], { [idOf(1)]: [message(1)] });
    write([flowRecord(3, { responseBody: filler })]);
    expect(indexes(idOf(1))).toEqual([0, 1]);
    for (let number = 4; number < 8; number += 1) write([flowRecord(number, { responseBody: filler })]);
    expect([indexes(idOf(1)), indexes(idOf(2))]).toEqual([[], []]);
  });

  test('many messages alone stay within the bound of the file; those of a flow that was dropped go as well', () => {
    store = open(2 * MiB);
    for (let number = 0; number < 60; number += 1) {
      const flows = number === 3 ? [] : [counted(number)];
      write(flows, { [idOf(number)]: [message(0, 'x'.repeat(100_000))] });
      expect(store.stats().bytes).toBeLessThanOrEqual(2 * MiB + 128 * 1024);
    }
    expect(indexes(idOf(3))).toEqual([]);
    expect(indexes(idOf(59))).toEqual([0]);
  });

  test('clear takes them, also out of a new file', () => {
    store = open();
    write([counted(1)], { [idOf(1)]: [message(0)] });
    store.clear();
    write([counted(1)]);
    expect(indexes(idOf(1))).toEqual([]);
  });

  test('a capture of before there were messages goes on being used', () => {
    store = open();
    write([flowRecord(1)]);
    store.close();
    const database = new DatabaseSync(join(directory, 'current.sqlite'));
    database.exec(
      'DROP TABLE blocks; DROP TABLE messages; ALTER TABLE flows DROP COLUMN messages; PRAGMA user_version = 1;',
    );
    database.close();
    store = open();
    expect(store.flow(idOf(1)).messages).toBeNull();
    write([counted(2)], { [idOf(2)]: [message(0)] });
    expect(store.rowsOf([idOf(1), idOf(2)]).map(({ messages }) => messages)).toEqual([null, 3]);
    expect(indexes(idOf(2))).toEqual([0]);
  });
});

describe('on their way', () => {
  function setUp(limits: Partial<CaptureLimits> = {}) {
    const clock = manualClock();
    const sent: { flows: string[]; messages: Record<string, number[]> }[] = [];
    const writer = createCaptureWriter({
      clock,
      limits,
      settings: { recording: true },
      send(bytes) {
        const { flows, messages } = splitBatch(Buffer.from(bytes));
        const groups = messages.map(({ flowId, json }) => [
          flowId,
          parseMessages(json).map(({ index }) => index),
        ]);
        sent.push({
          flows: readIndex(flows).map(({ summary }) => summary.id),
          messages: Object.fromEntries(groups) as Record<string, number[]>,
        });
      },
    });
    const flow = flowRecord(1);
    const messages = new FlowMessages(flow, writer, () => undefined);
    const tell = (text = 'hello'): void =>
      messages.tell({ type: 'text', direction: 'request', sizeBytes: text.length, text, at: clock.now() });
    return { clock, sent, writer, flow, messages, tell };
  }

  test('they go with the next batch, also without a flow, and before the end of theirs is acknowledged', () => {
    const { clock, sent, writer, flow, tell } = setUp();
    tell();
    tell();
    expect(sent).toEqual([]);
    clock.advance(50);
    tell();
    writer.record(flow);
    clock.advance(50);
    expect(sent).toEqual([
      { flows: [], messages: { [idOf(1)]: [0, 1] } },
      { flows: [idOf(1)], messages: { [idOf(1)]: [2] } },
    ]);
    expect(clock.timers).toBe(0);
  });

  test('a batch goes at once when they fill it', () => {
    const { sent, tell } = setUp({ batchBytes: 4096 });
    for (let count = 0; count < 10; count += 1) tell('x'.repeat(1000));
    expect(sent.map(({ messages }) => messages[idOf(1)]?.length)).toEqual([4, 4]);
  });

  test('when nothing takes the batches they are dropped and counted, and go on when room is there', () => {
    const { clock, sent, writer, flow, tell } = setUp({ maxQueuedBodyBytes: 3000 });
    tell('x'.repeat(3000));
    clock.advance(50);
    tell('lost');
    clock.advance(50);
    expect(flow.messages).toEqual({ count: 2, dropped: 1 });
    writer.acknowledge(writer.queuedBytes);
    tell('kept');
    clock.advance(50);
    expect(sent.map(({ messages }) => messages[idOf(1)])).toEqual([[0], [2]]);
  });

  test('while nothing is recorded they are dropped; closing leaves no timer', () => {
    const { clock, sent, writer, flow, tell, messages } = setUp();
    writer.configure({ recording: false });
    tell();
    expect(flow.messages).toEqual({ count: 1, dropped: 1 });
    writer.configure({ recording: true });
    messages.unfinished = () => true;
    messages.wait();
    clock.advance(50);
    expect(clock.timers).toBe(1);
    writer.close();
    expect(clock.timers).toBe(0);
    expect(sent).toEqual([]);
  });

  test('a flow keeps so many, and so much of each', () => {
    const { flow, messages, tell } = setUp();
    tell(`${'x'.repeat(messageTextLimit - 1)}😀`);
    expect(messages.take()).toMatchObject([{ truncated: true, text: 'x'.repeat(messageTextLimit - 1) }]);
    for (let count = 1; count < messagesPerFlowLimit + 5; count += 1) tell('');
    expect(flow.messages).toEqual({ count: messagesPerFlowLimit + 5, dropped: 5 });
    expect(messages.isFull).toBe(true);
  });

  test('a flow keeps so many characters', () => {
    const { flow, messages, tell } = setUp();
    for (let count = 0; count < 600; count += 1) tell('x'.repeat(messageTextLimit));
    expect(flow.messages).toEqual({ count: 600, dropped: 600 - 512 });
    expect(messages.isFull).toBe(true);
  });
});
