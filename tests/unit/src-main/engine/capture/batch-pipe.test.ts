import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { BatchAssembler, BatchBuffers } from '../../../../../src-main/engine/capture/batch-assembler.ts';
import { frameHeaderBytes, writeFrameHeader } from '../../../../../src-main/engine/capture/batch-frame.ts';
import { BatchIntake } from '../../../../../src-main/engine/capture/batch-intake.ts';

function frame(batch: string, flows = 1, droppedFlows = 0, droppedBodies = 0): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  writeFrameHeader(header, { bytes: batch.length, flows, droppedFlows, droppedBodies });
  return Buffer.concat([header, Buffer.from(batch)]);
}

/** A thread that puts the batches together and can be taken away. */
function setUp() {
  const batches: string[] = [];
  const stored: number[] = [];
  const dropped: number[][] = [];
  const lost: number[] = [];
  const ended: number[] = [];
  const newThread = () => new BatchAssembler(new BatchBuffers(), (batch) => batches.push(batch.toString()));
  let thread: BatchAssembler | null = newThread();
  const pipe = new PassThrough();
  const owner = {
    stored: (bytes: number) => void stored.push(bytes),
    dropped: (flows: number, bodies: number) => void dropped.push([flows, bodies]),
  };
  const intake = new BatchIntake(7, pipe, owner, {
    get isThere() {
      return thread !== null;
    },
    hand: (_source, bytes) => thread?.add(Buffer.from(bytes)),
    ended: (source) => void ended.push(source),
    lost: (flows) => void lost.push(flows),
  });
  return {
    intake,
    pipe,
    batches,
    stored,
    dropped,
    lost,
    ended,
    kill: () => {
      thread = null;
      intake.threadLost();
    },
    restart: () => (thread = newThread()),
  };
}

async function writeInPieces(pipe: PassThrough, bytes: Buffer, pieceBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    pipe.write(bytes.subarray(at, at + pieceBytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test.each([1, 2, 3, 5, 15, 16, 17, 18, 31, 1000])(
  'batches come whole in pieces of %d bytes',
  async (size) => {
    const scene = setUp();
    const bytes = Buffer.concat([
      frame('first'),
      frame('', 0, 3, 4),
      frame('second', 2),
      frame('x'.repeat(99)),
    ]);
    await writeInPieces(scene.pipe, bytes, size);
    expect(scene.batches).toEqual(['first', '', 'second', 'x'.repeat(99)]);
    expect(scene.dropped).toEqual([[3, 4]]);
    expect(scene.stored).toEqual([]);
    scene.intake.stored(3);
    expect(scene.stored).toEqual([11]);
    scene.pipe.end();
    await scene.intake.ended;
    expect(scene.ended).toEqual([7]);
  },
);

test.each([1, 4, 7, 16, 22, 40, 500])(
  'a thread that dies loses what it had and is followed by one that begins with a whole batch, in pieces of %d',
  async (size) => {
    const scene = setUp();
    const cut = frame('stored and then cut off', 5);
    await writeInPieces(scene.pipe, Buffer.concat([frame('first', 2), cut.subarray(0, 20)]), size);
    scene.kill();
    expect(scene.lost).toEqual([7]);
    expect(scene.stored).toEqual([5 + 23]);
    await writeInPieces(scene.pipe, cut.subarray(20), size);
    await writeInPieces(scene.pipe, frame('nobody there', 3), size);
    expect(scene.lost).toEqual([7, 3]);
    const next = frame('begun without');
    await writeInPieces(scene.pipe, next.subarray(0, 18), size);
    scene.restart();
    const after = [next.subarray(18), frame('after'), frame('and after that')];
    await writeInPieces(scene.pipe, Buffer.concat(after), size);
    expect(scene.batches).toEqual(['first', 'after', 'and after that']);
    expect(scene.lost).toEqual([7, 3, 1]);
  },
);

test('memory of batches is used again, that of large ones is not kept', () => {
  const buffers = new BatchBuffers();
  const batch = buffers.take(1000);
  buffers.giveBack(batch);
  expect(buffers.take(2000).buffer).toBe(batch.buffer);
  const large = buffers.take(1024 ** 2);
  buffers.giveBack(large);
  expect(buffers.take(1024 ** 2).buffer).not.toBe(large.buffer);
});
