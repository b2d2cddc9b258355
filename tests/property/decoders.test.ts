import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageTextLimit } from '#shared/flow/message.ts';
import type { ProtocolDecoder } from '../../src-main/engine/proxy/decoders/decoder.ts';
import { protocolDecoders, recogniseProtocol } from '../../src-main/engine/proxy/decoders/registry.ts';
import { decode, octets, recorded } from '../support/decoded.ts';
import type { Decoded, Recorded } from '../support/decoded.ts';
import type { Passed } from '../support/decoding-relay.ts';
import { createRandom } from './http1/mutations.ts';
import type { Random } from './http1/mutations.ts';

/**
 * The recorded conversations, split and mutated. What comes of a mutated one may be any messages, and a decoder that is
 * lost; never an exception, and never something else for another split. SPIKE_FUZZ_SECONDS=600 goes on for that long,
 * SPIKE_FUZZ_SEED=n from another start.
 */
const seconds = Number(process.env['SPIKE_FUZZ_SECONDS'] ?? 0);
const seed = Number(process.env['SPIKE_FUZZ_SEED'] ?? 20_260_101);
const iterations = 12_000;

const corpus = recorded();

function decoderOf({ protocol }: Recorded): ProtocolDecoder {
  const found = protocolDecoders.find((decoder) => decoder.protocol === protocol);
  if (found === undefined) throw new Error(`The corpus has ${protocol}, the registry has not.`);
  return found;
}

/** Cuts every piece at places that come from `random`. */
function splitter(random: Random): (bytes: Buffer) => Buffer[] {
  return (bytes) => {
    const cuts = Array.from({ length: random(5) }, () => random(bytes.length + 1)).sort((a, b) => a - b);
    return [0, ...cuts].map((start, i) => bytes.subarray(start, cuts[i] ?? bytes.length));
  };
}

describe.each(corpus)('$name', (conversation) => {
  const decoder = decoderOf(conversation);
  const whole = decode(decoder, conversation.passed);

  it('is recognised by its first bytes, and as soon as they are enough', () => {
    const first =
      conversation.passed.find(({ direction }) => direction === 'request')?.bytes ?? Buffer.alloc(0);
    const port = decoder.protocol === 'redis' ? 6379 : 1;
    expect(recogniseProtocol(first, port)).toBe(decoder);
    const answers = octets(first).map((_, i) => recogniseProtocol(first.subarray(0, i + 1), port));
    const decided = answers.indexOf(decoder);
    expect(answers.slice(0, decided)).toEqual(Array.from({ length: decided }, () => 'more'));
    expect(answers.slice(decided).every((answer) => answer === decoder)).toBe(true);
  });

  it('is read to its end, octet by octet as in whole pieces', () => {
    expect(whole.isLost).toBe(false);
    expect(whole.messages.length).toBeGreaterThan(0);
    expect(decode(decoder, conversation.passed, octets)).toEqual(whole);
  });

  it('gives the same messages however it is split', () => {
    fc.assert(
      fc.property(fc.integer(), (start) => {
        expect(decode(decoder, conversation.passed, splitter(createRandom(start)))).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });
});

const telling = [
  '$-1\r\n',
  '*0\r\n',
  '\r\n',
  '\n',
  '*1000000\r\n',
  '$536870912\r\n',
  '>2\r\n',
  '|1\r\n',
  '-ERR\r\n',
  '*3\r\n$9\r\nsubscribe\r\n',
];
const tellingOctets = [
  '\0\0\0\x04',
  '\0\0\0\x08',
  '\x7f\xff\xff\xff',
  '\xff\xff\xff\xff',
  'Z\0\0\0\x05I',
  'S\0\0\0\x04',
  'E\0\0\0\x05\0',
  'G\0\0\0\x04',
  'C\0\0\0\x04',
  '1\0\0\0\x04',
];

const changes: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => bytes.subarray(0, random(bytes.length + 1)),
  (bytes, random) =>
    Buffer.concat([bytes, Buffer.from(Array.from({ length: random(40) }, () => random(256)))]),
  (bytes, random) =>
    insert(bytes, random, Buffer.from(anyOf([...telling, ...tellingOctets], random), 'latin1')),
  (bytes, random) => flip(bytes, random),
  (bytes, random) => Buffer.concat([bytes.subarray(random(bytes.length + 1)), bytes]),
  () => Buffer.alloc(0),
];

function anyOf<Item>(items: readonly Item[], random: Random): Item {
  return items[random(items.length)] as Item;
}

function insert(bytes: Buffer, random: Random, addition: Buffer): Buffer {
  const at = random(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), addition, bytes.subarray(at)]);
}

function flip(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const at = random(Math.max(1, copy.length));
  if (copy.length > 0) copy[at] = (copy[at] as number) ^ (1 << random(8));
  return copy;
}

/** A few of its pieces are changed; one may go over to the other direction. */
function mutated(passed: readonly Passed[], random: Random): Passed[] {
  const copy = passed.slice(0, 1 + random(passed.length));
  for (let left = 1 + random(3); left > 0; left--) {
    const at = random(copy.length);
    const { direction, bytes } = copy[at] as Passed;
    const turned = direction === 'request' ? 'response' : 'request';
    copy[at] = {
      direction: random(12) === 0 ? turned : direction,
      bytes: anyOf(changes, random)(bytes, random),
    };
  }
  return copy;
}

function problems(whole: Decoded, split: Decoded): string[] {
  return [
    JSON.stringify(whole) === JSON.stringify(split) ? '' : 'split differs',
    whole.messages.every(({ text = '' }) => text.length <= messageTextLimit) ? '' : 'a text is too long',
    whole.messages.every(({ durationMs }) => (durationMs ?? 0) >= 0) ? '' : 'answered before it was asked',
  ].filter((problem) => problem !== '');
}

describe('mutated conversations', () => {
  it(
    'are read, or the decoder is lost; the same however split',
    () => {
      const random = createRandom(seed);
      const until = seconds > 0 ? performance.now() + seconds * 1000 : 0;
      let lost = 0;
      let runs = 0;
      for (; runs < iterations || performance.now() < until; runs++) {
        const conversation = anyOf(corpus, random);
        const decoder = decoderOf(conversation);
        const passed = mutated(conversation.passed, random);
        const whole = decode(decoder, passed);
        if (whole.isLost) lost++;
        const found = problems(whole, decode(decoder, passed, splitter(random)));
        if (found.length > 0) {
          const shown = passed.map(
            ({ direction, bytes }) => `${direction} ${JSON.stringify(bytes.toString('latin1'))}`,
          );
          expect.fail(`${found.join(', ')}: ${conversation.name}\n${shown.join('\n').slice(-2_000)}`);
        }
      }
      // The mutations must neither be harmless nor end every conversation.
      expect(lost).toBeGreaterThan(runs / 10);
      expect(lost).toBeLessThan((runs * 9) / 10);
    },
    60_000 + seconds * 1000,
  );
});
