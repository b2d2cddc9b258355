/**
 * The search language: what the search box, the API's `filter` and the command line read.
 *
 *     text ─► tokenizeSearch ─► parseSearch ─► SearchNode ─┬─► compileSearch        loaded rows (here)
 *               (colours)        (or where                 ├─► compileStoredSearch  a stored flow, headers and bodies
 *                                 it is wrong)             ├─► the recorder's SQL   (src-main/engine/capture/search-sql.ts)
 *                                                          └─► printSearch, explainSearch
 *
 * Case does not matter for the letters of ASCII. `*` is any part, quotes make every character stand for itself.
 */
export type { Comparison, SearchError, SearchNode, SearchPattern, SearchResult } from './search-ast.ts';
export { maxSearchDepth, maxSearchIds, maxSearchLetters, maxSearchTerms } from './search-ast.ts';
export { searchKeys } from './search-keys.ts';
export type { ChoiceKey, NumberKey, SearchKey, TextKey } from './search-keys.ts';
export { compileSearch, compileStoredSearch, needsContent } from './search-match.ts';
export { matchesParts, patternParts } from './search-match.ts';
export type { RowMatch, StoredTexts } from './search-match.ts';
export { parseSearch } from './search-parser.ts';
export { addTerm, completeSearch, explainSearch, printSearch } from './search-text.ts';
export type { SearchCompletion } from './search-text.ts';
export { tokenizeSearch } from './search-tokens.ts';
export type { SearchToken } from './search-tokens.ts';
