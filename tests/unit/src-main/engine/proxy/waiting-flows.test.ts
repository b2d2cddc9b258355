import { expect, test } from 'vitest';
import { bodyOf, manualClock } from '../capture/flow-records.ts';
import { finishFlow } from '../../../../../src-main/engine/proxy/new-flow.ts';
import type { ClientFacts } from '../../../../../src-main/engine/proxy/environment.ts';
import { WaitingFlows } from '../../../../../src-main/engine/proxy/waiting-flows.ts';
import { flowRecord } from '../../../../support/flow-record.ts';

/** A client whose name is being looked up. */
function setUp(maxFlows: number, maxBodyBytes: number) {
  const recorded: string[] = [];
  const lookup = Promise.withResolvers<void>();
  const caller = {
    current: { name: '127.0.0.1', resolvedBy: 'address' as const, pid: null },
    ready: lookup.promise,
  };
  const facts = { caller } as unknown as ClientFacts;
  const environment = {
    clock: manualClock(),
    waiting: new WaitingFlows({ maxFlows, maxBodyBytes }),
    sink: {
      record: (flow: { id: string; caller: { name: string } }) =>
        void recorded.push(`${flow.id} ${flow.caller.name}`),
      messages: () => undefined,
    },
  };
  const finish = (id: string, bodyBytes = 0, settled: Promise<void> | null = null): void => {
    const flow = flowRecord({ id, responseBody: bodyOf(Buffer.alloc(bodyBytes)) });
    finishFlow(environment, flow, facts, null, null, settled);
  };
  const found = async (): Promise<void> => {
    caller.current = { name: 'checkout', resolvedBy: 'address', pid: null };
    lookup.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { recorded, finish, found };
}

test('flows wait for the name of their caller; those without room go under the name that is known', async () => {
  const { recorded, finish, found } = setUp(2, 1000);
  for (const id of ['a', 'b', 'c']) finish(id);
  expect(recorded).toEqual(['c 127.0.0.1']);
  await found();
  expect(recorded).toEqual(['c 127.0.0.1', 'a checkout', 'b checkout']);
  finish('d');
  finish('e');
  await found();
  expect(recorded.slice(3)).toEqual(['d checkout', 'e checkout']);
});

test('what bodies hold counts as well', async () => {
  const { recorded, finish, found } = setUp(100, 1000);
  finish('a', 900);
  finish('b', 200);
  finish('c', 100);
  expect(recorded).toEqual(['b 127.0.0.1']);
  await found();
  expect(recorded).toEqual(['b 127.0.0.1', 'a checkout', 'c checkout']);
});

test('the last message of a flow is always waited for', async () => {
  const { recorded, finish, found } = setUp(0, 0);
  const message = Promise.withResolvers<void>();
  finish('a', 0, message.promise);
  await found();
  expect(recorded).toEqual([]);
  message.resolve();
  await found();
  expect(recorded).toEqual(['a checkout']);
});
