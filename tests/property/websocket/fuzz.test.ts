import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Direction } from '#shared/flow/flow.ts';
import type { MessageDraft } from '../../../src-main/engine/proxy/decoders/decoder.ts';
import { WebSocketDecoder } from '../../../src-main/engine/proxy/websocket/websocket-decoder.ts';
import { createRandom } from '../http1/mutations.ts';
import type { Random } from '../http1/mutations.ts';

/** As the fuzz of HTTP/1: SPIKE_FUZZ_SECONDS=600 goes on for that long, SPIKE_FUZZ_SEED=n from another start. */
const seconds = Number(process.env['SPIKE_FUZZ_SECONDS'] ?? 0);
const seed = Number(process.env['SPIKE_FUZZ_SEED'] ?? 20_260_101);
const iterations = 4000;

interface Entry {
  readonly name: string;
  readonly direction: Direction;
  readonly extensions: string | null;
  readonly bytes: Buffer;
}

const url = new URL('../../fixtures/websocket/recorded.json', import.meta.url);
const corpus: Entry[] = (JSON.parse(readFileSync(url, 'utf8')) as (Entry & { bytes: string })[]).map(
  (entry) => ({
    ...entry,
    bytes: Buffer.from(entry.bytes, 'base64'),
  }),
);

async function messagesOf(
  { direction, extensions }: Entry,
  pieces: readonly Buffer[],
): Promise<MessageDraft[]> {
  const told: MessageDraft[] = [];
  const decoder = new WebSocketDecoder({
    output: (draft) => told.push(draft),
    isFull: () => false,
    extensions,
  });
  for (const piece of pieces) decoder.bytes(direction, piece, 1);
  decoder.end();
  await decoder.settled();
  return told;
}

function cut(bytes: Buffer, random: Random): Buffer[] {
  const at = Array.from({ length: random(8) }, () => random(bytes.length + 1)).sort((a, b) => a - b);
  return [...at, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : at[index - 1], end));
}

/** Lengths, opcodes and flags are where a reader errs: octets that mean something, and some that mean nothing. */
const tellingOctets = [0x00, 0x01, 0x02, 0x08, 0x09, 0x40, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0xc1, 0xfe, 0xff];

function mutated(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const at = random(copy.length);
  const octet = Buffer.from([tellingOctets[random(tellingOctets.length)] as number]);
  switch (random(5)) {
    case 0:
      return copy.subarray(0, at);
    case 1:
      copy[at] = octet[0] as number;
      return copy;
    case 2:
      copy[at] = random(256);
      return copy;
    case 3:
      return Buffer.concat([copy.subarray(0, at), octet, copy.subarray(at)]);
    default:
      return Buffer.concat([copy, (corpus[random(corpus.length)] as Entry).bytes]);
  }
}

describe('what real peers said', () => {
  it.each(corpus.map((entry) => [`${entry.name}, ${entry.direction}`, entry] as const))(
    '%s: every place to cut gives the same messages',
    async (_name, entry) => {
      const whole = await messagesOf(entry, [entry.bytes]);
      expect(whole.length).toBeGreaterThan(1);
      expect(whole.filter(({ error = null }) => error !== null)).toEqual([]);
      for (let at = 0; at <= entry.bytes.length; at += 7) {
        const parts = [entry.bytes.subarray(0, at), entry.bytes.subarray(at)];
        expect(await messagesOf(entry, parts), `cut at ${at}`).toEqual(whole);
      }
      expect(
        await messagesOf(
          entry,
          [...entry.bytes].map((byte) => Buffer.from([byte])),
        ),
      ).toEqual(whole);
    },
  );

  it(
    'mutated: nothing is thrown, it comes to an end, and the same however split',
    async () => {
      const random = createRandom(seed);
      const until = seconds > 0 ? performance.now() + seconds * 1000 : 0;
      const errors = new Set<string>();
      for (let i = 0; i < iterations || performance.now() < until; i += 1) {
        const entry = corpus[random(corpus.length)] as Entry;
        const input = mutated(mutated(entry.bytes, random), random);
        const whole = await messagesOf(entry, [input]);
        const split = await messagesOf(entry, cut(input, random));
        const said = `${entry.name} ${entry.direction} ${input.toString('hex')}`;
        // Broken deflate is found when zlib gets to it, which may be with another piece: what was kept may differ.
        const comparable = (drafts: MessageDraft[]): unknown =>
          drafts.map(({ compressed, text, encoding, truncated, error, ...rest }) =>
            compressed === true ? rest : { ...rest, text, encoding, truncated, error },
          );
        expect(comparable(split), said).toEqual(comparable(whole));
        for (const { error = null } of whole) if (error !== null) errors.add(error);
      }
      // The mutations must reach deep: most of what can be wrong with a frame, and with what it holds.
      expect(errors.size).toBeGreaterThan(8);
    },
    60_000 + seconds * 1000,
  );
});
