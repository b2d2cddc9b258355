import { describe, expect, it } from 'vitest';
import type { FlowRecord, FlowSink } from '../../../../../src-main/engine/capture/flow-record.ts';
import {
  ByteBursts,
  burstsPerFlowLimit,
  turnsPerFlow,
} from '../../../../../src-main/engine/proxy/byte-bursts.ts';
import { FlowMessages } from '../../../../../src-main/engine/proxy/flow-messages.ts';
import {
  messageBurstLimit,
  MessageRate,
  messagesPerSecondLimit,
} from '../../../../../src-main/engine/proxy/message-rate.ts';
import { messagesPerFlowLimit } from '../../../../../src-shared/flow/message.ts';

const sink = { messages: () => undefined, record: () => undefined } as unknown as FlowSink;

function messagesOf(rate?: MessageRate) {
  const flow = { id: 'f', startedAtMs: 0, messages: null } as unknown as FlowRecord;
  return { flow, messages: new FlowMessages(flow, sink, () => undefined, rate) };
}

const command = (at: number, error: string | null = null) =>
  ({ type: 'command', direction: 'request', sizeBytes: 1, at, error }) as const;

describe('the messages that a worker keeps', () => {
  it('are bounded over all its flows, and those beyond are counted by theirs', () => {
    const rate = new MessageRate();
    const flows = [1, 2, 3].map(() => messagesOf(rate));
    for (let told = 0; told < messageBurstLimit; told++)
      for (const { messages } of flows) messages.tell(command(5_000));
    const kept = flows.map(({ messages }) => messages.take().length);
    expect(kept.reduce((sum, count) => sum + count, 0)).toBe(messageBurstLimit);
    for (const [index, { flow }] of flows.entries()) {
      expect(flow.messages?.count).toBe(messageBurstLimit);
      expect((flow.messages?.dropped ?? 0) + (kept[index] ?? 0)).toBe(messageBurstLimit);
    }
    // A second later there is room for more, but not for all.
    expect(flows[0]?.messages.wants(5_001)).toBe(false);
    const later = messagesOf(rate);
    for (let told = 0; told < 2 * messagesPerSecondLimit; told++) later.messages.tell(command(6_000));
    expect(later.messages.take()).toHaveLength(messagesPerSecondLimit);
  });

  it('are errors before all others', () => {
    const rate = new MessageRate();
    const { messages } = messagesOf(rate);
    const other = messagesOf(rate);
    for (let told = 0; told < messagesPerFlowLimit; told++) messages.tell(command(5_000));
    other.messages.tell(command(5_000));
    other.messages.tell(command(5_000, 'ERR no such key'));
    expect(other.messages.take()).toMatchObject([{ index: 1, error: 'ERR no such key' }]);
    expect(other.flow.messages).toEqual({ count: 2, dropped: 1 });
  });

  it('are not wanted in a flow that is full', () => {
    const { messages, flow } = messagesOf();
    for (let told = 0; told < messagesPerFlowLimit; told++) messages.tell(command(told));
    expect(messages.wants(1e9)).toBe(false);
    messages.skip();
    expect(flow.messages).toEqual({ count: messagesPerFlowLimit + 1, dropped: 1 });
  });
});

describe('bytes that nobody can read', () => {
  function burstsWith() {
    let now = 0;
    const { messages, flow } = messagesOf();
    const bursts = new ByteBursts(messages, () => now);
    const pass = (direction: 'request' | 'response', at: number, sizeBytes = 10): void => {
      now = at;
      bursts.bytes(direction, sizeBytes, at);
    };
    return { flow, messages, bursts, pass, at: (ms: number) => (now = ms) };
  }

  it('are turns at first, and then what each direction said in a tenth of a second', () => {
    const { messages, bursts, pass } = burstsWith();
    for (let turn = 0; turn < 2_000; turn++) pass(turn % 2 === 0 ? 'request' : 'response', turn);
    bursts.end();
    const told = messages.take();
    expect(told.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(20_000);
    expect(told.slice(0, turnsPerFlow).every(({ sizeBytes }) => sizeBytes === 10)).toBe(true);
    expect(told.length).toBeLessThanOrEqual(turnsPerFlow + 2 * 21);
    const merged = told.slice(turnsPerFlow, -2);
    expect(merged.every(({ sizeBytes }) => sizeBytes >= 10 * 45 && sizeBytes <= 10 * 55)).toBe(true);
    expect(merged.some(({ direction }) => direction === 'request')).toBe(true);
    expect(merged.some(({ direction }) => direction === 'response')).toBe(true);
  });

  it('that one side says once and the other answers late are told when a batch asks, and once', () => {
    const { messages, pass, at } = burstsWith();
    for (let turn = 0; turn <= turnsPerFlow; turn++) pass(turn % 2 === 0 ? 'request' : 'response', turn);
    pass('request', 1_000);
    messages.take();
    expect(messages.isWaiting).toBe(true);
    at(1_200);
    expect(messages.take()).toMatchObject([{ direction: 'request', atMs: 1_000 }]);
    expect(messages.isWaiting).toBe(false);
  });

  it('beyond the bound of bursts are counted', () => {
    const { flow, messages, bursts, pass } = burstsWith();
    for (let burst = 0; burst < burstsPerFlowLimit + 20; burst++) pass('request', burst * 100);
    bursts.end();
    expect(messages.take()).toHaveLength(burstsPerFlowLimit);
    expect(flow.messages).toEqual({ count: burstsPerFlowLimit + 20, dropped: 20 });
  });
});
