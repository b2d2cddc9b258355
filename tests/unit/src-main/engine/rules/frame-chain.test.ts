import { describe, expect, it } from 'vitest';
import { FaultPlan } from '../../../../../src-main/engine/rules/fault-plan.ts';
import { FrameChain } from '../../../../../src-main/engine/rules/frame-chain.ts';
import { HoldBudget } from '../../../../../src-main/engine/rules/hold-budget.ts';
import { Link } from '../../../../../src-main/engine/rules/link.ts';
import type { FaultInput } from '../../../../../src-shared/rules/fault.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';
import { ruleEach } from './link-harness.ts';

/** A frame of a server (RFC 6455, section 5.2). */
function frame(first: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([first, payload.length])
      : Buffer.from([first, 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, payload]);
}

const text = frame(0x81, 'text');
const begun = frame(0x01, 'one ');
const ping = frame(0x89, 'p');
const ended = frame(0x80, 'two');
const binary = frame(0x82, 'b'.repeat(200));
const empty = frame(0x81, '');
const stream = Buffer.concat([text, begun, ping, ended, empty, binary]);

/** The frames of a response with rules that can be turned on and off; what comes out is gathered. */
function chainWith(...faults: FaultInput[]) {
  return chainIn(new HoldBudget(), ...faults);
}

function chainIn(budget: HoldBudget, ...faults: FaultInput[]) {
  const clock = new ManualClock(0);
  const rules = ruleEach(faults);
  const plan = new FaultPlan([], clock, () => 0.5, 0, budget);
  const out: Record<'request' | 'response', Buffer[]> = { request: [], response: [] };
  const events: string[] = [];
  const source = { pause: () => void events.push('pause'), resume: () => void events.push('resume') };
  const output = (direction: 'request' | 'response') => ({
    write: (bytes: Buffer) => void out[direction].push(bytes),
    end: () => void events.push(`${direction} ended`),
    reset: () => void events.push('reset'),
    close: () => void events.push('closed'),
  });
  const chains = {
    request: new FrameChain('request', output('request'), source, budget),
    response: new FrameChain('response', output('response'), source, budget),
  };
  const links = {
    request: new Link(output('request'), source, budget),
    response: new Link(output('response'), source, budget),
  };
  return {
    clock,
    plan,
    chains,
    events,
    on: () => {
      const hits = rules.map((rule) => ({ rule, retryAfterMs: null, holds: false }));
      plan.extend(hits, links, undefined, chains);
    },
    off: () => rules.map((rule) => plan.release(rule)),
    bytes: (direction: 'request' | 'response' = 'response') => Buffer.concat(out[direction]),
  };
}

const cuts = Array.from({ length: stream.length + 1 }, (_, at) => at);

