// Faults that are as they are because Toxiproxy's toxics are.
import { describe, expect, it } from 'vitest';
import { linkWith } from '../link-harness.ts';

const notes = (scene: ReturnType<typeof linkWith>) => scene.plan.applied().map(({ note }) => note);

describe('reset peer', () => {
  it('waits for the first bytes, holds them, and resets so long after them', () => {
    const scene = linkWith({ type: 'reset-peer', timeoutMs: 100 });
    scene.clock.advance(1000);
    scene.push('abc');
    scene.clock.advance(60);
    scene.push('def');
    scene.clock.advance(39);
    expect(scene.out).toEqual([]);
    scene.clock.advance(1);
    expect(scene.out).toEqual([{ at: 1100, text: 'RST' }]);
    expect(notes(scene)).toEqual(['reset the connection 100 ms after the first bytes of the response']);
  });

  it('takes the end for the first bytes', () => {
    const scene = linkWith({ type: 'reset-peer', timeoutMs: 0 });
    scene.link.end();
    scene.clock.advance(0);
    expect(scene.text()).toBe('RST');
  });

  it('turned off before its time, lets go of what it holds, in order, and of the end', () => {
    const scene = linkWith({ type: 'reset-peer', timeoutMs: 100 });
    scene.push('abc');
    scene.push('def');
    scene.link.end();
    scene.plan.release(scene.rules[0]!);
    scene.clock.advance(1000);
    expect(scene.text()).toBe('abcdefEND');
    expect(notes(scene)).toEqual(['was let go before it reset the connection']);
  });

  it('is over with the connection: no timer is left', () => {
    const scene = linkWith({ type: 'reset-peer', timeoutMs: 100 });
    scene.push('abc');
    scene.plan.dispose();
    scene.clock.advance(1000);
    expect(scene.out).toEqual([]);
  });
});

describe('bandwidth in pieces', () => {
  it('sends pieces of 100 ms, each when its time is over, and the rest when its time is', () => {
    const scene = linkWith({ type: 'bandwidth', bytesPerSecond: 1000, pieceMs: 100 });
    scene.push('x'.repeat(250));
    scene.clock.advance(1000);
    expect(scene.out.map(({ at, text }) => [at, text.length])).toEqual([
      [100, 100],
      [200, 100],
      [250, 50],
    ]);
  });

  it('sends what fits into a piece whole, after the time that it takes', () => {
    const scene = linkWith({ type: 'bandwidth', bytesPerSecond: 1000, pieceMs: 100 });
    scene.push('x'.repeat(30));
    scene.push('y'.repeat(20));
    scene.link.end();
    scene.clock.advance(1000);
    expect(scene.out.map(({ at, text }) => [at, text.length])).toEqual([
      [30, 30],
      [50, 20],
      [50, 3],
    ]);
  });

  it('keeps the rate when timers are late, and pays nothing for an idle line', () => {
    const scene = linkWith({ type: 'bandwidth', bytesPerSecond: 1000, pieceMs: 100 });
    scene.clock.advance(5000);
    scene.push('x'.repeat(300));
    scene.clock.advance(150);
    scene.clock.advance(150);
    expect(scene.text().length).toBe(300);
  });

  it('of 0 lets nothing through until it is turned off, and then all of it', () => {
    const scene = linkWith({ type: 'bandwidth', bytesPerSecond: 0, pieceMs: 100 });
    scene.push('abc');
    scene.push('def');
    scene.link.end();
    scene.clock.advance(100_000);
    expect(scene.out).toEqual([]);
    scene.plan.release(scene.rules[0]!);
    expect(scene.text()).toBe('abcdefEND');
  });

  it('turned off in the middle of a piece loses nothing', () => {
    const scene = linkWith({ type: 'bandwidth', bytesPerSecond: 1000, pieceMs: 100 });
    scene.push('a'.repeat(100) + 'b'.repeat(100) + 'c');
    scene.clock.advance(130);
    scene.plan.release(scene.rules[0]!);
    scene.push('d');
    expect(scene.text()).toBe('a'.repeat(100) + 'b'.repeat(100) + 'cd');
  });
});

describe('a timeout that closes when it is turned off', () => {
  it('closes although it has dropped nothing', () => {
    const scene = linkWith({ type: 'timeout', timeoutMs: 0, closesWhenOff: true });
    scene.plan.release(scene.rules[0]!);
    expect(scene.text()).toBe('FIN');
  });

  it('does not when it is only changed', () => {
    const scene = linkWith({ type: 'timeout', timeoutMs: 0, closesWhenOff: true });
    scene.push('abc');
    scene.plan.release(scene.rules[0]!, 'changed');
    expect(scene.out).toEqual([]);
  });
});
