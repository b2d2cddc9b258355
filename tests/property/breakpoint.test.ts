// Whatever happens to a held message in whatever order: one thing becomes of it, said once, and nothing is kept.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { HeldToPrimary, HoldAct } from '../../src-main/engine/breakpoints/held-messages.ts';
import { WorkerHolds } from '../../src-main/engine/breakpoints/worker-holds.ts';
import { HoldBudget } from '../../src-main/engine/rules/hold-budget.ts';
import { linkIn } from '../unit/src-main/engine/rules/link-harness.ts';

const head = 'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-A: 1\r\n\r\n';
const original = `${head}abcdefghijkl`;
const answer = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno';
/** All that may come out in the end. */
const whole = new Set([
  `${original}END`,
  `${original.replace('200 OK', '404 Not Found')}END`,
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nhiEND',
  `${answer}END`,
  'RST',
]);

type Step =
  | { readonly do: 'push'; readonly bytes: number }
  | { readonly do: 'end' | 'verdict' | 'refusal' | 'off' | 'stop' | 'time' | 'wait' }
  | { readonly do: 'act'; readonly act: HoldAct };

const acts: HoldAct[] = [
  { kind: 'read' },
  { kind: 'release', edit: {} },
  { kind: 'release', edit: { status: 404 } },
  { kind: 'release', edit: { body: 'aGk=' } },
  { kind: 'release', edit: { method: 'PUT' } },
  { kind: 'drop' },
  { kind: 'answer', answer: { status: 500, headers: [], body: 'bm8=' } },
];
const simple = (['end', 'verdict', 'refusal', 'off', 'stop', 'time', 'wait'] as const).map((one) =>
  fc.constant<Step>({ do: one }),
);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('push' as const), bytes: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('act' as const), act: fc.constantFrom(...acts) }) },
  ...simple.map((arbitrary) => ({ weight: 1, arbitrary })),
);
/** Most interesting is what happens once it is held; of the body so much has come then. */
const beginning = fc.option(fc.integer({ min: 0, max: 12 }), { freq: 4 });

it('is decided once, in any order of events, and comes out whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      beginning,
      fc.boolean(),
      fc.boolean(),
      async (steps, bodyBytes, drops, isGone) => {
        const told: HeldToPrimary[] = [];
        const holds = new WorkerHolds((message) => void told.push(message));
        const budget = new HoldBudget();
        const onTimeout = drops ? 'drop' : 'release';
        const link = linkIn(budget, { type: 'breakpoint', at: 'response', timeoutMs: 1000, onTimeout });
        link.plan.breakpoints = holds;
        link.shape({ headBytes: head.length, bodyBytes: 12, httpVersion: '1.1', framing: 'length' });
        const types = (type: string): number => told.filter((message) => message.type === type).length;
        let pushed = 0;
        let hasEnded = false;
        let isJudged = false;
        let asks = 0;
        const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
        const push = (bytes: number): void => {
          if (pushed < original.length) link.push(original.slice(pushed, pushed + bytes));
          pushed += bytes;
        };
        const end = (): void => {
          if (hasEnded || pushed < original.length) return;
          hasEnded = true;
          link.link.end();
        };
        const judge = (refusal: string | null): void => {
          if (isJudged || types('held.ask') === 0) return;
          isJudged = true;
          holds.received({ type: 'held.verdict', hold: 1, refusal });
        };
        if (bodyBytes !== null) {
          push(head.length + bodyBytes);
          await turn();
          judge(null);
        }
        for (const one of steps) {
          if (one.do === 'push') push(one.bytes);
          else if (one.do === 'act')
            holds.received({ type: 'held.act', ask: (asks += 1), hold: 1, act: one.act });
          else if (one.do === 'end') end();
          else if (one.do === 'verdict') judge(null);
          else if (one.do === 'refusal') judge('there is no room');
          else if (one.do === 'off') link.plan.release(link.rules[0] as never);
          else if (one.do === 'stop') holds.stop();
          else if (one.do === 'time') link.clock.advance(700);
          else await turn();
        }
        push(original.length);
        end();
        await turn();
        judge(null);
        await turn();
        if (isGone) {
          link.plan.isCallerGone = true;
          link.plan.dispose();
        } else link.clock.advance(1000);
        await turn();

        expect(types('held.reply')).toBe(asks);
        const refused = link.plan.applied().some(({ note }) => note.includes('was not held'));
        const isShown = types('held.gone');
        expect(types('held.over') + isShown).toBe(
          types('held.ask') - (refused && types('held.ask') > 0 ? 1 : 0),
        );
        if (isShown === 0) expect(whole).toContain(link.text());
        else expect(link.text()).toBe('');
        if (!isGone && link.text() !== 'RST') expect(link.link.heldBytes).toBe(0);
        expect(link.clock.pendingTimers).toBe(0);
        link.plan.dispose();
        expect(budget.heldBytes).toBe(0);
        expect(link.plan.applied().every(({ outcome }) => outcome !== 'acting')).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
