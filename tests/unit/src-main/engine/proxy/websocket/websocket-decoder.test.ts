import { deflateRawSync, constants } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MessageDraft } from '../../../../../../src-main/engine/proxy/decoders/decoder.ts';
import { deflateAgreement } from '../../../../../../src-main/engine/proxy/websocket/extensions.ts';
import { inflatersLimit } from '../../../../../../src-main/engine/proxy/websocket/inflater.ts';
import { WebSocketDecoder } from '../../../../../../src-main/engine/proxy/websocket/websocket-decoder.ts';

/** A frame of a server: no mask. */
function frame(first: number, payload: string | Buffer, lengthByte?: number): Buffer {
  const content = Buffer.from(payload as string);
  return Buffer.concat([Buffer.from([first, lengthByte ?? content.length]), content]);
}

function setUp(extensions: string | null = null, isFull = (): boolean => false) {
  const told: MessageDraft[] = [];
  const decoder = new WebSocketDecoder({ output: (draft) => void told.push(draft), isFull, extensions });
  return {
    told,
    decoder,
    from: (...frames: Buffer[]) => frames.forEach((bytes) => decoder.bytes('response', bytes, 5)),
  };
}

/** As a sender with context takeover writes its first message (RFC 7692, section 7.2.1). */
const deflated = (text: string): Buffer =>
  deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

const ended = (text: string): Buffer => Buffer.concat([deflateRawSync(text), Buffer.from([0])]);

describe('what is wrong with a frame is told with its message', () => {
  test.each<[string, Buffer, RegExp]>([
    ['a reserved bit', frame(0xa1, 'x'), /^Reserved bits/],
    ['RSV1 without an extension', frame(0xc1, 'x'), /^Reserved bits/],
    ['an opcode that is reserved', frame(0x83, 'x'), /^An opcode/],
    ['a control opcode that is reserved', frame(0x8b, 'x'), /^An opcode/],
    ['a control frame in fragments', frame(0x09, 'x'), /^A control frame in fragments/],
    [
      'a long control frame',
      Buffer.concat([Buffer.from([0x89, 126, 0, 126]), Buffer.alloc(126)]),
      /125 bytes/,
    ],
    [
      'a length in too many bytes',
      Buffer.concat([Buffer.from([0x81, 126, 0, 1]), Buffer.from('x')]),
      /^A length/,
    ],
    ['a mask of a server', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]), /^A frame of a server/],
    ['a continuation of nothing', frame(0x80, 'x'), /^A continuation/],
    ['text that is not UTF-8', frame(0x81, Buffer.from([0xff])), /not UTF-8/],
  ])('%s', (_name, bytes, error) => {
    const { told, from } = setUp();
    from(bytes, frame(0x81, 'next'));
    expect(told[0]?.error).toMatch(error);
    expect(told[1]).toMatchObject({ type: 'text', text: 'next', at: 5 });
    expect(told).toHaveLength(2);
  });

  test('a message that is not ended when another begins', () => {
    const { told, from } = setUp();
    from(frame(0x01, 'half'), frame(0x81, 'whole'));
    expect(told.map(({ text }) => text)).toEqual(['half', 'whole']);
    expect(told[0]?.error).toMatch(/another message began/);
  });

  test('a length beyond all bounds ends what can be told', () => {
    const { told, from, decoder } = setUp();
    from(Buffer.from([0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0]), frame(0x81, 'lost'));
    expect(told).toMatchObject([{ error: expect.stringMatching(/2\^53/) }]);
    expect(decoder.isLost).toBe(false);
  });
});

describe('closing', () => {
  test.each([
    [Buffer.alloc(0), '', 'no code'],
    [Buffer.from([0x03]), '', 'no code'],
    [Buffer.from([0x03, 0xe8]), '1000', '1000 normal closure'],
    [Buffer.concat([Buffer.from([0x03, 0xf3]), Buffer.from('später')]), '1011 später', '1011 internal error'],
    [Buffer.from([0x0b, 0xb8]), '3000', '3000'],
  ])('%o', (payload, text, summary) => {
    const { told, from } = setUp();
    from(frame(0x88, payload));
    expect(told).toMatchObject([{ type: 'close', text, summary }]);
  });
});

