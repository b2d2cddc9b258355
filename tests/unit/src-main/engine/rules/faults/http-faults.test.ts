import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { longestCollectedBytes } from '../../../../../../src-main/engine/rules/faults/message-stage.ts';
import type { MessageShape } from '../../../../../../src-main/engine/rules/faults/stage.ts';
import { linkHoldLimitBytes } from '../../../../../../src-main/engine/rules/link.ts';
import type { FaultInput } from '../../../../../../src-shared/rules/fault.ts';
import { linkWith } from '../link-harness.ts';

type Scene = ReturnType<typeof linkWith>;

interface Message {
  readonly text: string;
  readonly shape: Omit<MessageShape, 'fields'>;
}

function message(head: string, body: string, shape: Partial<MessageShape>): Message {
  const text = `${head}\r\n\r\n`;
  const bodyBytes = shape.framing === 'length' ? body.length : null;
  return {
    text: text + body,
    shape: { headBytes: text.length, bodyBytes, httpVersion: '1.1', framing: 'length', ...shape },
  };
}

const line = 'HTTP/1.1 200 OK\r\nServer:  x';
const sized = message(`${line}\r\nContent-Length: 5`, 'hello', { framing: 'length' });
const chunked = message(
  `${line}\r\nTransfer-Encoding: chunked\r\nTrailer: X-T`,
  '2;a=b\r\nhe\r\n03\r\nllo\r\n0\r\nX-T: 1\r\n\r\n',
  { framing: 'chunked' },
);
const untilClose = message(`${line}\r\nConnection: close`, 'hello', { framing: 'until-close' });
const inHttp2 = message('HTTP/2 200 \r\nserver: x\r\ncontent-length: 5', 'hello', {
  framing: 'stream',
  httpVersion: '2',
});
const bodiless = message(`${line}\r\nContent-Length: 5`, '', { framing: 'none', bodyBytes: 0 });

/** Compression is done on other threads. */
async function untilEnd(scene: Scene): Promise<void> {
  const isOver = (): void => expect(scene.text()).toMatch(/(END|FIN|RST)$/);
  await vi.waitFor(isOver, { interval: 1, timeout: 10_000 });
}

/** Pushes pieces and the end, and waits until what is made of them has come out. */
async function pass(scene: Scene, { shape }: Message, pieces: readonly string[]): Promise<string> {
  scene.shape(shape);
  for (const piece of pieces) scene.push(piece);
  scene.link.end();
  await untilEnd(scene);
  return scene.text();
}

/** The text whole, in every two pieces, and in single bytes. */
function splits(text: string): string[][] {
  const pairs = Array.from({ length: text.length - 1 }, (_, at) => [
    text.slice(0, at + 1),
    text.slice(at + 1),
  ]);
  return [[text], ...pairs, [...text]];
}

async function inEverySplit(fault: FaultInput, made: Message, expected: string): Promise<void> {
  for (const pieces of splits(made.text)) {
    const scene = linkWith(fault);
    expect(await pass(scene, made, pieces)).toBe(expected);
    expect(scene.link.heldBytes).toBe(0);
    expect(scene.plan.applied()[0]?.outcome).toBe('done');
  }
}

const change: FaultInput = { type: 'headers', set: { 'x-a': ' 1 ' }, remove: ['SERVER'] };
const http1 = 'HTTP/1.1 200 OK\r\n';

describe('headers', () => {
  it.each([
    ['a length', sized, `${http1}Content-Length: 5\r\nx-a: 1\r\n\r\nhelloEND`],
    ['no end but the close', untilClose, `${http1}Connection: close\r\nx-a: 1\r\n\r\nhelloEND`],
    ['HTTP/2', inHttp2, 'HTTP/2 200 \r\ncontent-length: 5\r\nx-a: 1\r\n\r\nhelloEND'],
    ['no body', bodiless, `${http1}Content-Length: 5\r\nx-a: 1\r\n\r\nEND`],
  ])('of a message with %s, in every split', async (_what, made, expected) => {
    await inEverySplit(change, made, expected);
  });

  it('leaves chunks as they came', async () => {
    const body = chunked.text.slice(chunked.shape.headBytes);
    const head = `${http1}Transfer-Encoding: chunked\r\nTrailer: X-T\r\nx-a: 1\r\n\r\n`;
    await inEverySplit(change, chunked, `${head}${body}END`);
  });

  it('that are not there leave every byte as it came', async () => {
    await inEverySplit({ type: 'headers', remove: ['x-none'] }, sized, `${sized.text}END`);
  });

  it('changed twice are changed by both', async () => {
    const scene = linkWith(change, { type: 'headers', set: { 'X-A': '2' } });
    expect(await pass(scene, sized, [sized.text])).toContain('\r\nx-a: 2\r\n');
  });
});

