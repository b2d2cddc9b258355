import { previewBars } from '#shared/contract/rule-preview.ts';
import type { RulePreview } from '#shared/contract/rule-preview.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { Fault } from '#shared/rules/fault.ts';
import type { Match } from '#shared/rules/match.ts';
import { expiryOf } from '#shared/rules/trigger.ts';
import type { Trigger } from '#shared/rules/trigger.ts';
import { faultRegistry } from './faults/registry.ts';
import { lacks, StoredCallMatcher } from './stored-call.ts';
import type { Lack, StoredCallSource } from './stored-call.ts';
import { TriggerCounter } from './trigger-counter.ts';
import { compileTrigger } from './trigger-draw.ts';

export interface PreviewedRule {
  readonly match: Match;
  readonly trigger: Trigger;
  /** Empty: not said yet, so tunnels count as well. */
  readonly faults: readonly Fault[];
}

interface MatchingCall {
  readonly id: string;
  readonly atMs: number;
  readonly endMs: number;
}

/** Matching calls that are kept for the simulation; beyond them only the newest count. */
const mostMatching = 200_000;

/**
 * What a rule would have hit of calls that are over: `add` them newest first, then ask for the `result`. Reads nothing by
 * itself.
 */
export class PreviewRun {
  readonly #matcher: StoredCallMatcher;
  readonly #trigger: Trigger;
  readonly #fromMs: number;
  readonly #windowMs: number;
  /** Its faults act on the frames of WebSockets alone. */
  readonly #isForFrames: boolean;
  readonly #matching: MatchingCall[] = [];
  readonly #lacking = new Set<Lack>();
  readonly #consideredByBar = new Array<number>(previewBars).fill(0);
  #considered = 0;
  #undecided = 0;

  /** Throws a `SyntaxError` for a match that cannot be compiled. */
  constructor(rule: PreviewedRule, fromMs: number, windowMs: number) {
    const actsOnTunnels =
      rule.faults.length === 0 ||
      rule.faults.some(({ type }) => {
        const { createStage, needsMessages } = faultRegistry[type];
        return createStage !== null && needsMessages !== true;
      });
    this.#isForFrames =
      rule.faults.length > 0 && rule.faults.every(({ type }) => faultRegistry[type].frames !== undefined);
    this.#matcher = new StoredCallMatcher(rule.match, actsOnTunnels);
    this.#trigger = rule.trigger;
    this.#fromMs = fromMs;
    this.#windowMs = windowMs;
  }

  get isFull(): boolean {
    return this.#matching.length >= mostMatching;
  }

  add(row: FlowSummary, source: StoredCallSource): void {
    this.#considered += 1;
    this.#consideredByBar[this.#barAt(row.startedAtMs)]! += 1;
    if (this.#isForFrames && row.kind !== 'websocket') return;
    const verdict = this.#matcher.verdict(row, source);
    if (verdict === false) return;
    if (verdict === true) {
      const endMs = row.durationMs === null ? Infinity : row.startedAtMs + row.durationMs;
      this.#matching.push({ id: row.id, atMs: row.startedAtMs, endMs });
    } else {
      this.#undecided += 1;
      this.#lacking.add(verdict);
    }
  }

  result(limit: number, complete: boolean): RulePreview {
    const hits = this.#simulate();
    const { probability = 1, seed } = this.#trigger;
    return {
      windowMs: this.#windowMs,
      considered: this.#considered,
      complete: complete && !this.isFull,
      matching: this.#matching.length,
      hits: hits.length,
      share: seed === undefined ? probability : 1,
      undecided: this.#undecided,
      bars: this.#bars(hits),
      notes: this.#notes(),
      flows: hits
        .slice(-limit)
        .reverse()
        .map(({ id }) => id),
    };
  }

  #barAt(atMs: number): number {
    const bar = Math.floor(((atMs - this.#fromMs) / this.#windowMs) * previewBars);
    return Math.min(previewBars - 1, Math.max(0, bar));
  }

  #bars(hits: readonly MatchingCall[]): RulePreview['bars'] {
    const byBar = new Array<number>(previewBars).fill(0);
    for (const { atMs } of hits) byBar[this.#barAt(atMs)]! += 1;
    return this.#consideredByBar.map((considered, bar) => ({ considered, hits: byBar[bar]! }));
  }

  /** The trigger, asked in the order of the calls, as if the rule had been turned on when the window began. */
  #simulate(): MatchingCall[] {
    const { seed, probability, ...rest } = this.#trigger;
    const draws = seed === undefined || probability === undefined ? {} : { seed, probability };
    const counter = new TriggerCounter(compileTrigger({ ...rest, ...draws }), this.#fromMs);
    const expiresMs = expiryOf(this.#trigger, this.#fromMs) ?? Infinity;
    const hits: MatchingCall[] = [];
    let held: number[] = [];
    for (const call of this.#matching.toReversed()) {
      const { atMs, endMs } = call;
      if (atMs >= expiresMs) break;
      const still = held.filter((end) => end > atMs);
      counter.release(held.length - still.length);
      held = still;
      const { hit, holds } = counter.decide(atMs, () => 0);
      if (holds) held.push(endMs);
      if (hit) hits.push(call);
    }
    return hits;
  }

  #notes(): string[] {
    const notes: string[] = [...this.#lacking].map((lack) => lacks[lack]);
    const { probability = 1, seed, maxConcurrent } = this.#trigger;
    if (probability < 1 && seed === undefined)
      notes.push('Draws without a seed are not foretold: each hit has its chance.');
    if (maxConcurrent !== undefined)
      notes.push(
        'Calls are taken to last as long as they did; a fault that delays them would hold its places longer.',
      );
    return notes;
  }
}
