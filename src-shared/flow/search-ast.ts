import type { ChoiceKey, NumberKey, TextKey } from './search-keys.ts';

export type Comparison = '>' | '>=' | '<' | '<=' | '=';

/** A text to compare with. `glob`: `*` stands for any part. */
export interface SearchPattern {
  readonly text: string;
  readonly glob: boolean;
}

/** A search, understood. Plain data: it crosses to the recorder's thread as it is. */
export type SearchNode =
  /** The empty search: everything. */
  | { readonly type: 'all' }
  | { readonly type: 'and' | 'or'; readonly nodes: readonly SearchNode[] }
  | { readonly type: 'not'; readonly node: SearchNode }
  /** Method, host, path, caller, callee or status contains the text. */
  | { readonly type: 'word'; readonly pattern: SearchPattern }
  | { readonly type: 'text'; readonly key: TextKey; readonly pattern: SearchPattern }
  /** Flows by their ids, in lower case, sorted, each once. */
  | { readonly type: 'ids'; readonly ids: readonly string[] }
  | { readonly type: 'choice'; readonly key: ChoiceKey; readonly value: string }
  /** Latency in ms, size in bytes. An open flow has no latency: no comparison holds. */
  | { readonly type: 'number'; readonly key: NumberKey; readonly op: Comparison; readonly value: number }
  /** `5xx`, `50x`: both ends included. */
  | { readonly type: 'status-class'; readonly low: number; readonly high: number };

/** Why a search is not understood, and where. */
export interface SearchError {
  /** What was expected, as a sentence. */
  readonly message: string;
  /** Offset and length of the place, in UTF-16 code units. */
  readonly at: number;
  readonly length: number;
}

export type SearchResult =
  { readonly ok: true; readonly ast: SearchNode } | { readonly ok: false; readonly error: SearchError };

/** A bound that keeps the SQL made of a search within SQLite's limit on the depth of an expression. */
export const maxSearchTerms = 100;
/** Room for that many ids beside the rest of a search. */
export const maxSearchLetters = 32_768;
/** Of one `id:`: as many as a preview of a rule names. */
export const maxSearchIds = 1000;
export const maxSearchDepth = 50;
