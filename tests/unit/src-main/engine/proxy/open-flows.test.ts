import { expect, test } from 'vitest';
import type { FlowRecord } from '../../../../../src-main/engine/capture/flow-record.ts';
import { OpenFlows } from '../../../../../src-main/engine/proxy/open-flows.ts';
import type { OpenFlow } from '../../../../../src-main/engine/proxy/open-flows.ts';
import { flowRecord } from '../../../../support/flow-record.ts';
import { manualClock } from '../capture/flow-records.ts';

function setUp() {
  const clock = manualClock();
  const recorded: string[] = [];
  const flows = new OpenFlows(clock, {
    record: (flow) => void recorded.push(flow.id),
    messages: () => undefined,
  });
  const begin = (id: string): OpenFlow => {
    const flow: OpenFlow = {
      startedAtMs: clock.now(),
      isNamed: true,
      openAt: -1,
      snapshot: (): FlowRecord => flowRecord({ id, durationMs: -1 }),
    };
    flows.add(flow);
    return flow;
  };
  const open = (): string[] => [...flows.snapshots()].map(({ id }) => id);
  return { clock, recorded, flows, begin, open };
}

test('flows leave in any order, once, and those that stay are told in the order of their start', () => {
  const { clock, flows, begin, open } = setUp();
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const begun = ids.map((id) => {
    clock.advance(1);
    return begin(id);
  });
  flows.remove(begun[1]!);
  flows.remove(begun[1]!);
  expect(open()).toEqual(['a', 'c', 'd', 'e']);
  flows.remove(begun[4]!);
  flows.remove(begun[0]!);
  expect(open()).toEqual(['c', 'd']);
  expect(flows.size).toBe(2);
  clock.advance(1);
  flows.add(begun[1]!);
  expect(open()).toEqual(['b', 'c', 'd']);
  for (const flow of begun) flows.remove(flow);
  expect(flows.size).toBe(0);
});

test('only what is open for long is recorded before it ends, and again once a second', () => {
  const { clock, recorded, flows, begin } = setUp();
  const long = begin('long');
  const short = begin('short');
  clock.advance(250);
  flows.remove(short);
  clock.advance(250);
  expect(recorded).toEqual(['long']);
  clock.advance(500);
  expect(recorded).toEqual(['long']);
  clock.advance(500);
  expect(recorded).toEqual(['long', 'long']);
  flows.remove(long);
  clock.advance(5000);
  expect(recorded).toHaveLength(2);
  flows.close();
});
