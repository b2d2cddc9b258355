import { bounded, counted } from '../shown.ts';

/** What a command did, by the tags of CommandComplete; a simple query may have many. */
export class Tally {
  #statements = 0;
  readonly #counts = new Map<string, number>();
  #others = 0;

  /** @param tag As the server says it: `SELECT 3`, `INSERT 0 1`, `CREATE TABLE`. */
  add(tag: string): void {
    this.#statements++;
    const numbered = /^([A-Z]+)(?: \d+)? (\d+)$/.exec(tag);
    const key = numbered === null ? tag : `${numbered[1]} #`;
    const known = this.#counts.get(key);
    if (known === undefined && this.#counts.size >= tagLimit) this.#others++;
    else this.#counts.set(key, (known ?? 0) + (numbered === null ? 1 : Number(numbered[2])));
  }

  /** `3 rows`; of several statements: `3 statements: 3 rows, 1 row inserted, COMMIT`; '' when nothing has come. */
  toString(): string {
    const parts = [...this.#counts].map(([key, count]) => phrase(key, count));
    if (this.#others > 0) parts.push(`${this.#others} others`);
    const what = parts.join(', ');
    return this.#statements > 1 ? `${this.#statements} statements: ${what}` : what;
  }
}

/** Kinds of tags that are told apart: there are about ten that count, and a hundred of others. */
const tagLimit = 8;
const longestTag = 64;

const rowPhrases: Readonly<Record<string, string>> = {
  'SELECT #': '',
  'FETCH #': '',
  'INSERT #': ' inserted',
  'UPDATE #': ' updated',
  'DELETE #': ' deleted',
  'MERGE #': ' merged',
  'MOVE #': ' moved over',
  'COPY #': ' copied',
};

function phrase(key: string, count: number): string {
  const rows = rowPhrases[key];
  if (rows !== undefined) return `${counted(count, 'row')}${rows}`;
  const tag = bounded(key.replace(' #', ''), longestTag);
  if (key.endsWith(' #')) return `${tag} ${count}`;
  return count === 1 ? tag : `${count} × ${tag}`;
}
