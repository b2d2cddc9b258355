import { SpikeError } from '#shared/contract/errors.ts';
import type { AgentEvent } from '#shared/contract/events.ts';
import { goneShownMs, mostHeldBytes, mostHeldCalls } from '#shared/contract/held.ts';
import type { HeldAnswer, HeldCall, HeldEdit, HeldMessage, HeldOutcome } from '#shared/contract/held.ts';
import type { Status } from '#shared/contract/status.ts';
import type { Clock, Timer } from '../clock.ts';
import type {
  HeldProblem,
  HeldToPrimary,
  HeldToWorker,
  HoldAct,
  HoldFacts,
  HoldReply,
} from './held-messages.ts';

/** What became of calls that are held no more is remembered for so many: a late click is told why it came too late. */
const mostRemembered = 1000;

export interface HeldDeskOptions {
  readonly clock: Clock;
  send(worker: number, message: HeldToWorker): void;
  tell(event: AgentEvent): void;
}

/** What may be done with held calls. What is not held any more rejects with `held-not-found`. */
export interface HeldCalls {
  /** Oldest first. */
  list(): readonly HeldCall[];
  get(id: string): Promise<HeldMessage>;
  /** Rejects with `invalid-input`, and the places, for an edit that does not fit the message; it is held on then. */
  release(id: string, edit: HeldEdit): Promise<HeldOutcome>;
  drop(id: string): Promise<HeldOutcome>;
  answer(id: string, answer: HeldAnswer): Promise<HeldOutcome>;
  /** Resolves with how many went on. */
  releaseAll(): Promise<number>;
}

interface Row {
  readonly worker: number;
  readonly hold: number;
  call: HeldCall;
  reservedBytes: number;
  /** Runs while it is shown although its caller has gone. */
  shown: Timer | null;
}

interface Waiting {
  readonly worker: number;
  settle(reply: HoldReply): void;
}

/**
 * The calls that breakpoints of all workers hold: the list, the bounds, and the way from whoever decides to the worker that
 * has the call. No I/O; the worker decides, so that a time-out and a click never both happen.
 */
export class HeldDesk implements HeldCalls {
  readonly #rows = new Map<string, Row>();
  /** By worker and its number for the hold. */
  readonly #ids = new Map<string, string>();
  readonly #ended = new Map<string, HeldOutcome>();
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #nextAsk = 1;
  #reservedBytes = 0;
  #passed = 0;
  readonly #o: HeldDeskOptions;

  constructor(options: HeldDeskOptions) {
    this.#o = options;
  }