describe('body', () => {
  const head = `${http1}Server: x\r\n`;

  it.each([
    ['a length', sized, `${head}Content-Length: 3\r\n\r\nnewEND`],
    ['chunks', chunked, `${head}Content-Length: 3\r\n\r\nnewEND`],
    ['no end but the close', untilClose, `${head}Connection: close\r\nContent-Length: 3\r\n\r\nnewEND`],
    ['HTTP/2', inHttp2, 'HTTP/2 200 \r\nserver: x\r\ncontent-length: 3\r\n\r\nnewEND'],
    ['no body', bodiless, `${bodiless.text}END`],
  ])('is replaced in a message with %s, in every split', async (_what, made, expected) => {
    await inEverySplit({ type: 'body', text: 'new' }, made, expected);
  });

  const dashes: FaultInput = { type: 'body', how: 'regex', pattern: 'l+', text: '--$&' };

  it.each([
    ['a length', sized, `${head}Content-Length: 7\r\n\r\nhe--lloEND`],
    [
      'chunks and trailers, which stay',
      chunked,
      `${head}Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n7\r\nhe--llo\r\n0\r\nX-T: 1\r\n\r\nEND`,
    ],
    ['HTTP/2', inHttp2, 'HTTP/2 200 \r\nserver: x\r\ncontent-length: 7\r\n\r\nhe--lloEND'],
  ])('is changed in a message with %s, in every split', async (_what, made, expected) => {
    await inEverySplit(dashes, made, expected);
  });

  it.each([
    ['is not in it', { how: 'regex', pattern: 'z', text: '' }, 'the pattern is not in it'],
    ['is no JSON', { how: 'json-patch', text: '[]' }, 'it is not JSON'],
  ] as const)('passes as it came when what is asked for %s', async (_what, how, why) => {
    const scene = linkWith({ type: 'body', ...how });
    expect(await pass(scene, chunked, [chunked.text])).toBe(`${chunked.text}END`);
    expect(scene.plan.applied()[0]?.note).toBe(`left the body of the response as it was: ${why}`);
  });

  it('passes as it came when its coding is not known, or is not what it says', async () => {
    for (const [coding, why] of [
      ['lzma', 'its coding lzma is not known'],
      ['gzip', 'it cannot be read as gzip'],
    ]) {
      const made = message(`${line}\r\nContent-Encoding: ${coding}\r\nContent-Length: 5`, 'hello', {});
      const scene = linkWith(dashes);
      expect(await pass(scene, { ...made, shape: { ...made.shape, bodyBytes: 5 } }, [made.text])).toBe(
        `${made.text}END`,
      );
      expect(scene.plan.applied()[0]?.note).toContain(why);
    }
  });

  it('that is no UTF-8 comes out as it went in, but for what is replaced', async () => {
    const made = message(`${line}\r\nContent-Length: 5`, '\xffllo\x80', { framing: 'length' });
    const scene = linkWith(dashes);
    scene.shape(made.shape);
    scene.link.push(Buffer.from(made.text, 'latin1'));
    scene.link.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(scene.text().endsWith('\xff--llo\x80END')).toBe(true);
  });

  it('tells those behind of its new length', async () => {
    const scene = linkWith({ type: 'body', text: '0123456789' }, { type: 'reset', at: 'mid-body' });
    expect(await pass(scene, sized, [sized.text])).toMatch(/\r\n\r\n01234RST$/);
  });

  it('is collected beyond what a link may hold, and not beyond its bound', async () => {
    const size = 4 * linkHoldLimitBytes;
    const made = message(line, 'l'.repeat(size), { framing: 'until-close', bodyBytes: null });
    const scene = linkWith({ type: 'body', how: 'regex', pattern: 'x', text: '' });
    scene.shape(made.shape);
    scene.push(made.text);
    expect([scene.events, scene.text()]).toEqual([[], '']);
    scene.push('l'.repeat(longestCollectedBytes - size));
    expect(scene.link.heldBytes).toBe(0);
    expect(scene.plan.applied()[0]).toMatchObject({
      outcome: 'done',
      note: 'left the response as it was: it is longer than 10,485,760 bytes',
    });
    scene.push('more');
    scene.link.end();
    expect(scene.text().endsWith('moreEND')).toBe(true);
    expect(scene.text()).toHaveLength(made.shape.headBytes + longestCollectedBytes + 'moreEND'.length);
  });
});

