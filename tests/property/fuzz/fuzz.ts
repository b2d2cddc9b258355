import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FuzzResult, FuzzWork } from './fuzz-worker.ts';
import { corpusDirectory } from './target.ts';

const inputLimit = 32_768;
/** One input is read within a millisecond; a parser that has had this much of the processor and is not back never will be. */
const hangMs = 20_000;
const lookEveryMs = 1000;
/** Parsers at once: vitest's maxConcurrency is the same. */
const lanes = availableParallelism();

/** What each lane has had of the processor while all are at work. A clock would go on for a process that waits for its turn. */
function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 / lanes;
}

/**
 * One parser in a thread of its own, for so many seconds of the processor's time. A thread that hangs is ended, and its
 * input is the defect.
 */
export function fuzzOne(name: string, seconds: number, seed: number): Promise<FuzzResult> {
  const shared = new SharedArrayBuffer(8 + inputLimit);
  const header = new Int32Array(shared, 0, 2);
  const workerData: FuzzWork = { name, seconds, seed, shared };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('fuzz-worker.ts', import.meta.url), { workerData });
    let [last, since] = [-1, 0];
    const watch = setInterval(() => {
      const runs = Atomics.load(header, 0);
      if (runs !== last) [last, since] = [runs, usedMs()];
      if (usedMs() - since < hangMs || runs === 0) return;
      const input = Uint8Array.from(new Uint8Array(shared, 8, header[1]));
      resolve({ name, runs, kinds: 0, defect: { what: `hangs for ${hangMs} ms`, input, cuts: [] } });
      void worker.terminate();
    }, lookEveryMs);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => clearInterval(watch));
  });
}

/** Every parser for so many seconds of the processor's time, as many at once as there are cores. */
export async function fuzz(
  names: readonly string[],
  seconds: number,
  seed: number,
  tell: (result: FuzzResult) => void = () => undefined,
): Promise<FuzzResult[]> {
  const results: FuzzResult[] = [];
  const waiting = [...names];
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const result = await fuzzOne(name, seconds, seed);
      results.push(result);
      tell(result);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

/** Saves the input of a defect in the corpus, where it is a case of its own from now on; says so in words. */
export function saveDefect({ name, defect }: FuzzResult): string {
  if (defect === null) return '';
  const file = `defect-${createHash('sha256').update(defect.input).digest('hex').slice(0, 12)}.bin`;
  const url = new URL(file, corpusDirectory(name));
  writeFileSync(url, defect.input);
  return [
    `${name}: ${defect.what}`,
    `cut at ${defect.cuts.join() || 'nothing'}`,
    `The input is saved as ${fileURLToPath(url)}.`,
    'Mend the parser until `npx vitest run tests/property/fuzz` passes, give the file a name that says what it was, and commit both.',
  ].join('\n');
}
