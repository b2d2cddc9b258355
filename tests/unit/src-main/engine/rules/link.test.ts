import { describe, expect, it } from 'vitest';
import { linkHoldLimitBytes } from '../../../../../src-main/engine/rules/link.ts';
import { linkWith } from './link-harness.ts';

describe('latency', () => {
  it('holds each piece for its time and keeps their order', () => {
    const { clock, push, link, out } = linkWith({ type: 'latency', latencyMs: 100 });
    push('a');
    clock.advance(60);
    push('b');
    link.end();
    clock.advance(1000);
    expect(out).toEqual([
      { at: 100, text: 'a' },
      { at: 160, text: 'b' },
      { at: 160, text: 'END' },
    ]);
  });

  it('spreads evenly within its bounds, never overtaking', () => {
    const { clock, push, out } = linkWith({ type: 'latency', latencyMs: 100, jitterMs: 80 });
    const delays: number[] = [];
    for (let index = 0; index < 2000; index++) {
      const from = clock.now();
      push(String(index % 10));
      clock.advance(200);
      delays.push((out.at(-1)?.at ?? Infinity) - from);
    }
    const mean = delays.reduce((sum, one) => sum + one, 0) / delays.length;
    const variance = delays.reduce((sum, one) => sum + (one - mean) ** 2, 0) / delays.length;
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...delays)).toBeLessThanOrEqual(180);
    expect(Math.abs(mean - 100)).toBeLessThan(5);
    // Uniform over ±80: its standard deviation is 80/√3.
    expect(Math.abs(Math.sqrt(variance) - 80 / Math.sqrt(3))).toBeLessThan(3);
    const burst = linkWith({ type: 'latency', latencyMs: 100, jitterMs: 80 });
    for (const digit of '0123456789') burst.push(digit);
    burst.clock.advance(300);
    expect(burst.text()).toBe('0123456789');
  });
});

describe('bandwidth', () => {
  it.each([7, 30, 100, 1000, 100_000, 10_000_000])(
    'lets %i bytes a second pass, within 10 % over 5 s',
    (rate) => {
      const { clock, link, out } = linkWith({ type: 'bandwidth', bytesPerSecond: rate });
      link.push(Buffer.alloc(rate * 10));
      clock.advance(5000);
      const passed = out.reduce((sum, one) => sum + one.text.length, 0);
      expect(Math.abs(passed - rate * 5)).toBeLessThanOrEqual(rate * 0.5);
    },
  );

  it('earns no burst by a pause, and is not made thinner by late timers', () => {
    const { clock, link, out } = linkWith({ type: 'bandwidth', bytesPerSecond: 1000 });
    clock.advance(10_000);
    link.push(Buffer.alloc(1000));
    expect(out[0]?.text.length).toBe(40);
    clock.advance(990);
    expect(link.heldBytes).toBe(0);
  });
});

describe('hang', () => {
  it('holds all, and lets go in order with the end', () => {
    const { clock, plan, rules, push, link, text } = linkWith({ type: 'hang' });
    push('a');
    push('b');
    link.end();
    clock.advance(1e6);
    expect(text()).toBe('');
    expect(plan.release(rules[0]!)).toBe(true);
    expect(text()).toBe('abEND');
    expect(plan.applied()[0]).toMatchObject({ outcome: 'released', delayedMs: 1e6 });
  });
});

describe('reset', () => {
  const head = 'H'.repeat(20);
  const run = (
    at: 'before-head' | 'after-head' | 'mid-body',
    bodyBytes: number | null,
    pieces: string[],
  ): string => {
    const made = linkWith({ type: 'reset', at });
    made.shape({ headBytes: bodyBytes === null && pieces[0] !== head ? 0 : 20, bodyBytes });
    for (const piece of pieces) made.push(piece);
    made.link.end();
    return made.text();
  };

  it('cuts where it is told, whatever the pieces', () => {
    const body = '0123456789';
    for (const pieces of [
      [head, body],
      [head + body],
      [...head, ...body],
      [head.slice(0, 5), head.slice(5) + body],
    ]) {
      expect(run('before-head', 10, pieces)).toBe('RST');
      expect(run('after-head', 10, pieces)).toBe(`${head}RST`);
      expect(run('mid-body', 10, pieces)).toBe(`${head}01234RST`);
    }
  });

  it('finds a middle where there is none', () => {
    expect(run('mid-body', 0, [head])).toBe(`${head}RST`);
    expect(run('mid-body', 1, [head, 'x'])).toBe(`${head}RST`);
    expect(run('mid-body', null, [head, 'abcdef', 'ghi'])).toBe(`${head}abcRST`);
    expect(run('mid-body', null, ['tunnel'])).toBe('tunRST');
  });
});

describe('a link', () => {
  it('lets go of one rule without disturbing the order of what others hold', () => {
    const { clock, plan, rules, push, text } = linkWith(
      { type: 'latency', latencyMs: 100 },
      { type: 'hang' },
      { type: 'latency', latencyMs: 50 },
    );
    push('a');
    clock.advance(100);
    push('b');
    plan.release(rules[0]!);
    push('c');
    plan.release(rules[1]!);
    expect(text()).toBe('');
    push('d');
    clock.advance(50);
    expect(text()).toBe('abcd');
    plan.release(rules[2]!);
    push('e');
    expect(text()).toBe('abcde');
  });

  it('has its source wait while it holds too much, and reads on when half of that has gone', () => {
    const { plan, rules, link, events } = linkWith({ type: 'hang' });
    const piece = Buffer.alloc(linkHoldLimitBytes / 4);
    for (let count = 0; count < 5; count++) link.push(piece);
    expect(events).toEqual(['pause']);
    plan.release(rules[0]!);
    expect(events).toEqual(['pause', 'resume']);
    expect(link.heldBytes).toBe(0);
  });

  it('says nothing and leaves no timer once it is over', () => {
    const { clock, plan, push, link, out } = linkWith(
      { type: 'latency', latencyMs: 10 },
      { type: 'bandwidth', bytesPerSecond: 5 },
    );
    push('abcdefgh');
    clock.advance(10);
    plan.dispose();
    push('x');
    link.end();
    expect(clock.pendingTimers).toBe(0);
    const before = out.length;
    clock.advance(10_000);
    expect(out.length).toBe(before);
    expect(plan.applied().every((fault) => fault.outcome === 'done')).toBe(true);
  });
});