describe('turned off', () => {
  const faults: FaultInput[] = [
    { type: 'body', how: 'regex', pattern: 'l', text: '-' },
    { type: 'truncated-gzip' },
    change,
  ];

  it.each(faults)('$type loses nothing, whenever it is', async (fault) => {
    for (const made of [sized, chunked, inHttp2]) {
      for (let at = 0; at <= made.text.length; at += 1) {
        const scene = linkWith(fault);
        scene.shape(made.shape);
        if (at > 0) scene.push(made.text.slice(0, at));
        scene.plan.release(scene.rules[0]!);
        if (at < made.text.length) scene.push(made.text.slice(at));
        scene.link.end();
        await new Promise((resolve) => setImmediate(resolve));
        const body = made.text.slice(made.shape.headBytes);
        expect(scene.text().endsWith(`\r\n\r\n${body}END`)).toBe(true);
        // Only fields that were changed before are.
        if (fault.type !== 'headers') expect(scene.text()).toBe(`${made.text}END`);
        expect(scene.link.heldBytes).toBe(0);
      }
    }
  });

  it('while a body is being changed, the body that came goes on', async () => {
    const scene = linkWith(faults[0] as FaultInput);
    scene.shape(sized.shape);
    scene.push(sized.text);
    scene.link.end();
    scene.plan.release(scene.rules[0]!);
    await new Promise((resolve) => setImmediate(resolve));
    expect(scene.text()).toBe(`${sized.text}END`);
    expect(scene.plan.applied()[0]?.outcome).toBe('released');
  });

  it('a replaced body is finished as it was begun', async () => {
    const scene = linkWith({ type: 'body', text: 'new' });
    scene.shape(sized.shape);
    scene.push(sized.text.slice(0, -2));
    await new Promise((resolve) => setImmediate(resolve));
    scene.plan.release(scene.rules[0]!);
    scene.push('lo');
    scene.link.end();
    expect(scene.text().endsWith('Content-Length: 3\r\n\r\nnewEND')).toBe(true);
    expect(scene.link.heldBytes).toBe(0);
  });

  it('chunks that were begun end as they should', () => {
    const scene = linkWith({ type: 'bad-chunk', how: 'missing-end' });
    scene.shape(sized.shape);
    scene.push(sized.text.slice(0, -3));
    scene.plan.release(scene.rules[0]!);
    scene.push('llo');
    scene.link.end();
    expect(scene.text().endsWith('\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nEND')).toBe(true);
    expect(scene.plan.applied()[0]).toMatchObject({ outcome: 'released', bytes: 5 });
  });

  it('a client that waits for the rest of a wrong length is let go', async () => {
    const scene = linkWith({ type: 'wrong-length', by: 5, then: 'wait' });
    scene.shape(sized.shape);
    scene.push(sized.text);
    scene.link.end();
    expect(scene.text().endsWith('hello')).toBe(true);
    scene.plan.release(scene.rules[0]!);
    expect(scene.text().endsWith('helloFIN')).toBe(true);
  });
});

describe('wrong length', () => {
  const head = `${http1}Server: x\r\n`;

  it.each([
    ['a length', sized, `${head}Content-Length: 8\r\n\r\nhelloFIN`],
    ['chunks', chunked, `${head}Content-Length: 8\r\n\r\nhelloFIN`],
    ['HTTP/2', inHttp2, 'HTTP/2 200 \r\nserver: x\r\ncontent-length: 8\r\n\r\nhelloEND'],
    ['no body', bodiless, `${bodiless.text}END`],
  ])('of a message with %s, in every split', async (_what, made, expected) => {
    await inEverySplit({ type: 'wrong-length', by: 3 }, made, expected);
  });

  it('is never below nothing', async () => {
    await inEverySplit({ type: 'wrong-length', by: -9 }, sized, `${head}Content-Length: 0\r\n\r\nhelloFIN`);
  });
});

describe('bad chunk', () => {
  const head = `${http1}Server: x\r\nTransfer-Encoding: chunked\r\n\r\n`;

  it.each([
    ['bad-size', '2\r\nhe\r\nxyz\r\nllo\r\nFIN'],
    ['short-chunk', 'a\r\nhelloFIN'],
    ['missing-end', '5\r\nhello\r\nFIN'],
  ] as const)('%s', async (how, body) => {
    expect(await pass(linkWith({ type: 'bad-chunk', how }), sized, [sized.text])).toBe(head + body);
  });

  it.each(['bad-size', 'short-chunk', 'missing-end'] as const)(
    '%s never ends well, in any split',
    async (how) => {
      for (const made of [sized, chunked, untilClose]) {
        for (const pieces of splits(made.text)) {
          const scene = linkWith({ type: 'bad-chunk', how });
          expect(await pass(scene, made, pieces)).toMatch(/FIN$/);
          expect(scene.text()).not.toMatch(/\r\n0\r\n/);
          expect(scene.link.heldBytes).toBe(0);
        }
      }
    },
  );

  it('needs HTTP/1.1 and a body', async () => {
    const old: Message = { ...sized, shape: { ...sized.shape, httpVersion: '1.0' } };
    for (const made of [old, inHttp2, bodiless]) {
      const scene = linkWith({ type: 'bad-chunk' });
      expect(await pass(scene, made, [made.text])).toBe(`${made.text}END`);
      expect(scene.plan.applied()[0]?.note).toMatch(/^left the response as it was: /);
    }
  });
});

