import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameParser } from '../../../src-main/engine/proxy/websocket/frame-parser.ts';
import type { FrameHead } from '../../../src-main/engine/proxy/websocket/frame-parser.ts';

interface WrittenFrame {
  readonly first: number;
  readonly mask: readonly number[] | null;
  /** How many bytes the length takes at least, as a careless sender may have it. */
  readonly lengthBytes: 0 | 2 | 8;
  readonly payload: Uint8Array;
}

const octet = fc.integer({ min: 0, max: 255 });
const frame: fc.Arbitrary<WrittenFrame> = fc.record({
  first: octet,
  mask: fc.option(fc.tuple(octet, octet, octet, octet)),
  lengthBytes: fc.constantFrom(0, 2, 8),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 130 }),
    fc.nat(70_000).map((length) => new Uint8Array(length).fill(7)),
  ),
});

function wireOf({ first, mask, lengthBytes, payload }: WrittenFrame): Buffer {
  const length = payload.length;
  const least = length > 65_535 ? 8 : length > 125 ? 2 : 0;
  const extended = Math.max(least, lengthBytes);
  const head = Buffer.alloc(2 + extended);
  head[0] = first;
  head[1] = (mask === null ? 0 : 0x80) | (extended === 8 ? 127 : extended === 2 ? 126 : length);
  if (extended === 2) head.writeUInt16BE(length, 2);
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2);
  const content = mask === null ? payload : payload.map((byte, index) => byte ^ (mask[index & 3] as number));
  return Buffer.concat([head, Buffer.from(mask ?? []), content]);
}

interface SeenFrame extends FrameHead {
  content: Buffer;
  ended: boolean;
}

/** What a parser finds in these pieces. */
function framesOf(pieces: readonly Buffer[]): { frames: SeenFrame[]; lost: string | null } {
  const frames: SeenFrame[] = [];
  let lost: string | null = null;
  const parser = new FrameParser(
    { masked: true, allowsRsv1: true },
    {
      frameBegan: (head) => void frames.push({ ...head, content: Buffer.alloc(0), ended: false }),
      framePayload(piece) {
        const seen = frames.at(-1) as SeenFrame;
        seen.content = Buffer.concat([seen.content, parser.unmask(piece)]);
      },
      frameEnded() {
        (frames.at(-1) as SeenFrame).ended = true;
      },
      framesLost: ({ code }) => void (lost = code),
    },
  );
  for (const piece of pieces) parser.feed(piece);
  return { frames, lost };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : at[index - 1], end));
}

test('frames come out as they were written, however the bytes are split', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (written, places) => {
        const wire = Buffer.concat(written.map(wireOf));
        const { frames, lost } = framesOf(cut(wire, places));
        expect(lost).toBeNull();
        expect(frames).toHaveLength(written.length);
        written.forEach(({ first, mask, payload }, index) => {
          const seen = frames[index] as SeenFrame;
          expect(seen).toMatchObject({
            fin: first >= 128,
            opcode: first & 15,
            masked: mask !== null,
            payloadBytes: payload.length,
            ended: true,
          });
          expect(seen.content.equals(payload)).toBe(true);
        });
      },
    ),
  );
});

test('each place to cut gives the same', () => {
  const wire = Buffer.concat(
    [
      { first: 0x01, mask: [1, 2, 3, 4], lengthBytes: 0 as const, payload: Buffer.from('hel') },
      { first: 0x89, mask: [9, 9, 9, 9], lengthBytes: 0 as const, payload: Buffer.alloc(0) },
      { first: 0x80, mask: [5, 6, 7, 8], lengthBytes: 8 as const, payload: Buffer.from('lo') },
    ].map(wireOf),
  );
  const whole = framesOf([wire]);
  expect(whole.frames.map(({ content }) => content.toString())).toEqual(['hel', '', 'lo']);
  for (let at = 0; at <= wire.length; at += 1)
    expect(framesOf([wire.subarray(0, at), wire.subarray(at)]), `cut at ${at}`).toEqual(whole);
  expect(framesOf([...wire].map((byte) => Buffer.from([byte])))).toEqual(whole);
});

test('any bytes at all are frames, or are said to be none; nothing is thrown', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (pieces) => {
      const { frames, lost } = framesOf(pieces.map((piece) => Buffer.from(piece)));
      // All but the last have ended, unless nothing could be read any more.
      expect(frames.slice(0, -1).every(({ ended }) => ended)).toBe(true);
      if (lost !== null) expect(lost).toBe('length-too-large');
    }),
    { numRuns: 1000 },
  );
});
