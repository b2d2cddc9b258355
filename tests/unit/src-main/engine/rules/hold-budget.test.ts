import { describe, expect, it, vi } from 'vitest';
import type { MessageShape } from '../../../../../src-main/engine/rules/faults/stage.ts';
import { unboundedHoldBytes } from '../../../../../src-main/engine/rules/held-bytes.ts';
import { HoldBudget } from '../../../../../src-main/engine/rules/hold-budget.ts';
import type { FaultInput } from '../../../../../src-shared/rules/fault.ts';
import { linkIn } from './link-harness.ts';

const MiB = 1024 ** 2;
const readBytes = 65_536;
const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n';
const ofHead: MessageShape = {
  headBytes: head.length,
  bodyBytes: null,
  httpVersion: '1.1',
  framing: 'until-close',
  fields: null,
};

const onLinks: FaultInput[] = [
  { type: 'latency', latencyMs: 50 },
  { type: 'latency', latencyMs: 50, jitterMs: 20 },
  { type: 'bandwidth', bytesPerSecond: 1000 },
  { type: 'bandwidth', bytesPerSecond: 1000, pieceMs: 100 },
  { type: 'stall', share: 1, stallMs: 200 },
  { type: 'slicer', averageBytes: 7, variationBytes: 2, delayUs: 100 },
  { type: 'slow-close', delayMs: 100 },
  { type: 'slow-head', bytesPerSecond: 100 },
  { type: 'delay', delayMs: 100 },
  { type: 'delay', delayMs: 100, what: 'body' },
  { type: 'hang' },
  { type: 'timeout', timeoutMs: 100 },
  { type: 'reset-peer', timeoutMs: 100 },
  { type: 'limit-data', bytes: 60 },
  { type: 'reset', at: 'mid-body' },
  { type: 'close', at: 'after-head' },
  { type: 'corrupt', share: 0.1 },
  { type: 'duplicate', share: 0.5 },
  { type: 'headers', remove: ['content-type'] },
  { type: 'body', text: 'other' },
  { type: 'body', how: 'regex', pattern: 'x', text: '-' },
  { type: 'wrong-length', by: 5 },
  { type: 'wrong-length', by: 5, then: 'wait' },
  { type: 'bad-chunk', how: 'bad-size' },
  { type: 'bad-chunk', how: 'missing-end' },
  { type: 'truncated-gzip' },
];

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a link holds is what the budget counts, but for copies that are made on the way. */
function expectCounted(scene: ReturnType<typeof linkIn>, budget: HoldBudget): void {
  expect(scene.link.heldBytes).toBeGreaterThanOrEqual(0);
  expect(budget.heldBytes).toBeGreaterThanOrEqual(scene.link.heldBytes);
}

describe('what rules hold', () => {
  const pieces = [head.slice(0, 20), head.slice(20), 'x'.repeat(30), 'y'.repeat(30), 'z'.repeat(30)];

  it.each(onLinks.map((fault) => [JSON.stringify(fault), fault] as const))(
    'is given back, whenever the connection is gone: %s',
    async (_name, fault) => {
      for (let before = 0; before <= pieces.length + 1; before++) {
        const budget = new HoldBudget();
        const scene = linkIn(budget, fault);
        scene.shape(ofHead);
        for (const piece of pieces.slice(0, before)) scene.push(piece);
        if (before > pieces.length) scene.link.end();
        expectCounted(scene, budget);
        scene.clock.advance(40);
        await settled();
        expectCounted(scene, budget);
        scene.plan.dispose();
        expect(budget.heldBytes).toBe(0);
        await settled();
        scene.push('more');
        scene.clock.advance(10_000);
        expect(budget.heldBytes).toBe(0);
      }
    },
  );

  it.each(onLinks.map((fault) => [JSON.stringify(fault), fault] as const))(
    'is given back when the rule is turned off, with the connection open: %s',
    async (_name, fault) => {
      for (let before = 0; before <= pieces.length; before++) {
        const budget = new HoldBudget();
        const scene = linkIn(budget, fault);
        scene.shape(ofHead);
        for (const piece of pieces.slice(0, before)) scene.push(piece);
        scene.plan.release(scene.rules[0]!);
        for (const piece of pieces.slice(before)) scene.push(piece);
        scene.link.end();
        scene.clock.advance(10_000);
        await vi.waitFor(() => expect(budget.heldBytes).toBe(0), { interval: 1, timeout: 5_000 });
        expect(scene.link.heldBytes).toBe(0);
      }
    },
  );

  it.each(
    onLinks.filter(({ type }) => type !== 'hang').map((fault) => [JSON.stringify(fault), fault] as const),
  )('goes by itself: %s', async (_name, fault) => {
    const budget = new HoldBudget();
    const scene = linkIn(budget, fault);
    scene.shape(ofHead);
    for (const piece of pieces) scene.push(piece);
    scene.link.end();
    scene.clock.advance(10_000);
    await vi.waitFor(() => expect(budget.heldBytes).toBe(0), { interval: 1, timeout: 5_000 });
    expect(scene.clock.pendingTimers).toBe(0);
  });
});

