import { beforeEach, describe, expect, it } from 'vitest';
import type { AgentEvent } from '#shared/contract/events.ts';
import { HeldDesk } from '../../../../../src-main/engine/breakpoints/held-desk.ts';
import type {
  HeldToWorker,
  HoldFacts,
  HoldReply,
} from '../../../../../src-main/engine/breakpoints/held-messages.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

const facts: HoldFacts = {
  flowId: 'f',
  ruleId: 'r',
  ruleName: 'rule',
  at: 'request',
  onTimeout: 'release',
  caller: 'checkout',
  callee: 'payments',
  method: 'POST',
  url: 'http://payments/',
  status: null,
  sizeBytes: 10,
  heldAtMs: 1_700_000_000_000,
  expiresAtMs: 1_700_000_060_000,
};

let clock: ManualClock;
let sent: { worker: number; message: HeldToWorker }[];
let events: AgentEvent[];
let desk: HeldDesk;
beforeEach(() => {
  clock = new ManualClock();
  sent = [];
  events = [];
  desk = new HeldDesk({
    clock,
    send: (worker, message) => void sent.push({ worker, message }),
    tell: (event) => void events.push(event),
  });
});

function ask(worker: number, hold: number, reserveBytes = 10): string | null {
  desk.received(worker, { type: 'held.ask', hold, facts, reserveBytes });
  const last = sent.at(-1)?.message;
  return last?.type === 'held.verdict' ? last.refusal : 'no verdict';
}

/** Answers what the desk has asked last. */
function reply(worker: number, reply: HoldReply): void {
  const last = sent.at(-1)?.message;
  if (last?.type !== 'held.act') throw new Error('nothing was asked');
  desk.received(worker, { type: 'held.reply', ask: last.ask, hold: last.hold, reply });
}

const removed = (): string[] =>
  events.flatMap((event) => (event.type === 'held.removed' ? [event.outcome] : []));

