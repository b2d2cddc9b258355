import { expect, test } from 'vitest';
import { BodyCollector, createBodyBudget } from '../../../../../src-main/engine/capture/body-collector.ts';

const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString();
/** A chunk as a socket gives it: its own part of a larger read buffer. */
function slice(length: number, of: number): Buffer {
  return Buffer.from(new ArrayBuffer(of), 0, length).fill('x');
}

test('a body is kept in order, up to its bound', () => {
  const budget = createBodyBudget();
  const collector = new BodyCollector(5, budget);
  collector.add(Buffer.from('abc'));
  collector.add(Buffer.alloc(0));
  collector.add(Buffer.from('defg'));
  collector.add(Buffer.from('h'));
  expect(budget.heldBytes).toBe(5);
  const body = collector.finish();
  expect([body.state, text(body.chunks), body.sizeBytes]).toEqual(['truncated', 'abcde', 5]);
  expect(budget.heldBytes).toBe(0);
});

test('exactly the bound is stored whole; nothing at all is none; a bound of 0 keeps nothing', () => {
  const whole = new BodyCollector(3, createBodyBudget());
  whole.add(Buffer.from('abc'));
  expect(whole.finish()).toMatchObject({ state: 'stored', sizeBytes: 3 });
  expect(new BodyCollector(3, createBodyBudget()).finish()).toEqual({
    state: 'none',
    chunks: [],
    sizeBytes: 0,
  });
  const zero = new BodyCollector(0, createBodyBudget());
  zero.add(Buffer.from('a'));
  expect(zero.finish()).toEqual({ state: 'truncated', chunks: [], sizeBytes: 0 });
});

test('a small slice of a large buffer is copied, one that has most of it is kept as it is', () => {
  const collector = new BodyCollector(1e6, createBodyBudget());
  const [small, most] = [slice(100, 65_536), slice(10_000, 16_384)];
  collector.add(small);
  collector.add(most);
  const [first, second] = collector.finish().chunks;
  expect(first?.buffer).not.toBe(small.buffer);
  expect(first?.length).toBe(100);
  expect(second?.buffer).toBe(most.buffer);
});

test('what comes in pieces of 16 KiB and more is copied: their memory is read into again', () => {
  const collector = new BodyCollector(1e6, createBodyBudget());
  const block = slice(20_000, 20_000);
  for (const octet of ['a', 'b', 'c', 'd', 'e']) collector.add(block.fill(octet));
  const stored = text(collector.finish().chunks);
  expect(stored).toBe(['a', 'b', 'c', 'd', 'e'].map((octet) => octet.repeat(20_000)).join(''));
});

test('large bodies have a bound of their own, and leave the rest to the others', () => {
  const budget = createBodyBudget(400_000, 140_000);
  const [large, other, small] = [1, 2, 3].map(() => new BodyCollector(190_000, budget)) as [
    BodyCollector,
    BodyCollector,
    BodyCollector,
  ];
  large.add(slice(60_000, 60_000));
  large.add(slice(130_000, 130_000));
  other.add(slice(60_000, 60_000));
  other.add(slice(60_000, 60_000));
  small.add(slice(60_000, 60_000));
  const bodies = [large, other, small].map((each) => each.finish());
  expect(bodies.map(({ state }) => state)).toEqual(['stored', 'dropped', 'stored']);
  expect(budget.takeBlocks(70_000, 0)).toBe(false);
  for (const body of bodies) body.release?.();
  bodies[0]?.release?.();
  expect(budget.heldBytes).toBe(0);
  expect(budget.takeBlocks(150_000, 0)).toBe(false);
  // One body has room in any case, as long as all that may be held by bodies.
  expect(budget.takeBlocks(150_000, 150_000)).toBe(true);
});

test('all collectors together hold no more than the budget; what is kept by reference counts with all it pins', () => {
  const budget = createBodyBudget(100_000);
  const [one, two] = [new BodyCollector(1e6, budget), new BodyCollector(1e6, budget)];
  for (let times = 0; times < 4; times += 1) one.add(slice(10_000, 16_384));
  expect(budget.heldBytes).toBe(65_536);
  two.add(slice(1000, 65_536));
  two.add(slice(40_000, 65_536));
  two.add(Buffer.from('more'));
  expect(budget.heldBytes).toBe(65_536);
  expect(two.finish()).toEqual({ state: 'dropped', chunks: [], sizeBytes: 0 });
  expect(one.finish().state).toBe('stored');
  expect(budget.heldBytes).toBe(0);
});

test('discard gives everything back, once, and nothing is kept afterwards', () => {
  const budget = createBodyBudget();
  const collector = new BodyCollector(100, budget);
  collector.add(Buffer.from('abc'));
  collector.discard();
  collector.discard();
  collector.add(Buffer.from('late'));
  expect(budget.heldBytes).toBe(0);
  expect(collector.finish().state).toBe('none');
});

test('what is beyond the first 64 KiB lies in memory that is used again', () => {
  const budget = createBodyBudget(400_000);
  const collector = new BodyCollector(1e6, budget);
  const pieces = Array.from({ length: 5 }, (_none, index) => Buffer.alloc(50_000, String(index)));
  for (const piece of pieces) collector.add(piece);
  expect(budget.heldBytes).toBe(50_000 + 4 * 65_536);
  const body = collector.finish();
  expect(budget.heldBytes).toBe(4 * 65_536);
  expect(text(body.chunks)).toBe(text(pieces));
  expect(body.chunks.map(({ length }) => length)).toEqual([50_000, 65_536, 65_536, 65_536, 3392]);
  const memory = body.chunks.slice(1).map(({ buffer }) => buffer);
  body.release?.();
  body.release?.();
  expect(budget.heldBytes).toBe(0);
  const next = new BodyCollector(1e6, budget);
  next.add(Buffer.alloc(4 * 65_536, 'n'));
  const again = next.finish().chunks.map(({ buffer }) => buffer);
  expect(new Set(again)).toEqual(new Set(memory));
});

test('a large body beyond the budget gives its memory back', () => {
  const budget = createBodyBudget(200_000);
  const collector = new BodyCollector(1e6, budget);
  for (let piece = 0; piece < 4; piece += 1) collector.add(Buffer.alloc(60_000));
  expect(collector.finish()).toEqual({ state: 'dropped', chunks: [], sizeBytes: 0 });
  expect(budget.heldBytes).toBe(0);
});
