import { describe, expect, it } from 'vitest';
import type {
  HeldToPrimary,
  HoldAct,
  HoldReply,
} from '../../../../../../src-main/engine/breakpoints/held-messages.ts';
import { WorkerHolds } from '../../../../../../src-main/engine/breakpoints/worker-holds.ts';
import { HoldBudget } from '../../../../../../src-main/engine/rules/hold-budget.ts';
import type { FaultInput } from '../../../../../../src-shared/rules/fault.ts';
import { linkIn } from '../link-harness.ts';

const message = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-A: 1\r\n\r\nabcdef';
const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\nx-t: 1\r\n\r\n';
const onResponse: FaultInput = { type: 'breakpoint', at: 'response', timeoutMs: 5000 };

/** A link with a breakpoint, and a primary of which the test decides. */
function scene(fault: FaultInput = onResponse, limitBytes?: number) {
  const told: HeldToPrimary[] = [];
  const holds = new WorkerHolds((one) => void told.push(one));
  const budget = new HoldBudget(limitBytes);
  const link = linkIn(budget, fault);
  link.plan.breakpoints = holds;
  let asks = 0;
  const verdict = (refusal: string | null = null): void =>
    holds.received({ type: 'held.verdict', hold: 1, refusal });
  return {
    ...link,
    told,
    holds,
    budget,
    verdict,
    types: () => told.map(({ type }) => type),
    note: () => link.plan.applied()[0]?.note,
    /** Pushes pieces, and what the stage does when all that came together is there. */
    begin: async (pieces: readonly string[], text = message): Promise<void> => {
      const isChunked = text === chunked;
      const headBytes = text.indexOf('\r\n\r\n') + 4;
      const framing = isChunked ? 'chunked' : 'length';
      link.shape({ headBytes, bodyBytes: isChunked ? null : 6, httpVersion: '1.1', framing });
      for (const piece of pieces) link.push(piece);
      await Promise.resolve();
    },
    act: async (act: HoldAct): Promise<HoldReply> => {
      const ask = (asks += 1);
      holds.received({ type: 'held.act', ask, hold: 1, act });
      for (;;) {
        const reply = told.find((one) => one.type === 'held.reply' && one.ask === ask);
        if (reply?.type === 'held.reply') return reply.reply;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** The text whole, and cut in two at each place. */
function splits(text: string): string[][] {
  const cuts = Array.from({ length: text.length - 1 }, (_, at) => [
    text.slice(0, at + 1),
    text.slice(at + 1),
  ]);
  return [[text], ...cuts];
}

describe('a breakpoint', () => {
  it.each([
    ['a length', message],
    ['chunks', chunked],
  ])(
    'lets nothing out before it is released, then all of it: with %s, in every split',
    async (_what, text) => {
      for (const pieces of splits(text)) {
        const one = scene();
        await one.begin(pieces, text);
        one.verdict();
        one.link.end();
        expect(one.text()).toBe('');
        expect(await one.act({ kind: 'release', edit: {} })).toEqual({ kind: 'done', outcome: 'released' });
        expect(one.text()).toBe(`${text}END`);
        expect(one.budget.heldBytes).toBe(0);
        expect(one.clock.pendingTimers).toBe(0);
      }
    },
  );

  it.each([
    ['a length', message, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nhiEND'],
    [
      'chunks',
      chunked,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-t: 1\r\n\r\nEND',
    ],
  ])('frames an edited body: with %s, in every split', async (_what, text, expected) => {
    for (const pieces of splits(text)) {
      const one = scene();
      await one.begin(pieces, text);
      one.verdict();
      one.link.end();
      const edit = { body: Buffer.from('hi').toString('base64') };
      expect(await one.act({ kind: 'release', edit })).toEqual({ kind: 'done', outcome: 'edited' });
      expect(one.text()).toBe(expected);
      expect(one.budget.heldBytes).toBe(0);
    }
  });

  it('changes a head whose body follows, in every split', async () => {
    for (const [first = '', second = ''] of splits(message)) {
      const one = scene();
      await one.begin([first]);
      if (!first.includes('\r\n\r\n')) continue;
      one.verdict();
      await one.act({ kind: 'release', edit: { status: 404 } });
      one.push(second);
      one.link.end();
      expect(one.text()).toBe(message.replace('200 OK', '404 Not Found') + 'END');
      expect(one.budget.heldBytes).toBe(0);
    }
  });

  it('asks once for what came together, and tells what comes later', async () => {
    const one = scene();
    await one.begin([message.slice(0, -3)]);
    expect(one.told).toMatchObject([
      { type: 'held.ask', reserveBytes: 6, facts: { sizeBytes: 3, status: 200 } },
    ]);
    one.verdict();
    one.push(message.slice(-3));
    one.link.end();
    expect(one.told.slice(1)).toEqual([{ type: 'held.size', hold: 1, sizeBytes: 6 }]);
  });

  it('passes when the primary refuses, and its mark says why', async () => {
    const one = scene();
    await one.begin([message]);
    one.verdict('200 calls are held already');
    one.link.end();
    expect(one.text()).toBe(`${message}END`);
    expect(one.note()).toBe('the response was not held: 200 calls are held already');
    expect(one.clock.pendingTimers).toBe(0);
    expect(await one.act({ kind: 'release', edit: {} })).toEqual({ kind: 'over' });
  });

  it('passes where nobody could ever release it', () => {
    const { shape, push, text, plan } = linkIn(new HoldBudget(), onResponse);
    shape({ headBytes: message.length - 6, bodyBytes: 6, httpVersion: '1.1', framing: 'length' });
    push(message);
    return Promise.resolve().then(() => {
      expect(text()).toBe(message);
      expect(plan.applied()[0]?.note).toBe('the response was not held: Spike stops');
    });
  });

  it('passes when rules hold as much as they may', async () => {
    const one = scene(onResponse, 40);
    await one.begin([message]);
    expect(one.text()).toBe(message);
    expect(one.note()).toBe('the response was not held: rules hold 40 bytes already');
    expect(one.budget.takeCounts().leftMessages).toBe(1);
    expect(one.told).toEqual([]);
  });

  it.each([
    ['release', `${message}END`, 'released by its time-out'],
    ['drop', 'RST', 'dropped by its time-out'],
  ] as const)('is over when its time is: %s', async (onTimeout, expected, how) => {
    const one = scene({ ...onResponse, onTimeout });
    await one.begin([message]);
    one.verdict();
    one.link.end();
    one.clock.advance(4999);
    expect(one.text()).toBe('');
    one.clock.advance(1);
    expect(one.text()).toBe(expected);
    expect(one.note()).toBe(`was held for 5 s at the response, ${how}`);
    expect(one.told.at(-1)).toEqual({ type: 'held.over', hold: 1, outcome: 'timed-out' });
  });

  it('lets go at once when its rule is turned off: before it was admitted, while it is held, and while it is edited', async () => {
    for (const isAdmitted of [false, true]) {
      const one = scene();
      await one.begin([message]);
      if (isAdmitted) one.verdict();
      one.link.end();
      const rule = one.rules[0];
      if (rule === undefined) throw new Error('no rule');
      const edit = one.act({ kind: 'release', edit: { body: 'YQ==' } });
      expect(one.plan.release(rule)).toBe(true);
      expect(one.text()).toBe(`${message}END`);
      expect(await edit).toEqual({ kind: 'over' });
      expect(one.text()).toBe(`${message}END`);
      expect(one.told).toContainEqual({ type: 'held.over', hold: 1, outcome: 'rule-off' });
      expect(one.plan.applied()[0]?.outcome).toBe('released');
    }
  });

  it('is decided once, by who is first', async () => {
    const one = scene();
    await one.begin([message]);
    one.verdict();
    one.link.end();
    const replies = [{ body: 'YQ==' }, { body: 'YWE=' }, {}].map((edit) =>
      one.act({ kind: 'release', edit }),
    );
    const kinds = (await Promise.all(replies)).map(({ kind }) => kind);
    // Nothing has to be made for the last one.
    expect(kinds).toEqual(['over', 'over', 'done']);
    expect(one.text().match(/HTTP\/1.1/g)).toHaveLength(1);
    expect(one.types().filter((type) => type === 'held.over')).toHaveLength(1);
  });

  it('keeps a message whose caller has gone for reading, until it is forgotten', async () => {
    const one = scene();
    await one.begin([message]);
    one.verdict();
    one.link.end();
    one.plan.isCallerGone = true;
    one.plan.dispose();
    expect(one.types()).toEqual(['held.ask', 'held.size', 'held.gone']);
    expect(await one.act({ kind: 'read' })).toMatchObject({
      kind: 'view',
      view: { message: { status: 200 } },
    });
    expect(await one.act({ kind: 'release', edit: {} })).toEqual({ kind: 'over' });
    one.holds.received({ type: 'held.forget', hold: 1 });
    expect(await one.act({ kind: 'read' })).toEqual({ kind: 'over' });
    expect(one.text()).toBe('');
    expect(one.clock.pendingTimers).toBe(0);
    expect(one.budget.heldBytes).toBe(0);
  });

  it('asks for more room when a body without a length grows, and is told that there is none', async () => {
    const one = scene();
    await one.begin([chunked.slice(0, chunked.indexOf('3\r\n'))], chunked);
    one.verdict();
    const half = 'x'.repeat(600_000);
    const chunk = `${half.length.toString(16)}\r\n${half}\r\n`;
    one.push(chunk);
    expect(one.told.at(-1)).toEqual({ type: 'held.reserve', hold: 1, reserveBytes: 10 * 1024 ** 2 });
    one.verdict('with its body more than 64 MiB would be held');
    expect(one.told.at(-1)).toEqual({ type: 'held.over', hold: 1, outcome: 'passed' });
    expect(one.text()).toHaveLength(chunked.indexOf('3\r\n') + chunk.length);
    expect(one.note()).toMatch(/let go: with its body more than 64 MiB would be held$/);
  });
});
