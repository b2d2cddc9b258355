import type { Clock, Timer } from '../clock.ts';
import { openAfterMs } from '../capture/flow-record.ts';
import type { FlowRecord, FlowSink } from '../capture/flow-record.ts';

/** A flow that has begun and not ended. */
export interface OpenFlow {
  /** What is known so far, with durationMs -1. Called only for flows that are open for long. */
  snapshot(): FlowRecord;
  readonly startedAtMs: number;
  /** Whether looking up who calls and who is called is over: before, it would be shown on an edge that is none. */
  readonly isNamed: boolean;
  /** Its place among the open flows, theirs to set; begins as -1, for none. */
  openAt: number;
}

const sweepEveryMs = 250;
/** How often a flow that stays open is reported again. */
const repeatEveryMs = 1000;

/**
 * The flows that are open, so that a hanging call or a long stream is seen before it ends.
 *
 * A list, in which the last one takes the place of one that leaves. Not a Set: with a call added and removed again and
 * again V8 replaces its table every hundred calls, an old table leads to the next one, and the calls that were open at
 * that time hang on it. So nearly every call outlived the collections of young garbage, which took 60 ms instead of 2.
 */
export class OpenFlows {
  readonly #open: OpenFlow[] = [];
  #reportedAt = new WeakMap<OpenFlow, number>();
  readonly #settling = new Set<Promise<unknown>>();
  /** The first message of a flow has come: flows with messages are reported with the next sweep, however young. */
  #hasNews = false;
  #timer: Timer | null = null;
  readonly #clock: Clock;
  readonly #sink: FlowSink;

  constructor(clock: Clock, sink: FlowSink) {
    this.#clock = clock;
    this.#sink = sink;
  }

  get size(): number {
    return this.#open.length;
  }

  add(flow: OpenFlow): void {
    flow.openAt = this.#open.push(flow) - 1;
    if (this.#timer === null) this.#arm();
  }

  remove(flow: OpenFlow): void {
    if (flow.openAt < 0) return;
    const last = this.#open.pop() as OpenFlow;
    if (last !== flow) {
      this.#open[flow.openAt] = last;
      last.openAt = flow.openAt;
    }
    flow.openAt = -1;
  }

  /** There are messages in a flow that had none: somebody may want to see them at once. */
  messagesBegan(): void {
    this.#hasNews = true;
  }

  /** A flow that is over is handed over when this resolves. */
  settling(flow: Promise<unknown>): void {
    this.#settling.add(flow);
    void flow.then(() => this.#settling.delete(flow));
  }

  /** Resolves when the flows that are over have been handed over. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling);
  }

  /** What is known of every open flow right now, in the order of their start. */
  *snapshots(): Iterable<FlowRecord> {
    for (const flow of this.#byStart()) if (flow.isNamed) yield flow.snapshot();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(
      sweepEveryMs,
      () => {
        this.#timer = null;
        this.#sweep();
        if (this.#open.length > 0) this.#arm();
      },
      true,
    );
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const flow of this.#byStart()) {
      const isYoung = now - flow.startedAtMs < openAfterMs;
      if (isYoung && !this.#hasNews) break;
      if (!isYoung || flow.snapshot().messages !== null) this.#report(flow, now);
    }
    this.#hasNews = false;
  }

  #byStart(): OpenFlow[] {
    return [...this.#open].sort((a, b) => a.startedAtMs - b.startedAtMs);
  }

  #report(flow: OpenFlow, now: number): void {
    if (!flow.isNamed) return;
    const reportedAt = this.#reportedAt.get(flow);
    if (reportedAt !== undefined && now - reportedAt < repeatEveryMs) return;
    this.#reportedAt.set(flow, now);
    this.#sink.record(flow.snapshot());
  }
}