describe('frames of a WebSocket', () => {
  it('dropped at every split: nothing else is touched', () => {
    for (const cut of cuts) {
      const scene = chainWith({ type: 'ws-drop', frames: 'text' });
      scene.on();
      scene.chains.response.push(stream.subarray(0, cut));
      scene.chains.response.push(stream.subarray(cut));
      expect(scene.bytes()).toEqual(Buffer.concat([ping, binary]));
      expect(scene.plan.heldBytes).toBe(0);
      expect(scene.plan.applied()).toMatchObject([{ messages: 3 }]);
    }
  });

  it('byte by byte, with none that is chosen: as they came', () => {
    const scene = chainWith({ type: 'ws-drop', share: 0 }, { type: 'ws-corrupt', share: 0 });
    scene.on();
    for (const byte of stream) scene.chains.response.push(Buffer.from([byte]));
    expect(scene.bytes()).toEqual(stream);
    expect(scene.plan.heldBytes).toBe(0);
  });

  it('turned on and off at every byte: what comes out is still frames, and the last one is there', () => {
    for (const on of cuts) {
      for (const off of cuts.filter((at) => at >= on && at % 7 === 0)) {
        const scene = chainWith({ type: 'ws-drop', frames: 'text' });
        scene.chains.response.push(stream.subarray(0, on));
        scene.on();
        scene.chains.response.push(stream.subarray(on, off));
        scene.off();
        scene.chains.response.push(stream.subarray(off));
        const left = scene.bytes().toString('latin1');
        const frames = [text, begun, ping, ended, empty, binary].filter((one, index) => {
          const from = [text, begun, ping, ended, empty, binary]
            .slice(0, index)
            .reduce((sum, { length }) => sum + length, 0);
          const messageFrom = one === ended ? text.length : from;
          const isText = one !== ping && one !== binary;
          // It is chosen when its first head is whole, and none of it had passed.
          const isChosen = isText && messageFrom >= on && messageFrom + 2 <= off;
          return !isChosen;
        });
        expect(left, `${on} ${off}`).toBe(Buffer.concat(frames).toString('latin1'));
      }
    }
  });

  it('bytes in which no frames can be found any more pass, in their order', () => {
    const tooLong = Buffer.concat([Buffer.from([0x82, 127]), Buffer.alloc(8, 0xff), Buffer.from('rest')]);
    for (const cut of [0, 3, 10, 12]) {
      const scene = chainWith({ type: 'ws-drop', frames: 'any' });
      scene.on();
      scene.chains.response.push(Buffer.concat([text, tooLong.subarray(0, cut)]));
      scene.chains.response.push(tooLong.subarray(cut));
      scene.chains.response.push(Buffer.from('more'));
      expect(scene.bytes()).toEqual(Buffer.concat([tooLong, Buffer.from('more')]));
    }
  });

  it('a close waits for the end of the frame at hand, and for both sides, but not for ever', () => {
    const scene = chainWith({ type: 'ws-close', code: 4000, reason: 'no' });
    scene.chains.response.push(binary.subarray(0, 100));
    scene.on();
    expect(scene.bytes('request')).toHaveLength(6 + 4);
    scene.chains.response.push(Buffer.concat([binary.subarray(100), text]));
    const close = Buffer.from([0x88, 4, 4000 >> 8, 4000 & 255, 0x6e, 0x6f]);
    expect(scene.bytes()).toEqual(Buffer.concat([binary, close]));
    expect(scene.events).toEqual([]);
    scene.clock.advance(2000);
    expect(scene.events).toEqual(['closed']);
    expect(scene.plan.heldBytes).toBe(0);
  });

  it.each<FaultInput>([
    { type: 'ws-delay', delayMs: 100 },
    { type: 'ws-duplicate' },
    { type: 'ws-drop', frames: 'text' },
    { type: 'ws-corrupt' },
    { type: 'ws-close', code: 4000, reason: 'no', afterMessages: 3 },
  ])('what $type holds is given back, turned off or gone at every byte', (fault) => {
    for (const cut of cuts) {
      for (const goes of [true, false]) {
        const budget = new HoldBudget();
        const scene = chainIn(budget, fault);
        scene.on();
        scene.chains.response.push(stream.subarray(0, cut));
        expect(budget.heldBytes).toBeGreaterThanOrEqual(scene.plan.heldBytes);
        if (goes) scene.plan.dispose();
        else scene.off();
        if (!goes) scene.chains.response.push(stream.subarray(cut));
        expect(budget.heldBytes, `${cut}`).toBe(0);
      }
    }
  });

  it('a message is not kept to be sent twice while rules hold as much as they may', () => {
    const budget = new HoldBudget(1_000);
    const scene = chainIn(budget, { type: 'ws-duplicate' });
    scene.on();
    scene.chains.response.push(text);
    budget.take(1_000);
    scene.chains.response.push(binary);
    budget.giveBack(1_000);
    scene.chains.response.push(text);
    expect(scene.bytes()).toEqual(Buffer.concat([text, text, binary, text, text]));
    expect(scene.plan.applied()[0]?.note).toBe(
      'sent 3 messages of the response twice, but for 1 while rules held 1,000 bytes already',
    );
    expect(budget.takeCounts().leftMessages).toBe(1);
    expect(budget.heldBytes).toBe(0);
  });

  it('held for long tells the source to wait; disposed, nothing is left', () => {
    const scene = chainWith({ type: 'ws-delay', delayMs: 1000 });
    scene.on();
    const large = frame(0x82, 'b'.repeat(60_000));
    for (let i = 0; i < 20; i++) scene.chains.response.push(large);
    expect(scene.events).toEqual(['pause']);
    scene.chains.response.end();
    scene.clock.advance(1000);
    expect(scene.events).toEqual(['pause', 'resume', 'response ended']);
    expect(scene.bytes()).toHaveLength(20 * large.length);
    scene.chains.response.push(large);
    scene.plan.dispose();
    expect(scene.clock.pendingTimers).toBe(0);
  });
});
