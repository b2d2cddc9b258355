import type { Random } from '../http1/mutations.ts';

const telling = [
  0, 1, 2, 5, 9, 10, 13, 16, 22, 32, 34, 36, 42, 44, 58, 59, 126, 127, 128, 129, 136, 254, 255,
];
const longest = 20_000;

function anyOf<Item>(items: readonly Item[], random: Random): Item {
  return items[random(items.length)] as Item;
}

function changed(input: Buffer, random: Random, change: (octet: number) => number): Buffer {
  if (input.length === 0) return input;
  const copy = Buffer.from(input);
  const at = random(copy.length);
  copy[at] = change(copy[at] as number) & 255;
  return copy;
}

function inserted(input: Buffer, random: Random, addition: Buffer): Buffer {
  const at = random(input.length + 1);
  return Buffer.concat([input.subarray(0, at), addition, input.subarray(at)]);
}

/** The beginning of one and the end of another. */
function spliced(input: Buffer, other: Buffer, random: Random): Buffer {
  return Buffer.concat([
    input.subarray(0, random(input.length + 1)),
    other.subarray(random(other.length + 1)),
  ]);
}

function mutateOnce(
  input: Buffer,
  corpus: readonly Buffer[],
  words: readonly Buffer[],
  random: Random,
): Buffer {
  const from = random(input.length + 1);
  switch (random(10)) {
    case 0:
      return input.subarray(0, from);
    case 1:
      return changed(input, random, (octet) => octet ^ (1 << random(8)));
    case 2:
      return changed(input, random, () => anyOf(telling, random));
    case 3:
      return changed(input, random, (octet) => octet + random(9) - 4);
    case 4:
      return inserted(input, random, Buffer.from(Array.from({ length: 1 + random(8) }, () => random(256))));
    case 5:
      return Buffer.concat([input.subarray(0, from), input.subarray(from + random(16))]);
    case 6:
      return inserted(input, random, input.subarray(from, from + random(64)));
    case 7:
      return spliced(input, anyOf(corpus, random), random);
    case 8:
      return Buffer.concat([input, anyOf(corpus, random)]);
    default:
      return words.length === 0 ? input : inserted(input, random, anyOf(words, random));
  }
}

/** An input of the corpus with one to five changes. */
export function mutated(corpus: readonly Buffer[], words: readonly Buffer[], random: Random): Buffer {
  let input = anyOf(corpus, random);
  for (let rounds = random(5); rounds >= 0; rounds--) input = mutateOnce(input, corpus, words, random);
  return input.subarray(0, longest);
}