  list(): readonly HeldCall[] {
    return [...this.#rows.values()].map(({ call }) => call);
  }

  status(): Status['held'] {
    let calls = 0;
    let bytes = 0;
    for (const { call } of this.#rows.values()) {
      if (call.state !== 'held') continue;
      calls += 1;
      bytes += call.sizeBytes;
    }
    return { calls, bytes, passed: this.#passed };
  }

  async get(id: string): Promise<HeldMessage> {
    const row = this.#row(id);
    const reply = await this.#ask(row, { kind: 'read' });
    if (reply.kind !== 'view') throw this.#gone(id);
    const { message, request } = reply.view;
    const body = Buffer.from(message.body).toString('base64');
    return { ...row.call, message: { ...message, body }, request };
  }

  release(id: string, edit: HeldEdit): Promise<HeldOutcome> {
    return this.#act(id, { kind: 'release', edit });
  }

  drop(id: string): Promise<HeldOutcome> {
    return this.#act(id, { kind: 'drop' });
  }

  answer(id: string, answer: HeldAnswer): Promise<HeldOutcome> {
    return this.#act(id, { kind: 'answer', answer });
  }

  async releaseAll(): Promise<number> {
    const ids = [...this.#rows.keys()];
    const outcomes = await Promise.all(
      ids.map(async (id) => {
        try {
          return await this.release(id, {});
        } catch (error) {
          // It ended by itself meanwhile.
          if (error instanceof SpikeError && error.code === 'held-not-found') return null;
          throw error;
        }
      }),
    );
    return outcomes.filter((outcome) => outcome === 'released').length;
  }

  received(worker: number, message: HeldToPrimary): void {
    if (message.type === 'held.ask')
      return this.#asked(worker, message.hold, message.facts, message.reserveBytes);
    if (message.type === 'held.reply') return this.#replied(message.ask, message.reply);
    const row = this.#rows.get(this.#ids.get(keyOf(worker, message.hold)) ?? '');
    if (row === undefined) return;
    switch (message.type) {
      case 'held.reserve':
        return this.#reserve(row, message.reserveBytes);
      case 'held.size':
        return this.#change(row, { sizeBytes: message.sizeBytes });
      case 'held.gone':
        return this.#callerGone(row);
      case 'held.over':
        return this.#remove(row, message.outcome);
    }
  }

  /** A worker is gone, and its calls with it. */
  workerLost(worker: number): void {
    for (const row of [...this.#rows.values()]) if (row.worker === worker) this.#remove(row, 'broken-off');
    for (const [ask, waiting] of [...this.#waiting]) {
      if (waiting.worker === worker) this.#replied(ask, { kind: 'over' });
    }
  }

  /** The agent ends: no timer is left, and nobody waits for a worker that is gone. */
  close(): void {
    for (const { shown } of this.#rows.values()) shown?.cancel();
    for (const ask of [...this.#waiting.keys()]) this.#replied(ask, { kind: 'over' });
  }

  // --- what workers say

  #asked(worker: number, hold: number, facts: HoldFacts, reserveBytes: number): void {
    const refusal = this.#refusal(reserveBytes);
    this.#o.send(worker, { type: 'held.verdict', hold, refusal });
    if (refusal !== null) return;
    const { heldAtMs, expiresAtMs, ...rest } = facts;
    const call: HeldCall = {
      id: `${worker}-${this.#nextId++}`,
      ...rest,
      heldAt: new Date(heldAtMs).toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
      state: 'held',
    };
    this.#reservedBytes += reserveBytes;
    this.#rows.set(call.id, { worker, hold, call, reservedBytes: reserveBytes, shown: null });
    this.#ids.set(keyOf(worker, hold), call.id);
    this.#o.tell({ type: 'held.added', call });
  }

  #refusal(reserveBytes: number): string | null {
    const held = this.#rows.size >= mostHeldCalls ? `${mostHeldCalls} calls are held already` : null;
    const refusal = held ?? this.#sizeRefusal(reserveBytes);
    if (refusal !== null) this.#passed += 1;
    return refusal;
  }

  #sizeRefusal(moreBytes: number): string | null {
    return this.#reservedBytes + moreBytes > mostHeldBytes
      ? `with its body more than ${mostHeldBytes / 1024 ** 2} MiB would be held`
      : null;
  }

  #reserve(row: Row, reserveBytes: number): void {
    const refusal = this.#sizeRefusal(reserveBytes - row.reservedBytes);
    if (refusal === null) {
      this.#reservedBytes += reserveBytes - row.reservedBytes;
      row.reservedBytes = reserveBytes;
    } else this.#passed += 1;
    // The worker lets go of one that is refused, and says so.
    this.#o.send(row.worker, { type: 'held.verdict', hold: row.hold, refusal });
  }

  #callerGone(row: Row): void {
    this.#change(row, { state: 'caller-gone' });
    row.shown = this.#o.clock.setTimer(goneShownMs, () => this.#remove(row, 'caller-gone'), true);
  }

  #change(row: Row, change: Partial<HeldCall>): void {
    row.call = { ...row.call, ...change };
    this.#o.tell({ type: 'held.changed', call: row.call });
  }

  #remove(row: Row, outcome: HeldOutcome): void {
    const { id, state } = row.call;
    if (!this.#rows.delete(id)) return;
    row.shown?.cancel();
    this.#ids.delete(keyOf(row.worker, row.hold));
    this.#reservedBytes -= row.reservedBytes;
    if (state === 'caller-gone') this.#o.send(row.worker, { type: 'held.forget', hold: row.hold });
    this.#remember(id, outcome);
    this.#o.tell({ type: 'held.removed', id, outcome });
  }

  #remember(id: string, outcome: HeldOutcome): void {
    this.#ended.set(id, outcome);
    if (this.#ended.size <= mostRemembered) return;
    const oldest = this.#ended.keys().next();
    if (oldest.done !== true) this.#ended.delete(oldest.value);
  }

  // --- what somebody wants

  async #act(id: string, act: HoldAct): Promise<HeldOutcome> {
    const row = this.#row(id);
    if (row.call.state === 'caller-gone') {
      this.#remove(row, 'caller-gone');
      return 'caller-gone';
    }
    const reply = await this.#ask(row, act);
    if (reply.kind === 'refused') throw refused(reply.problems);
    if (reply.kind !== 'done') throw this.#gone(id);
    this.#remove(row, reply.outcome);
    return reply.outcome;
  }

  #ask(row: Row, act: HoldAct): Promise<HoldReply> {
    const ask = this.#nextAsk++;
    const { worker, hold } = row;
    return new Promise((resolve) => {
      this.#waiting.set(ask, { worker, settle: resolve });
      this.#o.send(worker, { type: 'held.act', ask, hold, act });
    });
  }

  #replied(ask: number, reply: HoldReply): void {
    const waiting = this.#waiting.get(ask);
    this.#waiting.delete(ask);
    waiting?.settle(reply);
  }

  #row(id: string): Row {
    const row = this.#rows.get(id);
    if (row === undefined) throw this.#gone(id);
    return row;
  }

  #gone(id: string): SpikeError {
    const outcome = this.#ended.get(id) ?? null;
    const what = outcome === null ? 'Nothing is known of it.' : `It ${outcomeWords[outcome]}.`;
    return new SpikeError('held-not-found', `No call is held as "${id}". ${what}`, { id, outcome });
  }
}

const outcomeWords: Readonly<Record<HeldOutcome, string>> = {
  released: 'was released already',
  edited: 'was edited and released already',
  answered: 'was answered already',
  dropped: 'was dropped already',
  'timed-out': 'was let go by its time-out',
  'rule-off': 'went on when its rule was turned off, or Spike stopped',
  'caller-gone': 'is over: its caller hung up',
  'broken-off': 'broke off while it was held',
  passed: 'went on, because more would have been held than may be',
};

function refused(problems: readonly HeldProblem[]): SpikeError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const message = `\`${first?.path ?? ''}\` was refused: ${first?.message ?? ''}${more} The call is still held.`;
  const details = problems.map((problem) => ({ ...problem, expected: null }));
  return new SpikeError('invalid-input', message, details);
}

function keyOf(worker: number, hold: number): string {
  return `${worker}-${hold}`;
}
