import { describe, expect, it } from 'vitest';
import { linkHoldLimitBytes } from '../../../../../../src-main/engine/rules/link.ts';
import { linkWith } from '../link-harness.ts';

const notes = (scene: ReturnType<typeof linkWith>): string[] =>
  scene.plan.applied().map((fault) => fault.note);
const outcomes = (scene: ReturnType<typeof linkWith>): string[] =>
  scene.plan.applied().map((fault) => fault.outcome);

describe('slicer', () => {
  it('cuts what comes into pieces, one after the other with a pause between, and loses nothing', () => {
    const scene = linkWith({ type: 'slicer', averageBytes: 4, delayUs: 10_000 });
    scene.push('0123456789abcdef');
    scene.link.end();
    scene.clock.advance(1000);
    expect(scene.out).toEqual([
      { at: 0, text: '0123' },
      { at: 10, text: '4567' },
      { at: 20, text: '89ab' },
      { at: 30, text: 'cdef' },
      { at: 40, text: 'END' },
    ]);
    expect(notes(scene)).toEqual(['cut the response into 4 pieces']);
  });

  it('spreads the sizes around the average, and never makes an empty piece', () => {
    const scene = linkWith({ type: 'slicer', averageBytes: 100, variationBytes: 60 });
    const text = 'x'.repeat(100_000);
    scene.push(text);
    scene.clock.advance(60_000);
    const sizes = scene.out.map((piece) => piece.text.length);
    expect(scene.text()).toBe(text);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(160);
    expect(new Set(sizes).size).toBeGreaterThan(20);
  });

  it('gives a turn between two pieces even without a pause', () => {
    const scene = linkWith({ type: 'slicer', averageBytes: 1 });
    scene.push('ab');
    expect(scene.text()).toBe('a');
    scene.clock.advance(0);
    expect(scene.text()).toBe('ab');
  });

  it('lets go of everything in order when it is turned off', () => {
    const scene = linkWith({ type: 'slicer', averageBytes: 1, delayUs: 1_000_000 });
    scene.push('abc');
    scene.link.end();
    scene.plan.release(scene.rules[0]!);
    expect(scene.text()).toBe('abcEND');
    expect(outcomes(scene)).toEqual(['released']);
    expect(scene.clock.pendingTimers).toBe(0);
  });
});

describe('stall', () => {
  it('holds a piece and all behind it, and catches up at once', () => {
    const scene = linkWith({ type: 'stall', share: 1, stallMs: 200 });
    scene.push('a');
    scene.clock.advance(50);
    scene.push('b');
    scene.clock.advance(1000);
    expect(scene.out).toEqual([
      { at: 200, text: 'a' },
      { at: 250, text: 'b' },
    ]);
  });

  it('stalls about as many pieces as it was asked to, and lets the others pass at once', () => {
    const scene = linkWith({ type: 'stall', share: 0.1, stallMs: 100 });
    let late = 0;
    for (let index = 0; index < 2000; index++) {
      const before = scene.out.length;
      scene.push('x');
      if (scene.out.length === before) late += 1;
      scene.clock.advance(500);
    }
    expect(scene.out).toHaveLength(2000);
    expect(late).toBeGreaterThan(150);
    expect(late).toBeLessThan(250);
    expect(notes(scene)[0]).toBe(`stalled the response ${late} times, 100 ms at the longest`);
  });
});

describe('limit data', () => {
  it('lets so many bytes through, in whichever pieces they come, then closes', () => {
    const scene = linkWith({ type: 'limit-data', bytes: 5 });
    scene.push('abc');
    scene.push('def');
    scene.push('ghi');
    scene.link.end();
    expect(scene.text()).toBe('abcdeFIN');
    expect(scene.plan.applied()).toMatchObject([
      { bytes: 5, outcome: 'done', note: 'closed the connection after 5 bytes of the response' },
    ]);
  });

  it('closes before the first byte when there is to be none', () => {
    const scene = linkWith({ type: 'limit-data', bytes: 0 });
    scene.push('abc');
    expect(scene.text()).toBe('FIN');
  });

  it('lets everything through once it is turned off', () => {
    const scene = linkWith({ type: 'limit-data', bytes: 5 });
    scene.push('abc');
    scene.plan.release(scene.rules[0]!);
    scene.push('def');
    scene.link.end();
    expect(scene.text()).toBe('abcdefEND');
  });
});

describe('slow close', () => {
  it('holds only the end', () => {
    const scene = linkWith({ type: 'slow-close', delayMs: 300 });
    scene.push('abc');
    scene.link.end();
    expect(scene.text()).toBe('abc');
    scene.clock.advance(299);
    expect(scene.text()).toBe('abc');
    scene.clock.advance(1);
    expect(scene.text()).toBe('abcEND');
    expect(notes(scene)).toEqual(['held the end of the response for 300 ms']);
  });
});

