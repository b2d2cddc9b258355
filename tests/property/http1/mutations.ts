import type { CorpusEntry } from './corpus.ts';

/** A whole number from 0 up to, but not including, the bound. */
export type Random = (below: number) => number;

/** mulberry32: small, seeded, and good enough to choose bytes with. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

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

type Mutation = (input: Buffer, random: Random, corpus: readonly CorpusEntry[]) => Buffer;

const mutations: readonly Mutation[] = [
  (input, random) => input.subarray(0, random(input.length + 1)),
  (input, random) =>
    Buffer.concat([input, Buffer.from(Array.from({ length: random(40) }, () => random(256)))]),
  (input, random) => replaceAt(input, random, (octet) => octet ^ (1 << random(8))),
  (input, random) => replaceAt(input, random, () => anyOf(tellingOctets, random)),
  (input, random) => insertAt(input, random, Buffer.from([anyOf(tellingOctets, random)])),
  (input, random) => insertAt(input, random, Buffer.from(anyOf(tellingLines, random))),
  (input, random) => removeSome(input, random),
  (input, random, corpus) => insertAt(input, random, anyOf(corpus, random).bytes),
  (input, random, corpus) => Buffer.concat([input, anyOf(corpus, random).bytes]),
];

function anyOf<Item>(items: readonly Item[], random: Random): Item {
  return items[random(items.length)] as Item;
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

/** An entry of the corpus with one to four changes: cut, prolonged, with flipped bits, telling octets or lines put in. */
export function mutate(
  corpus: readonly CorpusEntry[],
  random: Random,
): { readonly entry: CorpusEntry; readonly input: Buffer } {
  const entry = anyOf(corpus, random);
  let input = entry.bytes;
  for (let rounds = random(4); rounds >= 0; rounds--) input = anyOf(mutations, random)(input, random, corpus);
  return { entry, input };
}
