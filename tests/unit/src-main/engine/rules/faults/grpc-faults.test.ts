import { describe, expect, it } from 'vitest';
import { linkWith } from '../link-harness.ts';

const head = 'HTTP/2 200 \r\ncontent-type: application/grpc\r\n\r\n';

/** A message of gRPC over HTTP/2: flag, length, content. */
function message(content: string): string {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(content.length, 1);
  return prefix.toString('latin1') + content;
}

const first = message('first');
const empty = message('');
const third = message('x'.repeat(300));
const call = head + first + empty + third;

function scene(...faults: Parameters<typeof linkWith>) {
  const made = linkWith(...faults);
  made.shape({ headBytes: head.length, httpVersion: '2', framing: 'stream' });
  const push = (text: string) => made.link.push(Buffer.from(text, 'latin1'));
  return { ...made, push };
}

describe('messages of a gRPC call at every cut', () => {
  const cuts = Array.from({ length: call.length + 1 }, (_, at) => at);

  it('each is late, the head is not, and nothing is lost', () => {
    for (const cut of cuts) {
      const { push, link, clock, out, text, plan } = scene({ type: 'grpc-delay', delayMs: 100 });
      push(call.slice(0, cut));
      push(call.slice(cut));
      link.end();
      expect(
        out
          .filter(({ at }) => at < 100)
          .map((one) => one.text)
          .join(''),
      ).toBe(head);
      clock.advance(100);
      expect(text()).toBe(`${call}END`);
      expect(plan.applied()).toMatchObject([{ messages: 3, outcome: 'done', delayedMs: 100 }]);
      expect(plan.heldBytes).toBe(0);
    }
  });

  it.each([
    [0, head],
    [1, head + first],
    [2, head + first + empty],
    [3, call],
  ])('the call ends after %i of them', (afterMessages, passed) => {
    for (const cut of cuts) {
      const { push, link, text, plan } = scene({ type: 'grpc-abort', afterMessages });
      push(call.slice(0, cut));
      push(call.slice(cut));
      link.end();
      expect(text()).toBe(`${passed}END`);
      expect(plan.applied()).toMatchObject([{ messages: afterMessages, code: 14, outcome: 'done' }]);
      expect(plan.heldBytes).toBe(0);
    }
  });

  it('turned off anywhere, all that was held comes, and all that follows', () => {
    for (const cut of cuts) {
      const made = scene({ type: 'grpc-delay', delayMs: 100 });
      made.push(call.slice(0, cut));
      made.plan.release(made.rules[0]!);
      made.push(call.slice(cut));
      made.link.end();
      expect(made.text()).toBe(`${call}END`);
      expect(made.clock.pendingTimers).toBe(0);
    }
  });

  it('what is no message passes as the rest of one', () => {
    const { push, link, clock, text } = scene({ type: 'grpc-delay', delayMs: 100 });
    push(`${head}not gRPC at all, whatever its head says`);
    push(' and more');
    link.end();
    clock.advance(100);
    expect(text()).toBe(`${head}not gRPC at all, whatever its head says and moreEND`);
  });
});