describe('the desk of held calls', () => {
  it('names them by worker and number, whatever their workers call them', () => {
    expect([ask(1, 1), ask(2, 1), ask(1, 2)]).toEqual([null, null, null]);
    expect(desk.list().map(({ id }) => id)).toEqual(['1-1', '2-2', '1-3']);
    desk.received(2, { type: 'held.over', hold: 1, outcome: 'timed-out' });
    expect(desk.list().map(({ id }) => id)).toEqual(['1-1', '1-3']);
    expect(events.map(({ type }) => type)).toEqual([
      'held.added',
      'held.added',
      'held.added',
      'held.removed',
    ]);
  });

  it('sends what is decided to the worker that has the call', async () => {
    ask(1, 1);
    ask(2, 1);
    const done = desk.release('2-2', { method: 'PUT' });
    expect(sent.at(-1)).toMatchObject({
      worker: 2,
      message: { type: 'held.act', hold: 1, act: { kind: 'release', edit: { method: 'PUT' } } },
    });
    desk.received(2, { type: 'held.over', hold: 1, outcome: 'edited' });
    reply(2, { kind: 'done', outcome: 'edited' });
    expect(await done).toBe('edited');
    expect(removed()).toEqual(['edited']);
  });

  it('tells who was too late what happened instead', async () => {
    ask(1, 1);
    const done = desk.drop('1-1');
    desk.received(1, { type: 'held.over', hold: 1, outcome: 'timed-out' });
    reply(1, { kind: 'over' });
    await expect(done).rejects.toMatchObject({ code: 'held-not-found', details: { outcome: 'timed-out' } });
  });

  it('keeps what is refused, with the places', async () => {
    ask(1, 1);
    const done = desk.release('1-1', { status: 500 });
    reply(1, { kind: 'refused', problems: [{ path: 'status', message: 'A request has no status.' }] });
    await expect(done).rejects.toMatchObject({
      code: 'invalid-input',
      message: '`status` was refused: A request has no status. The call is still held.',
      details: [{ path: 'status', message: 'A request has no status.', expected: null }],
    });
    expect(desk.list()).toHaveLength(1);
  });

  it('shows a call whose caller is gone for 10 s, or until somebody acts on it', async () => {
    ask(1, 1);
    ask(1, 2);
    desk.received(1, { type: 'held.gone', hold: 1 });
    desk.received(1, { type: 'held.gone', hold: 2 });
    expect(desk.list().map(({ state }) => state)).toEqual(['caller-gone', 'caller-gone']);
    expect(desk.status()).toEqual({ calls: 0, bytes: 0, passed: 0 });
    expect(await desk.answer('1-2', { status: 200, headers: [], body: '' })).toBe('caller-gone');
    expect(sent.at(-1)?.message).toEqual({ type: 'held.forget', hold: 2 });
    clock.advance(9_999);
    expect(desk.list()).toHaveLength(1);
    clock.advance(1);
    expect(desk.list()).toEqual([]);
    expect(sent.at(-1)?.message).toEqual({ type: 'held.forget', hold: 1 });
    expect(removed()).toEqual(['caller-gone', 'caller-gone']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('removes the calls of a lost worker, and answers who waits for them', async () => {
    ask(1, 1);
    ask(2, 1);
    desk.received(1, { type: 'held.gone', hold: 1 });
    const seen = desk.get('1-1');
    desk.workerLost(1);
    await expect(seen).rejects.toMatchObject({ code: 'held-not-found', details: { outcome: 'broken-off' } });
    expect(desk.list().map(({ id }) => id)).toEqual(['2-2']);
    expect(clock.pendingTimers).toBe(0);
    // Its replacement begins to count anew.
    ask(1, 1);
    expect(desk.list().map(({ id }) => id)).toEqual(['2-2', '1-3']);
  });

  it('admits 200 calls, and another when one is over', () => {
    for (let hold = 1; hold <= 200; hold++) expect(ask(1, hold)).toBeNull();
    expect(ask(2, 1)).toBe('200 calls are held already');
    expect(desk.status()).toEqual({ calls: 200, bytes: 2000, passed: 1 });
    desk.received(1, { type: 'held.over', hold: 7, outcome: 'dropped' });
    expect(ask(2, 2)).toBeNull();
  });

  it('admits 64 MiB of bodies, also of those that grow', () => {
    const mebibyte = 1024 ** 2;
    expect(ask(1, 1, 60 * mebibyte)).toBeNull();
    expect(ask(1, 2, 5 * mebibyte)).toBe('with its body more than 64 MiB would be held');
    expect(ask(1, 3, mebibyte)).toBeNull();
    desk.received(1, { type: 'held.reserve', hold: 3, reserveBytes: 5 * mebibyte });
    expect(sent.at(-1)?.message).toMatchObject({
      type: 'held.verdict',
      hold: 3,
      refusal: expect.any(String),
    });
    desk.received(1, { type: 'held.over', hold: 3, outcome: 'passed' });
    desk.received(1, { type: 'held.over', hold: 1, outcome: 'released' });
    expect(ask(1, 4, 64 * mebibyte)).toBeNull();
    expect(desk.status().passed).toBe(2);
  });

  it('leaves nobody waiting when the agent ends', async () => {
    ask(1, 1);
    ask(1, 2);
    desk.received(1, { type: 'held.gone', hold: 2 });
    const done = desk.drop('1-1');
    desk.close();
    await expect(done).rejects.toMatchObject({ code: 'held-not-found' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('remembers what became of the last 1,000', async () => {
    for (let hold = 1; hold <= 1001; hold++) {
      ask(1, hold);
      desk.received(1, { type: 'held.over', hold, outcome: 'released' });
    }
    await expect(desk.get('1-1')).rejects.toMatchObject({ details: { outcome: null } });
    await expect(desk.get('1-2')).rejects.toMatchObject({ details: { outcome: 'released' } });
  });
});
