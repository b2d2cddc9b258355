import { expect, test } from 'vitest';
import { decodeFlow, readIndex } from '../../../../../src-main/engine/capture/batch-codec.ts';
import { createCaptureWriter } from '../../../../../src-main/engine/capture/capture-writer.ts';
import type { CaptureLimits } from '../../../../../src-main/engine/capture/capture-writer.ts';
import { bodyOf, flowRecord, idOf, manualClock } from './flow-records.ts';

function setUp(limits: Partial<CaptureLimits> = {}, recording = true) {
  const clock = manualClock();
  const sent: { bytes: Buffer; ids: string[]; droppedFlows: number; droppedBodies: number }[] = [];
  const writer = createCaptureWriter({
    clock,
    settings: { recording },
    limits,
    send(batch, droppedFlows, droppedBodies, tail) {
      const bytes = Buffer.concat([batch, ...(tail?.chunks ?? [])]);
      tail?.taken();
      sent.push({
        bytes,
        ids: readIndex(bytes).map(({ summary }) => summary.id),
        droppedFlows,
        droppedBodies,
      });
    },
  });
  return { clock, sent, writer };
}
const large = (number: number, bytes: number) =>
  flowRecord(number, { responseBody: bodyOf(Buffer.alloc(bytes)), responseBodyBytes: bytes });

test('a batch goes after 50 ms, with all that came', () => {
  const { clock, sent, writer } = setUp();
  writer.record(flowRecord(1));
  clock.advance(30);
  writer.record(flowRecord(2));
  expect(sent).toEqual([]);
  clock.advance(20);
  expect(sent.map(({ ids }) => ids)).toEqual([[idOf(1), idOf(2)]]);
  expect(clock.timers).toBe(0);
});

test('a batch goes at once when it is full; a flow that is larger than a batch goes alone', () => {
  const { sent, writer } = setUp({ batchBytes: 4096 });
  writer.record(flowRecord(1));
  writer.record(large(2, 10_000));
  expect(sent.map(({ ids }) => ids)).toEqual([[idOf(1)], [idOf(2)]]);
  for (let number = 3; number < 40; number += 1) writer.record(flowRecord(number));
  expect(Math.max(...sent.slice(2).map(({ bytes }) => bytes.length))).toBeLessThan(4096 + 1024);
  writer.close();
  expect(sent.flatMap(({ ids }) => ids)).toEqual(
    Array.from({ length: 39 }, (_none, index) => idOf(index + 1)),
  );
});

test('above the bound on bodies they are dropped and counted, the flows stay', () => {
  const { sent, writer } = setUp({ batchBytes: 4096, maxQueuedBodyBytes: 25_000 });
  for (let number = 1; number <= 4; number += 1) writer.record(large(number, 10_000));
  writer.flush();
  expect(sent.flatMap(({ ids }) => ids)).toHaveLength(4);
  expect(sent.reduce((sum, { droppedBodies }) => sum + droppedBodies, 0)).toBe(2);
  const last = sent.at(-1)?.bytes as Buffer;
  const { offset } = readIndex(last).at(-1)!;
  expect(decodeFlow(last, offset).http).toMatchObject({ requestBody: 'none', responseBody: 'dropped' });

  writer.acknowledge(writer.queuedBytes);
  writer.record(large(5, 10_000));
  writer.flush();
  const next = sent.at(-1)?.bytes as Buffer;
  expect(decodeFlow(next, readIndex(next)[0]!.offset).http?.responseBody).toBe('stored');
});

test('large bodies join only what is not much already; small ones still find room', () => {
  const { sent, writer } = setUp({ batchBytes: 4096, maxQueuedBeforeLargeBytes: 8000 });
  for (const [number, bytes] of [[1, 10_000], [2, 10_000], [3, 1000]] as const) writer.record(large(number, bytes)); // prettier-ignore
  writer.flush();
  const states = sent.flatMap(({ bytes }) =>
    readIndex(bytes).map(({ offset }) => decodeFlow(bytes, offset).http?.responseBody),
  );
  expect(states).toEqual(['stored', 'dropped', 'stored']);
  expect(sent.reduce((sum, { droppedBodies }) => sum + droppedBodies, 0)).toBe(1);
});

test('bodies that found no room where they were collected count as dropped, once, when their flow has ended', () => {
  const { sent, writer } = setUp();
  const responseBody = { state: 'dropped', chunks: [], sizeBytes: 0 } as const;
  writer.record(flowRecord(1, { durationMs: -1, responseBody }));
  writer.record(flowRecord(1, { responseBody, responseBodyBytes: 10 }));
  writer.flush();
  expect(sent.map(({ droppedBodies }) => droppedBodies)).toEqual([1]);
});

test('above the bound on flows they are dropped, and their number is told even when nothing else is', () => {
  const { clock, sent, writer } = setUp({ batchBytes: 1000, maxQueuedBytes: 5000 });
  for (let number = 1; number <= 50; number += 1) writer.record(flowRecord(number));
  expect(writer.queuedBytes).toBeLessThan(5000 + 2000);
  clock.advance(50);
  writer.record(flowRecord(51));
  clock.advance(50);
  expect(sent.at(-1)).toMatchObject({ ids: [], droppedFlows: 1 });
  const stored = sent.flatMap(({ ids }) => ids).length;
  expect(sent.reduce((sum, { droppedFlows }) => sum + droppedFlows, 0)).toBe(51 - stored);
  writer.acknowledge(writer.queuedBytes);
  writer.record(flowRecord(52));
  writer.flush();
  expect(sent.at(-1)).toMatchObject({ ids: [idOf(52)], droppedFlows: 0 });
});

test('while not recording nothing is sent and nothing counts as dropped; what was recorded before goes', () => {
  const { clock, sent, writer } = setUp();
  writer.record(flowRecord(1));
  writer.configure({ recording: false });
  writer.record(flowRecord(2));
  clock.advance(100);
  expect(sent.map(({ ids }) => ids)).toEqual([[idOf(1)]]);
  writer.configure({ recording: true });
  writer.record(flowRecord(3));
  writer.close();
  writer.record(flowRecord(4));
  clock.advance(100);
  expect(sent.map(({ ids }) => ids)).toEqual([[idOf(1)], [idOf(3)]]);
  expect(sent.every(({ droppedFlows }) => droppedFlows === 0)).toBe(true);
  expect(clock.timers).toBe(0);
});

test('an acknowledgement of more than was sent does not open the bound further', () => {
  const { writer } = setUp();
  writer.acknowledge(1e9);
  expect(writer.queuedBytes).toBe(0);
});
