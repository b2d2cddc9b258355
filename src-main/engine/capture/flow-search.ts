import { setImmediate } from 'node:timers/promises';
import { SpikeError } from '#shared/contract/errors.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import { compileSearch, compileStoredSearch, needsContent, parseSearch } from '#shared/flow/search.ts';
import type { SearchNode } from '#shared/flow/search.ts';
import type { Clock } from '../clock.ts';
import type { CaptureStore } from './capture-store.ts';
import { searchToSql } from './search-sql.ts';
import type { SqlCondition } from './search-sql.ts';
import { loadTexts } from './stored-texts.ts';

export interface SearchQuery {
  readonly filter: string;
  readonly limit: number;
  /** Goes on below this id; absent: from the newest. */
  readonly after?: string | undefined;
}

export interface SearchPage {
  /** Newest first. May be fewer than `limit`, also none, although there is a `next`: the time was up. */
  readonly rows: readonly FlowSummary[];
  /** Hand it back as `after` to go on; null: there is nothing further. */
  readonly next: string | null;
  /** Bodies that a `body:` term could not look into as a whole: cut, too large, or of an unknown coding. */
  readonly unsearchedBodies: number;
}

export interface CountResult {
  readonly matching: number;
  readonly total: number;
  /** False: the time was up, `matching` counts the newest flows only. */
  readonly complete: boolean;
}

export interface SearchLimits {
  /** One search works no longer than this. Default 2,000 ms. */
  readonly maxSearchMs: number;
  /** Rows looked through before batches have their turn again. Defaults: 20,000; 50 where records are opened. */
  readonly windowRows: number;
  readonly contentWindowRows: number;
}
export const defaultSearchLimits: SearchLimits = {
  maxSearchMs: 2000,
  windowRows: 20_000,
  contentWindowRows: 50,
};

/** Throws `invalid-filter` with the place in `details`. */
export function readFilter(filter: string): SearchNode {
  const parsed = parseSearch(filter);
  if (parsed.ok) return parsed.ast;
  const { message, at, length } = parsed.error;
  throw new SpikeError('invalid-filter', `${message} (at character ${at + 1} of the search)`, {
    message,
    at,
    length,
  });
}

/**
 * Searches a store window by window, newest first, letting the recorder write in between: a search through a million
 * flows must not make the workers wait, and so lose flows.
 */
export class FlowSearch {
  readonly #store: CaptureStore;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #limits: SearchLimits;

  constructor(store: CaptureStore, clock: Pick<Clock, 'now'>, limits: SearchLimits = defaultSearchLimits) {
    this.#store = store;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Rejects with `invalid-filter`. */
  async page({ filter, limit, after }: SearchQuery): Promise<SearchPage> {
    const matcher = this.#matcher(readFilter(filter));
    const rows: FlowSummary[] = [];
    let next: string | null = null;
    for await (const window of this.#windows(after ?? null, matcher.windowRows)) {
      // One more than asked for tells whether there is a next page.
      rows.push(...(await matcher.rows(window, limit + 1 - rows.length)));
      if (rows.length > limit) {
        rows.length = limit;
        next = rows.at(-1)?.id ?? null;
        break;
      }
      if (window.last) next = window.end === '' ? null : window.end;
    }
    return { rows, next, unsearchedBodies: matcher.unsearchedBodies };
  }

  /** Rejects with `invalid-filter`. */
  async count(filter: string): Promise<CountResult> {
    const ast = readFilter(filter);
    const total = this.#store.stats().flows;
    if (ast.type === 'all') return { matching: total, total, complete: true };
    const matcher = this.#matcher(ast);
    let matching = 0;
    let complete = true;
    for await (const window of this.#windows(null, matcher.windowRows)) {
      matching += await matcher.count(window);
      complete = window.end === '';
    }
    return { matching, total, complete };
  }

  #matcher(ast: SearchNode): Matcher {
    return needsContent(ast)
      ? new ContentMatcher(this.#store, ast, this.#limits.contentWindowRows)
      : new ColumnMatcher(this.#store, ast, this.#limits.windowRows);
  }

  /** Windows of ids, newest first, until the end is reached or the time is up. */
  async *#windows(after: string | null, rows: number): AsyncGenerator<Window> {
    const endAtMs = this.#clock.now() + this.#limits.maxSearchMs;
    let before = after;
    for (;;) {
      const end = this.#store.windowEnd(before, rows);
      const last = end === '' || this.#clock.now() >= endAtMs;
      yield { before, end, last };
      if (last) return;
      before = end;
      await setImmediate();
    }
  }
}

/** Ids in [end, before). */
interface Window {
  readonly before: string | null;
  readonly end: string;
  /** There is no further one: all was looked through (`end` is ''), or the time is up. */
  readonly last: boolean;
}

interface Matcher {
  readonly windowRows: number;
  readonly unsearchedBodies: number;
  rows(window: Window, limit: number): FlowSummary[] | Promise<FlowSummary[]>;
  count(window: Window): number | Promise<number>;
}

/** All in SQL. */
class ColumnMatcher implements Matcher {
  readonly windowRows: number;
  readonly unsearchedBodies = 0;
  readonly #store: CaptureStore;
  readonly #condition: SqlCondition;

  constructor(store: CaptureStore, ast: SearchNode, windowRows: number) {
    this.#store = store;
    this.#condition = searchToSql(ast);
    this.windowRows = windowRows;
  }

  rows({ before, end }: Window, limit: number): FlowSummary[] {
    return this.#store.summaries(this.#condition, before, end, limit);
  }

  count({ before, end }: Window): number {
    return this.#store.count(this.#condition, before, end);
  }
}

/** SQL for what columns tell, then a look into each flow that is left. */
class ContentMatcher implements Matcher {
  readonly windowRows: number;
  unsearchedBodies = 0;
  readonly #store: CaptureStore;
  readonly #condition: SqlCondition;
  readonly #matchesRow: ReturnType<typeof compileSearch>;
  readonly #matchesStored: ReturnType<typeof compileStoredSearch>;
  readonly #withBodies: boolean;

  constructor(store: CaptureStore, ast: SearchNode, windowRows: number) {
    this.#store = store;
    this.#condition = searchToSql(ast);
    this.#matchesRow = compileSearch(ast);
    this.#matchesStored = compileStoredSearch(ast);
    this.#withBodies = needsContent(ast, 'body');
    this.windowRows = windowRows;
  }

  async rows({ before, end }: Window, limit: number): Promise<FlowSummary[]> {
    const found: FlowSummary[] = [];
    for (const row of this.#store.summaries(this.#condition, before, end)) {
      if (await this.#matches(row)) found.push(row);
      if (found.length >= limit) break;
    }
    return found;
  }

  async count(window: Window): Promise<number> {
    return (await this.rows(window, Infinity)).length;
  }

  async #matches(row: FlowSummary): Promise<boolean> {
    const match = this.#matchesRow(row);
    if (match !== 'needs-store') return match;
    const texts = await loadTexts(this.#store, row.id, this.#withBodies);
    if (texts === null) return false;
    this.unsearchedBodies += texts.unsearchedBodies;
    return this.#matchesStored(row, texts);
  }
}