describe('compressed messages', () => {
  test('keep their place among those that are not', async () => {
    const { told, decoder, from } = setUp('permessage-deflate');
    from(frame(0xc1, deflated('first')), frame(0x89, 'p'), frame(0x81, 'plain'));
    decoder.end();
    await decoder.settled();
    expect(told.map(({ text, compressed = false }) => [text, compressed])).toEqual([
      ['first', true],
      ['p', false],
      ['plain', false],
    ]);
    expect(decoder.settled()).toBeNull();
  });

  test('in fragments, cut anywhere', async () => {
    const bytes = deflated('a message in three frames');
    const { told, decoder, from } = setUp('permessage-deflate; client_max_window_bits=15');
    from(
      frame(0x41, bytes.subarray(0, 3)),
      frame(0x00, bytes.subarray(3, 5)),
      frame(0x80, bytes.subarray(5)),
    );
    decoder.end();
    await decoder.settled();
    expect(told).toMatchObject([{ text: 'a message in three frames', sizeBytes: bytes.length }]);
  });

  test.each(['permessage-deflate', 'permessage-deflate; server_no_context_takeover'])(
    'many at once, some in a stream that the sender ended: %s',
    async (extensions) => {
      const texts = Array.from({ length: 50 }, (_none, index) => `message ${index}`);
      const { told, decoder, from } = setUp(extensions);
      // RFC 7692, section 7.2.3.4: with BFINAL set, nothing is taken off the end.
      from(...texts.map((text, index) => frame(0xc1, index % 3 === 0 ? ended(text) : deflated(text))));
      decoder.end();
      await decoder.settled();
      expect(told.map(({ text }) => text)).toEqual(texts);
      expect(told.every(({ error = null }) => error === null)).toBe(true);
    },
  );

  test('are data messages alone: a frame with a reserved opcode in the middle of one waits for nothing', async () => {
    const { told, decoder, from } = setUp('permessage-deflate');
    from(frame(0x41, deflated('never ended')), frame(0x7e, ''), frame(0xc3, 'x'));
    decoder.end();
    await decoder.settled();
    expect(told.map(({ error = '' }) => error)).toEqual([
      expect.stringMatching(/^An opcode/),
      'It was not ended: another message began.',
      expect.stringMatching(/^An opcode/),
    ]);
  });

  test('that are broken say so, and so do all that follow', async () => {
    const { told, decoder, from } = setUp('permessage-deflate');
    from(frame(0xc1, 'no deflate at all'), frame(0xc1, deflated('good')));
    decoder.end();
    await decoder.settled();
    from(frame(0xc1, deflated('late')));
    expect(told).toHaveLength(3);
    expect(
      told.every(({ error, truncated }) => truncated && /cannot be decompressed/.test(error ?? '')),
    ).toBe(true);
  });

  test('are only counted once nothing is kept any more', async () => {
    let full = false;
    const { told, decoder, from } = setUp('permessage-deflate', () => full);
    from(frame(0xc1, deflated('kept')));
    full = true;
    from(frame(0xc1, deflated('counted')), frame(0x81, 'counted'));
    decoder.end();
    await decoder.settled();
    expect(told.map(({ text }) => text)).toHaveLength(3);
    expect(told.slice(1).every(({ text }) => text === '')).toBe(true);
  });

  test('beyond the bound on decompressors they pass unread, and say why; ends give the place back', async () => {
    const decoders = Array.from({ length: inflatersLimit }, () => {
      const parts = setUp('permessage-deflate');
      parts.from(frame(0xc1, deflated('x')));
      return parts.decoder;
    });
    const beyond = setUp('permessage-deflate');
    beyond.from(frame(0xc1, deflated('unread')));
    expect(beyond.told[0]?.error).toMatch(/^More than 1000 compressed/);
    for (const decoder of decoders) decoder.end();
    await Promise.all(decoders.map((decoder) => decoder.settled()));
    const after = setUp('permessage-deflate');
    after.from(frame(0xc1, deflated('read')));
    after.decoder.end();
    await after.decoder.settled();
    expect(after.told).toMatchObject([{ text: 'read' }]);
  });

  test('any bytes after any handshake: nothing is thrown, and it comes to an end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 60 })), { maxLength: 6 }),
        fc.constantFrom(null, 'permessage-deflate', 'permessage-deflate; server_no_context_takeover'),
        async (pieces, extensions) => {
          const { decoder } = setUp(extensions);
          for (const [isClient, bytes] of pieces)
            decoder.bytes(isClient ? 'request' : 'response', Buffer.from(bytes), 1);
          decoder.end();
          await decoder.settled();
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what was agreed on', () => {
  test.each([
    [null, null],
    ['', null],
    ['x-webkit-deflate-frame', null],
    ['permessage-deflate', [false, false]],
    ['foo; a=1, Permessage-Deflate; server_no_context_takeover; client_max_window_bits=10', [false, true]],
    ['permessage-deflate; client_no_context_takeover', [true, false]],
  ])('%s', (header, expected) => {
    const agreement = deflateAgreement(header);
    const found = agreement && [agreement.noContextTakeover.request, agreement.noContextTakeover.response];
    expect(found).toEqual(expected);
  });
});