describe('timeout', () => {
  it('drops what comes, and closes so long after the last of it', () => {
    const scene = linkWith({ type: 'timeout', timeoutMs: 100 });
    scene.push('abc');
    scene.clock.advance(99);
    scene.push('d');
    scene.clock.advance(99);
    expect(scene.out).toEqual([]);
    scene.clock.advance(1);
    expect(scene.out).toEqual([{ at: 199, text: 'FIN' }]);
    expect(notes(scene)).toEqual(['dropped 4 bytes of the response']);
  });

  it('closes at once when the sender ends', () => {
    const scene = linkWith({ type: 'timeout', timeoutMs: 100 });
    scene.link.end();
    expect(scene.out).toEqual([{ at: 0, text: 'FIN' }]);
  });

  it('of 0 waits until it is turned off, and then closes what has a hole', () => {
    const scene = linkWith({ type: 'timeout', timeoutMs: 0 });
    scene.push('abc');
    scene.clock.advance(1_000_000);
    expect(scene.out).toEqual([]);
    scene.plan.release(scene.rules[0]!);
    expect(scene.text()).toBe('FIN');
  });

  it('that dropped nothing lets the connection go on when it is turned off', () => {
    const scene = linkWith({ type: 'timeout', timeoutMs: 1000 });
    scene.plan.release(scene.rules[0]!);
    scene.push('abc');
    scene.clock.advance(5000);
    expect(scene.text()).toBe('abc');
  });

  it('holds nothing of what it drops: the sender is never told to wait', () => {
    const scene = linkWith({ type: 'timeout', timeoutMs: 0 });
    for (let index = 0; index < 8; index++) scene.link.push(Buffer.alloc(linkHoldLimitBytes / 2));
    expect(scene.events).toEqual([]);
    expect(scene.link.heldBytes).toBe(0);
  });
});

describe('corrupt', () => {
  it('changes about so many bytes, each to another one, and leaves the original alone', () => {
    for (const how of ['flip-bit', 'random', 'zero'] as const) {
      const scene = linkWith({ type: 'corrupt', share: 0.01, how });
      const sent = Buffer.alloc(100_000, 'a');
      for (let at = 0; at < sent.length; at += 1000) scene.link.push(sent.subarray(at, at + 1000));
      const got = Buffer.from(scene.text(), 'latin1');
      const changed = got.reduce((sum, byte, index) => sum + (byte === sent[index] ? 0 : 1), 0);
      expect(got.length).toBe(sent.length);
      expect(changed).toBeGreaterThan(800);
      expect(changed).toBeLessThan(1200);
      expect(scene.plan.applied()[0]?.bytes).toBe(changed);
      expect(sent.every((byte) => byte === 0x61)).toBe(true);
    }
  });

  it('spares the beginning, over pieces', () => {
    const scene = linkWith({ type: 'corrupt', share: 1, skipBytes: 5, how: 'zero' });
    scene.push('abc');
    scene.push('defgh');
    expect(scene.text()).toBe('abcde\0\0\0');
  });

  it('of a share of 0 changes nothing', () => {
    const scene = linkWith({ type: 'corrupt', share: 0 });
    scene.push('abc');
    expect(scene.text()).toBe('abc');
  });
});

describe('duplicate', () => {
  it('sends a piece twice, and counts it as held no more than once', () => {
    const scene = linkWith({ type: 'duplicate', share: 1 });
    scene.push('ab');
    scene.push('c');
    scene.link.end();
    expect(scene.text()).toBe('ababccEND');
    expect(scene.link.heldBytes).toBe(0);
    expect(notes(scene)).toEqual(['sent 3 bytes of the response twice']);
  });
});

describe('close', () => {
  it('ends in an orderly way where a reset would cut', () => {
    const scene = linkWith({ type: 'close', at: 'after-head' });
    scene.shape({ headBytes: 2, bodyBytes: 4 });
    scene.push('hhbbbb');
    expect(scene.text()).toBe('hhFIN');
    expect(notes(scene)).toEqual(['closed the connection after 2 bytes of the response']);
  });

  it('can be at the start, before anything is sent', () => {
    const scene = linkWith({ type: 'latency', latencyMs: 1 }, { type: 'close', at: 'start' });
    expect(scene.plan.takeCutAtStart()).toBe('close');
  });
});

describe('silence', () => {
  it('lets nothing out until it is turned off', () => {
    const scene = linkWith({ type: 'silence' });
    scene.push('abc');
    scene.link.end();
    scene.clock.advance(1_000_000);
    expect(scene.text()).toBe('');
    scene.plan.release(scene.rules[0]!);
    expect(scene.text()).toBe('abcEND');
  });
});

describe('a chain', () => {
  it('passes each fault in the order of the rule', () => {
    const scene = linkWith(
      { type: 'slicer', averageBytes: 2, delayUs: 1000 },
      { type: 'latency', latencyMs: 10 },
      { type: 'limit-data', bytes: 5 },
    );
    scene.push('abcdefgh');
    scene.clock.advance(1000);
    expect(scene.out).toEqual([
      { at: 10, text: 'ab' },
      { at: 11, text: 'cd' },
      { at: 12, text: 'e' },
      { at: 12, text: 'FIN' },
    ]);
  });

  it('goes on without the one that is turned off, and nothing is lost or turned around', () => {
    const scene = linkWith(
      { type: 'latency', latencyMs: 100 },
      { type: 'slicer', averageBytes: 1, delayUs: 1000 },
    );
    scene.push('abc');
    scene.clock.advance(50);
    scene.plan.release(scene.rules[0]!);
    scene.push('de');
    scene.link.end();
    scene.clock.advance(1000);
    expect(scene.text()).toBe('abcdeEND');
  });
});