describe('messages that have to be collected', () => {
  const body = (call: number): string => String.fromCharCode(97 + (call % 26)).repeat(10 * MiB - 1000);

  it('many of 10 MiB at once: as many as there is room for, the others pass as they are and say so', async () => {
    const budget = new HoldBudget(32 * MiB);
    const scenes = Array.from({ length: 12 }, () => linkIn(budget, { type: 'wrong-length', by: 5 }));
    for (const scene of scenes) {
      scene.shape(ofHead);
      scene.push(head);
    }
    let most = 0;
    for (let at = 0; at < body(0).length; at += MiB)
      for (const [call, scene] of scenes.entries()) {
        scene.push(body(call).slice(at, at + MiB));
        most = Math.max(most, budget.heldBytes);
      }
    for (const scene of scenes) scene.link.end();
    for (const scene of scenes)
      await vi.waitFor(() => expect(scene.text()).toMatch(/(END|FIN)$/), { interval: 5, timeout: 30_000 });
    expect(most).toBeLessThanOrEqual(33 * MiB);
    expect(budget.heldBytes).toBe(0);
    const changed = scenes.filter(({ text }) => text().endsWith('FIN'));
    const left = scenes.filter((scene) => !changed.includes(scene));
    expect(changed.length).toBeGreaterThanOrEqual(2);
    expect(left.length).toBeGreaterThanOrEqual(8);
    for (const scene of left) {
      expect(scene.plan.applied()[0]?.note).toBe('left the response as it was: rules hold 32 MiB already');
      expect(scene.text() === `${head}${body(scenes.indexOf(scene))}END`).toBe(true);
    }
    expect(budget.takeCounts().leftMessages).toBe(left.length);
    expect(scenes.flatMap(({ events }) => events.filter((event) => event === 'pause').slice(1))).toEqual([]);
  });

  it('one that says that it is too long for the room is not begun', () => {
    const budget = new HoldBudget(MiB);
    const scene = linkIn(budget, { type: 'body', how: 'regex', pattern: 'a', text: '-' });
    scene.shape({ ...ofHead, framing: 'length', bodyBytes: 2 * MiB });
    scene.push(`${head}aaa`);
    expect(scene.text()).toBe(`${head}aaa`);
    expect(budget.takeCounts()).toEqual({ leftMessages: 1, pausedReads: 0 });
    expect(budget.takeCounts()).toEqual({ leftMessages: 0, pausedReads: 0 });
  });
});

/** A writer that writes whenever it may; `pump` writes once. */
function writerInto(scene: ReturnType<typeof linkIn>, sizeBytes: number) {
  let written = 0;
  const pump = (): boolean => {
    const isPaused = scene.events.filter((event) => event === 'pause').length * 2 > scene.events.length;
    if (isPaused || written >= sizeBytes) return false;
    scene.link.push(Buffer.alloc(readBytes, 97 + ((written / readBytes) % 26)));
    written += readBytes;
    return true;
  };
  return { pump, isDone: () => written >= sizeBytes };
}

describe('faults that only delay', () => {
  it('500 tunnels with a fast writer: it is told to wait, all arrives in order, and the bound holds', () => {
    const budget = new HoldBudget(4 * MiB);
    const scenes = Array.from({ length: 500 }, () =>
      linkIn(budget, { type: 'stall', share: 0.5, stallMs: 100 }),
    );
    const writers = scenes.map((scene) => writerInto(scene, 5 * readBytes));
    let most = 0;
    for (let round = 0; round < 10_000 && !writers.every((writer) => writer.isDone()); round++) {
      for (const writer of writers) if (writer.pump()) most = Math.max(most, budget.heldBytes);
      for (const { clock } of scenes) clock.advance(25);
    }
    for (const { clock } of scenes) clock.advance(1_000);
    expect(writers.every((writer) => writer.isDone())).toBe(true);
    // Each may go on with little of its own, and by one read.
    expect(most).toBeLessThanOrEqual(4 * MiB + 500 * (unboundedHoldBytes + readBytes));
    expect(budget.takeCounts().pausedReads).toBeGreaterThan(0);
    const expected = Array.from({ length: 5 }, (_, at) => String.fromCharCode(97 + at).repeat(readBytes));
    for (const scene of scenes) expect(scene.text() === expected.join('')).toBe(true);
    expect(budget.heldBytes).toBe(0);
  });

  it('others that hold all there is for good do not end one that only delays', () => {
    const budget = new HoldBudget(MiB);
    const hung = linkIn(budget, { type: 'hang' });
    hung.link.push(Buffer.alloc(2 * MiB));
    const delayed = linkIn(budget, { type: 'latency', latencyMs: 10 });
    const writer = writerInto(delayed, 20 * readBytes);
    for (let round = 0; round < 100; round++) {
      writer.pump();
      delayed.clock.advance(10);
    }
    expect(delayed.text()).toHaveLength(20 * readBytes);
    expect(delayed.events.slice(0, 2)).toEqual(['pause', 'resume']);
  });

  it('those that wait are read on in their order when there is room', () => {
    const budget = new HoldBudget(MiB);
    const hung = Array.from({ length: 4 }, () => linkIn(budget, { type: 'hang' }));
    const big = linkIn(budget, { type: 'hang' });
    big.link.push(Buffer.alloc(MiB));
    for (const { link } of hung) link.push(Buffer.alloc(readBytes));
    expect(hung.map(({ events }) => events)).toEqual(Array(4).fill(['pause']));
    hung[1]!.plan.dispose();
    big.plan.release(big.rules[0]!);
    expect(hung.map(({ events }) => events.length)).toEqual([2, 1, 2, 2]);
    expect(budget.heldBytes).toBe(3 * readBytes);
  });
});
