import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBodyBudget } from '../../../../../src-main/engine/capture/body-collector.ts';
import { LongBodyCollector } from '../../../../../src-main/engine/capture/long-body-collector.ts';

const MiB = 1024 ** 2;

test('what comes in pieces of any size is kept up to the bound, and the memory comes back', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20_000), { maxLength: 40 }), fc.nat(100_000), (sizes, maxBytes) => {
      const budget = createBodyBudget();
      const collector = new LongBodyCollector(maxBytes, budget);
      const pieces = sizes.map((size, index) => Buffer.alloc(size, index + 1));
      for (const piece of pieces) collector.add(piece);
      const all = Buffer.concat(pieces);
      const held = budget.heldBytes;
      const { state, chunks, sizeBytes } = collector.finish();
      expect(Buffer.concat(chunks).equals(all.subarray(0, maxBytes))).toBe(true);
      expect(sizeBytes).toBe(Math.min(all.length, maxBytes));
      if (all.length <= maxBytes) expect(state).toBe(all.length === 0 ? 'none' : 'stored');
      else expect(state).toBe(maxBytes === 0 ? 'dropped' : 'truncated');
      expect(held).toBeGreaterThanOrEqual(sizeBytes);
      expect(held).toBeLessThanOrEqual(2 * sizeBytes + 4096);
      expect(budget.heldBytes).toBe(0);
    }),
  );
});

test('pieces are copies, and many small ones are few blocks', () => {
  const collector = new LongBodyCollector(MiB, createBodyBudget());
  const piece = Buffer.alloc(1024, 'x');
  for (let count = 0; count < 1000; count += 1) collector.add(piece);
  piece.fill('y');
  const { chunks, sizeBytes } = collector.finish();
  expect(sizeBytes).toBe(1_024_000);
  expect(chunks.length).toBeLessThan(15);
  expect(Buffer.concat(chunks).includes('y')).toBe(false);
});

test('when the memory is used up the first part stays; who comes then has nothing, until others end', () => {
  const budget = createBodyBudget(100_000);
  const first = new LongBodyCollector(MiB, budget);
  for (let count = 0; count < 200; count += 1) first.add(Buffer.alloc(1000));
  const second = new LongBodyCollector(MiB, budget);
  for (let count = 0; count < 100; count += 1) second.add(Buffer.alloc(1000));
  expect(budget.heldBytes).toBeLessThanOrEqual(100_000);
  const kept = first.finish();
  expect(kept.state).toBe('truncated');
  expect(kept.sizeBytes).toBeGreaterThan(50_000);
  expect(['truncated', 'dropped']).toContain(second.finish().state);
  expect(budget.heldBytes).toBe(0);
  const third = new LongBodyCollector(MiB, budget);
  third.add(Buffer.alloc(1000));
  third.discard();
  third.add(Buffer.alloc(1000));
  expect(third.finish().state).toBe('none');
  expect(budget.heldBytes).toBe(0);
});
