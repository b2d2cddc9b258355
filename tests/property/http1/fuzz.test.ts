import { describe, expect, it } from 'vitest';
import type { CorpusEntry } from './corpus.ts';
import { http1ErrorCodes } from '../../../src-main/engine/proxy/http1/http1-error.ts';
import { wholeCorpus } from './corpus.ts';
import { comparable, observe } from './observe.ts';

/**
 * The corpus, mutated. What comes out may be anything declared: messages, a refusal with one of its codes, or less
 * than a message; never an exception, never more bytes than went in. SPIKE_FUZZ_SECONDS=600 goes on for that long,
 * SPIKE_FUZZ_SEED=n from another start.
 */
const seconds = Number(process.env['SPIKE_FUZZ_SECONDS'] ?? 0);
const seed = Number(process.env['SPIKE_FUZZ_SEED'] ?? 20_260_101);
const iterations = 15_000;

/** mulberry32: small, seeded, and good enough to choose bytes with. */
function createRandom(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof createRandom>;

const tellingOctets = [...'\0\t\n\v\f\r ,:;+-_0fFx\x7f\x80\xa0\xff'].map((letter) => letter.charCodeAt(0));
const tellingLines = [
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 5\r\n',
  'Connection: close\r\n',
  'Host: y\r\n',
  '\r\n',
  '0\r\n\r\n',
  'ffffffffffffffff\r\n',
];

const mutations: ((input: Buffer, random: Random) => Buffer)[] = [
  (input, random) => input.subarray(0, random(input.length + 1)),
  (input, random) =>
    Buffer.concat([input, Buffer.from(Array.from({ length: random(40) }, () => random(256)))]),
  (input, random) => replaceAt(input, random, (octet) => octet ^ (1 << random(8))),
  (input, random) => replaceAt(input, random, () => tellingOctets[random(tellingOctets.length)] as number),
  (input, random) =>
    insertAt(input, random, Buffer.from([tellingOctets[random(tellingOctets.length)] as number])),
  (input, random) =>
    insertAt(input, random, Buffer.from(tellingLines[random(tellingLines.length)] as string)),
  (input, random) => removeSome(input, random),
  (input, random) => insertAt(input, random, anyEntry(random).bytes),
  (input, random) => Buffer.concat([input, anyEntry(random).bytes]),
];

function anyEntry(random: Random): CorpusEntry {
  return wholeCorpus[random(wholeCorpus.length)] as CorpusEntry;
}

function replaceAt(input: Buffer, random: Random, change: (octet: number) => number): Buffer {
  if (input.length === 0) return input;
  const copy = Buffer.from(input);
  const at = random(copy.length);
  copy[at] = change(copy[at] as number);
  return copy;
}

function insertAt(input: Buffer, random: Random, addition: Buffer): Buffer {
  const at = random(input.length + 1);
  return Buffer.concat([input.subarray(0, at), addition, input.subarray(at)]);
}

function removeSome(input: Buffer, random: Random): Buffer {
  const at = random(input.length + 1);
  return Buffer.concat([input.subarray(0, at), input.subarray(at + random(8))]);
}

function mutate(random: Random): { entry: CorpusEntry; input: Buffer } {
  const entry = anyEntry(random);
  let input = entry.bytes;
  for (let rounds = random(4); rounds >= 0; rounds--) {
    input = (mutations[random(mutations.length)] as (typeof mutations)[number])(input, random);
  }
  return { entry, input };
}

function check(entry: CorpusEntry, input: Buffer, random: Random): void {
  const cuts = Array.from({ length: random(6) }, () => random(input.length + 1));
  const whole = observe(input, [], entry);
  const split = observe(input, cuts, entry);
  const problems = [
    ...whole.disorder,
    JSON.stringify(comparable(whole)) === JSON.stringify(comparable(split)) ? null : 'split differs',
    whole.consumed <= input.length ? null : 'consumed too much',
    whole.error === null || http1ErrorCodes.includes(whole.error.code) ? null : 'undeclared code',
    whole.errorCount === (whole.error === null ? 0 : 1) ? null : 'error told more than once',
    // Whatever was not refused was read: a parser that waits for ever for bytes it has would show here.
    whole.error !== null || whole.consumed === input.length || whole.end === 'complete' ? null : 'stuck',
  ].filter((problem) => problem !== null);
  if (problems.length > 0) {
    expect.fail(
      `${problems.join(', ')}: ${entry.kind} ${JSON.stringify(input.toString('latin1'))} cut at ${cuts.join()}`,
    );
  }
}

describe('mutated messages', () => {
  it(
    'are read or refused, with a declared error and the same one however split',
    () => {
      const random = createRandom(seed);
      const until = seconds > 0 ? performance.now() + seconds * 1000 : 0;
      const seen = new Set<string | undefined>();
      for (let i = 0; i < iterations || performance.now() < until; i++) {
        const { entry, input } = mutate(random);
        check(entry, input, random);
        seen.add(observe(input, [], entry).error?.code);
      }
      // The mutations must reach deep: nearly every reason to refuse, and messages that are still valid.
      expect(seen.has(undefined)).toBe(true);
      expect(seen.size).toBeGreaterThan(30);
    },
    60_000 + seconds * 1000,
  );
});
