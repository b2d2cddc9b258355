import { describe, expect, it } from 'vitest';
import { timelineOf } from '#shared/scenarios/timeline.ts';
import { ScenarioSchema } from '#shared/scenarios/scenario.ts';
import { ScenarioPlayer } from '../../../../../src-main/engine/scenarios/player.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

const steps = [
  { at: '0s', name: 'a' },
  { at: '30s', name: 'b' },
  { at: '60s', name: 'c' },
];
const { timeline } = timelineOf(ScenarioSchema.parse({ name: 's', duration: '90s', steps }));

function playing() {
  const clock = new ManualClock();
  const startMs = clock.now();
  const seen: string[] = [];
  const tell = (what: string): unknown => seen.push(`${what} at ${(clock.now() - startMs) / 1000}`);
  const player = new ScenarioPlayer(timeline, clock, {
    entered: (phase) => tell(String(phase)),
    ended: () => tell('end'),
  });
  return { clock, seen, player };
}

describe('a player', () => {
  it('enters each phase at its time, and ends', () => {
    const { clock, seen, player } = playing();
    expect(player.phase).toBe(-1);
    player.start();
    clock.advance(29_999);
    expect(seen).toEqual(['0 at 0']);
    expect(player.elapsedMs).toBe(29_999);
    clock.advance(100_000);
    expect(seen).toEqual(['0 at 0', '1 at 30', '2 at 60', 'end at 90']);
    expect(player.elapsedMs).toBe(90_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('says nothing more once it is stopped', () => {
    const { clock, seen, player } = playing();
    player.start();
    clock.advance(31_000);
    player.stop();
    player.stop();
    clock.advance(100_000);
    expect(seen).toEqual(['0 at 0', '1 at 30']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('may be stopped from within a phase', () => {
    const clock = new ManualClock();
    const seen: number[] = [];
    const player: ScenarioPlayer = new ScenarioPlayer(timeline, clock, {
      entered: (phase) => {
        seen.push(phase);
        if (phase === 1) player.stop();
      },
      ended: () => seen.push(-1),
    });
    player.start();
    clock.advance(100_000);
    expect(seen).toEqual([0, 1]);
    expect(clock.pendingTimers).toBe(0);
  });
});
