import type { Timeline } from '#shared/scenarios/timeline.ts';
import type { Clock, Timer } from '../clock.ts';

export interface PlayerEvents {
  /** A phase begins; each does, in order, also when the machine slept over its time. */
  entered(phase: number): void;
  /** The last phase is over. Not called after `stop`. */
  ended(): void;
}

/** Plays a timeline: says when each phase begins. What a phase means is for whoever listens. */
export class ScenarioPlayer {
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #events: PlayerEvents;
  #startMs = 0;
  #timer: Timer | null = null;
  #phase = -1;

  constructor(timeline: Timeline, clock: Clock, events: PlayerEvents) {
    this.#timeline = timeline;
    this.#clock = clock;
    this.#events = events;
  }

  /** The phase that is played; -1 before the start. */
  get phase(): number {
    return this.#phase;
  }

  /** Since the start, at most the duration. */
  get elapsedMs(): number {
    return Math.min(this.#clock.now() - this.#startMs, this.#timeline.durationMs);
  }

  start(): void {
    this.#startMs = this.#clock.now();
    this.#enter(0);
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #enter(phase: number): void {
    this.#phase = phase;
    const next = this.#timeline.phases[phase + 1];
    const atMs = next?.fromMs ?? this.#timeline.durationMs;
    const go = (): void => {
      this.#timer = null;
      if (next === undefined) this.#events.ended();
      else this.#enter(phase + 1);
    };
    // Each from the start, so that late timers do not add up.
    const inMs = Math.max(0, this.#startMs + atMs - this.#clock.now());
    this.#timer = this.#clock.setTimer(inMs, go);
    this.#events.entered(phase);
  }
}
