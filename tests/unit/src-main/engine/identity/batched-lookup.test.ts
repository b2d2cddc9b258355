import { expect, test } from 'vitest';
import type { Clock } from '../../../../../src-main/engine/clock.ts';
import { createBatchedLookup } from '../../../../../src-main/engine/identity/batched-lookup.ts';

/** Time that passes when it is told to; `passing` lets all that is due happen. */
function createManualClock() {
  let now = 1_000;
  let timers: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    setTimer(delayMs, callback) {
      const timer = { at: now + delayMs, callback };
      timers.push(timer);
      return { cancel: () => void (timers = timers.filter((other) => other !== timer)) };
    },
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    clock,
    pending: () => timers.length,
    spend: (ms: number) => void (now += ms),
    async passing(ms: number) {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { callback } of due) callback();
      await settled();
    },
  };
}

function setUp(answers: Record<string, number>, costMs = 0, options = {}) {
  const time = createManualClock();
  const batches: string[][] = [];
  const errors: unknown[] = [];
  const lookup = createBatchedLookup<number>({
    clock: time.clock,
    failed: (error) => errors.push(error),
    async answer(keys) {
      batches.push([...keys]);
      time.spend(costMs);
      if (keys.has('throws')) throw new Error('broken');
      return new Map([...keys].filter((key) => key in answers).map((key) => [key, answers[key] as number]));
    },
    ...options,
  });
  return { time, batches, errors, lookup };
}

test('what comes together is answered by one scan, the same question once', async () => {
  const { lookup, time, batches } = setUp({ a: 1, b: 2 });
  const asked = Promise.all([lookup.ask('a'), lookup.ask('b'), lookup.ask('a')]);
  await time.passing(0);
  expect(await asked).toEqual([1, 2, 1]);
  expect(batches).toEqual([['a', 'b']]);
});

test('after a scan of 10 ms the next one waits 30 ms', async () => {
  const { lookup, time, batches } = setUp({ a: 1, b: 2 }, 10);
  void lookup.ask('a');
  await time.passing(0);
  const second = lookup.ask('b');
  await time.passing(29);
  expect(batches).toHaveLength(1);
  await time.passing(1);
  expect(await second).toBe(2);
});

test('a key without an answer is asked once more, then is null', async () => {
  const { lookup, time, batches } = setUp({});
  const asked = lookup.ask('x');
  await time.passing(0);
  await time.passing(0);
  expect(await asked).toBeNull();
  expect(batches).toEqual([['x'], ['x']]);
});

test('a scan that fails is told, and its keys are null', async () => {
  const { lookup, time, errors } = setUp({});
  const asked = lookup.ask('throws');
  await time.passing(0);
  await time.passing(0);
  expect(await asked).toBeNull();
  expect(errors).toHaveLength(2);
});

test('more than may wait are null at once', async () => {
  const { lookup, time } = setUp({ a: 1, b: 2 }, 0, { maxWaiting: 1 });
  const first = lookup.ask('a');
  expect(await lookup.ask('b')).toBeNull();
  await time.passing(0);
  expect(await first).toBe(1);
});

test('close answers what waits, and leaves no timer', async () => {
  const { lookup, time } = setUp({ a: 1 });
  const asked = lookup.ask('a');
  lookup.close();
  expect(await asked).toBeNull();
  expect(await lookup.ask('a')).toBeNull();
  expect(time.pending()).toBe(0);
});
