import { parentPort, workerData } from 'node:worker_threads';
import { createRandom } from '../http1/mutations.ts';
import { mutated } from './mutate.ts';
import { corpusOf, defectIn } from './target.ts';
import type { FuzzTarget } from './target.ts';
import { fuzzTargets } from './targets.ts';

/** What a worker is given: see `fuzz`. `shared` holds the input at hand, so that it is known after a hang as well. */
export interface FuzzWork {
  readonly name: string;
  /** Of the processor's time, so that a minute is one on a busy machine, too. */
  readonly seconds: number;
  readonly seed: number;
  readonly shared: SharedArrayBuffer;
}

export interface FuzzResult {
  readonly name: string;
  readonly runs: number;
  /** Kinds of results: that the mutations reach more than the first refusal. */
  readonly kinds: number;
  readonly defect: {
    readonly what: string;
    readonly input: Uint8Array;
    readonly cuts: readonly number[];
  } | null;
}

/** Inputs between two looks at the time, which is asked of the system. */
const lookEvery = 16;

const { name, seconds, seed, shared } = workerData as FuzzWork;
/** Counter, length, then the input. */
const header = new Int32Array(shared, 0, 2);
const inputBytes = new Uint8Array(shared, 8);

function kindOf(target: FuzzTarget, input: Buffer): string {
  const text = JSON.stringify(target.read(input, [])) ?? '';
  // What remains without texts and numbers: names of things that were found, and words for what is wrong.
  const shape = text.replace(/"(?:[^"\\]|\\.)*"(?!:)/g, (quoted) =>
    /^"[a-z0-9-]+"$/.test(quoted) ? quoted : '',
  );
  return shape.replace(/-?\d+/g, '').slice(0, 300);
}

function secondsUsed(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000_000;
}

function run(target: FuzzTarget): FuzzResult {
  const random = createRandom(seed);
  const corpus = [...corpusOf(target.name).values()];
  const words = target.dictionary.map((word) => Buffer.from(word, 'latin1'));
  const kinds = new Set<string>();
  const until = secondsUsed() + seconds;
  let runs = 0;
  for (; runs % lookEvery > 0 || secondsUsed() < until; runs++) {
    const input = mutated(corpus, words, random);
    const cuts = Array.from({ length: 1 + random(6) }, () => random(input.length + 1));
    inputBytes.set(input);
    header[1] = input.length;
    Atomics.add(header, 0, 1);
    const what = defectIn(target, input, cuts);
    if (what !== null) return { name, runs, kinds: kinds.size, defect: { what, input, cuts } };
    if (runs % 20 === 0 && kinds.size < 1000) kinds.add(kindOf(target, input));
  }
  return { name, runs, kinds: kinds.size, defect: null };
}

const target = fuzzTargets.find((one) => one.name === name);
if (target === undefined) throw new Error(`no parser ${name}`);
parentPort?.postMessage(run(target));