describe('truncated gzip', () => {
  async function truncated(made: Message, keepPercent: number): Promise<Buffer> {
    const scene = linkWith({ type: 'truncated-gzip', keepPercent });
    scene.shape(made.shape);
    scene.link.push(Buffer.from(made.text, 'latin1'));
    scene.link.end();
    await untilEnd(scene);
    const [head = '', body = ''] = scene.text().slice(0, -3).split('\r\n\r\n');
    expect(head).toMatch(/\r\ncontent-encoding: gzip/i);
    expect(head).toContain(`Content-Length: ${body.length}`);
    return Buffer.from(body, 'latin1');
  }

  it('keeps the share of it, whether it was compressed before or not', async () => {
    const content = 'hello world '.repeat(100);
    const whole = gzipSync(content);
    const coded = message(`${line}\r\nContent-Encoding: gzip`, whole.toString('latin1'), {
      framing: 'until-close',
    });
    const plain = message(line, content, { framing: 'until-close' });
    expect(await truncated(coded, 50)).toEqual(whole.subarray(0, whole.length >> 1));
    const half = await truncated(plain, 50);
    expect(half).toHaveLength(whole.length >> 1);
    expect(() => gunzipSync(half)).toThrow('unexpected end of file');
    expect(await truncated(plain, 0)).toHaveLength(0);
  });
});

describe('delay', () => {
  it('holds the first byte, and what comes meanwhile behind it', () => {
    const scene = linkWith({ type: 'delay', delayMs: 100 });
    scene.shape(sized.shape);
    scene.push(sized.text.slice(0, 9));
    scene.clock.advance(50);
    scene.push(sized.text.slice(9));
    scene.link.end();
    scene.clock.advance(49);
    expect(scene.out).toEqual([]);
    scene.clock.advance(1);
    expect(scene.text()).toBe(`${sized.text}END`);
    expect(scene.plan.applied()[0]).toMatchObject({ delayedMs: 100, outcome: 'done' });
  });

  it('holds the first byte of the body, in every split', () => {
    for (const pieces of splits(sized.text)) {
      const scene = linkWith({ type: 'delay', what: 'body', delayMs: 100 });
      scene.shape(sized.shape);
      for (const piece of pieces) scene.push(piece);
      scene.link.end();
      expect(scene.text()).toBe(sized.text.slice(0, sized.shape.headBytes));
      scene.clock.advance(100);
      expect(scene.text()).toBe(`${sized.text}END`);
    }
  });

  it('holds nothing of a message without a body', () => {
    const scene = linkWith({ type: 'delay', what: 'body', delayMs: 100 });
    scene.shape(bodiless.shape);
    scene.push(bodiless.text);
    scene.link.end();
    expect(scene.text()).toBe(`${bodiless.text}END`);
  });

  it('turned off lets go of it', () => {
    const scene = linkWith({ type: 'delay', delayMs: 100 });
    scene.push(sized.text);
    scene.plan.release(scene.rules[0]!);
    expect(scene.text()).toBe(sized.text);
    expect(scene.plan.applied()[0]?.outcome).toBe('released');
    expect(scene.clock.pendingTimers).toBe(0);
  });
});

describe('slow head', () => {
  it('trickles at its rate, and the body comes at once behind it, in every split', () => {
    for (const pieces of splits(sized.text)) {
      const scene = linkWith({ type: 'slow-head', bytesPerSecond: 100 });
      scene.shape(sized.shape);
      for (const piece of pieces) scene.push(piece);
      scene.link.end();
      const { headBytes } = sized.shape;
      scene.clock.advance(200);
      expect(scene.text()).toHaveLength(20);
      scene.clock.advance(headBytes * 10 - 200);
      expect(scene.text()).toBe(`${sized.text}END`);
      expect(scene.plan.applied()[0]).toMatchObject({ bytes: headBytes, outcome: 'done' });
      expect(scene.clock.pendingTimers).toBe(0);
    }
  });

  it('turned off lets go of the rest, in order', () => {
    const scene = linkWith({ type: 'slow-head', bytesPerSecond: 1 });
    scene.shape(sized.shape);
    scene.push(sized.text);
    scene.clock.advance(3000);
    scene.plan.release(scene.rules[0]!);
    scene.link.end();
    expect(scene.text()).toBe(`${sized.text}END`);
    expect(scene.clock.pendingTimers).toBe(0);
  });
});
