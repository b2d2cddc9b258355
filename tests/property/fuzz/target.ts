import { readdirSync, readFileSync } from 'node:fs';

/** A parser, as the fuzzer sees it. A new one: a file of five lines' worth in targets.ts, and a few inputs in its corpus. */
export interface FuzzTarget {
  /** Its folder in tests/fixtures/corpus, and its name on the command line. */
  readonly name: string;
  /** Texts (latin1) that mean something to it: put in and glued on. */
  readonly dictionary: readonly string[];
  /**
   * Reads the whole input, handed over in pieces cut at `cuts` (none: in one piece), and tells what it found, as data.
   * What is found must not depend on the cuts. An input that is wrong is found to be so; whatever is thrown is a defect.
   */
  read(input: Buffer, cuts: readonly number[]): unknown;
}

const corpusUrl = new URL('../../fixtures/corpus/', import.meta.url);

export function corpusDirectory(name: string): URL {
  return new URL(`${name}/`, corpusUrl);
}

/** The saved inputs, by file name: what it began with, and every input that has been a defect. */
export function corpusOf(name: string): ReadonlyMap<string, Buffer> {
  const directory = corpusDirectory(name);
  const files = readdirSync(directory).sort();
  return new Map(files.map((file) => [file, readFileSync(new URL(file, directory))]));
}

/** Copies, so that a parser that keeps what it must not keep, or reads beyond its piece, is found out. */
export function piecesOf(input: Buffer, cuts: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, input.length].sort((a, b) => a - b)) {
    if (cut <= from || cut > input.length) continue;
    pieces.push(Buffer.from(input.subarray(from, cut)));
    from = cut;
  }
  return pieces;
}

/** What is wrong with the reading of an input; null: nothing. */
export function defectIn(target: FuzzTarget, input: Buffer, cuts: readonly number[]): string | null {
  try {
    const whole = JSON.stringify(target.read(Buffer.from(input), []));
    const split = JSON.stringify(target.read(Buffer.from(input), cuts));
    return whole === split ? null : `read in pieces, it is another:\n${whole}\n${split}`;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
