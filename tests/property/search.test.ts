import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failureCauses } from '#shared/flow/failure-cause.ts';
import {
  compileSearch,
  compileStoredSearch,
  completeSearch,
  explainSearch,
  parseSearch,
  printSearch,
  tokenizeSearch,
} from '#shared/flow/search.ts';
import type { SearchNode, SearchPattern } from '#shared/flow/search.ts';
import { readIndex } from '../../src-main/engine/capture/batch-codec.ts';
import { CaptureStore } from '../../src-main/engine/capture/capture-store.ts';
import { faultTexts } from '../../src-main/engine/capture/capture-row.ts';
import { searchToSql } from '../../src-main/engine/capture/search-sql.ts';
import { silentLog } from '../../src-main/engine/log.ts';
import {
  anyRow,
  appliedFault,
  batchOf,
  flowRecord,
  idOf,
  parted,
} from '../unit/src-main/engine/capture/flow-records.ts';

// Few and awkward words, so that they meet: wildcards of LIKE, quotes, letters beyond ASCII whose case must count.
const words = [
  'orders',
  'ORD',
  'a%b',
  'a_b',
  'ab',
  'a\\b',
  "o'r",
  'É',
  'é',
  '50',
  '5',
  '"',
  'x or y',
  '-z',
  'a:b',
  '(',
];
const word = fc.constantFrom(...words);
const plain: fc.Arbitrary<SearchPattern> = fc.oneof(
  word.map((text) => ({ text, glob: false })),
  fc
    .constantFrom('a*', '*b', '*', '**', 'a*b', 'o*d*s', '*É*', 'ord*', '*:8080')
    .map((text) => ({ text, glob: true })),
  fc.constant({ text: 'a*b', glob: false }),
);
const comparison = fc.constantFrom('>', '>=', '<', '<=', '=');
const leaf: fc.Arbitrary<SearchNode> = fc.oneof(
  plain.map((pattern) => ({ type: 'word' as const, pattern })),
  fc.record({
    type: fc.constant('text' as const),
    key: fc.constantFrom(
      'service',
      'caller',
      'callee',
      'method',
      'host',
      'path',
      'route',
      'trace',
      'error',
      'fault',
      'rule',
    ),
    pattern: plain,
  }),
  fc
    .uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 })
    .map((numbers) => ({ type: 'ids' as const, ids: numbers.map(idOf).sort() })),
  fc.constantFrom(
    { type: 'choice' as const, key: 'proto' as const, value: 'h1' },
    { type: 'choice' as const, key: 'proto' as const, value: 'grpc' },
    { type: 'choice' as const, key: 'kind' as const, value: 'tcp' },
    { type: 'choice' as const, key: 'playback' as const, value: 'yes' },
    { type: 'choice' as const, key: 'playback' as const, value: 'no' },
    { type: 'status-class' as const, low: 500, high: 599 },
    { type: 'status-class' as const, low: 500, high: 509 },
  ),
  fc.record({
    type: fc.constant('number' as const),
    key: fc.constantFrom('status', 'latency', 'size'),
    op: comparison,
    value: fc.constantFrom(0, 0.001, 12.5, 200, 503, 1000, 1e12),
  }),
) as fc.Arbitrary<SearchNode>;
const { search: searches } = fc.letrec<{ search: SearchNode }>((tie) => ({
  search: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({
      type: fc.constantFrom('and', 'or'),
      nodes: fc.array(tie('search'), { minLength: 2, maxLength: 3 }),
    }) as fc.Arbitrary<SearchNode>,
    tie('search').map((node) => ({ type: 'not' as const, node })),
  ),
}));

const name = fc.oneof(word, fc.constantFrom('orders-db', 'Orders', 'aXb'));
const flows = fc
  .array(
    fc.record({
      kind: fc.constantFrom('http', 'tcp', 'refused'),
      durationMs: fc.constantFrom(-1, 0, 12.5, 1000.001),
      caller: name,
      callee: name,
      route: fc.option(name),
      method: fc.constantFrom('', 'GET', 'get', 'A%B'),
      host: fc.constantFrom('orders:8080', 'ab', 'É.example:1', 'a:b'),
      path: name,
      status: fc.constantFrom(0, 200, 500, 503, 550),
      trace: fc.boolean(),
      size: fc.constantFrom(0, 50, 1000, 2 ** 40),
      grpcStatus: fc.constantFrom(-1, 0),
      cause: fc.option(fc.constantFrom(...failureCauses)),
      fault: fc.option(fc.tuple(word, word, fc.constantFrom('latency', 'status'))),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((rows) =>
    rows.map((row, number) =>
      flowRecord(number, {
        kind: row.kind as 'http',
        durationMs: row.durationMs,
        caller: { name: row.caller, resolvedBy: 'address', pid: null },
        callee: { name: row.callee, resolvedBy: 'host', pid: null },
        route: row.route,
        method: row.method,
        url: `http://${row.host}/${row.path}`,
        status: row.status,
        grpcStatus: row.grpcStatus,
        responseBodyBytes: row.size,
        requestFields: row.trace
          ? 'traceparent: 00-abababababababababababababababab-00f067aa0ba902b7-01\r\n'
          : '',
        error: row.cause === null ? null : { code: row.cause, cause: row.cause, message: '' },
        faults:
          row.fault === null
            ? []
            : [appliedFault({ ruleId: row.fault[0], ruleName: row.fault[1], type: row.fault[2] })],
      }),
    ),
  );

/** All in rows; all that can be in a block; some here and some there. */
const blockSizes = fc.constantFrom(Infinity, 1, 3);

let directory: string;
let store: CaptureStore;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'spike-search-'));
  store = new CaptureStore({ directory, log: silentLog, nowMs: Date.now, maxDiskBytes: 1024 ** 3 });
});
afterAll(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

test('SQL over the store, the test of a row, and the test of a stored flow agree', () => {
  fc.assert(
    fc.property(
      flows,
      fc.array(searches, { minLength: 8, maxLength: 8 }),
      blockSizes,
      (records, asts, minBlockFlows) => {
        store.clear();
        const bytes = batchOf(...records);
        const index = readIndex(bytes);
        store.write([parted(bytes, minBlockFlows)]);
        for (const ast of asts) {
          const inStore = new Set(store.summaries(searchToSql(ast), null, '', 100).map(({ id }) => id));
          expect(store.count(searchToSql(ast), null, '')).toBe(inStore.size);
          for (const { summary, faults } of index) {
            const expected = inStore.has(summary.id);
            const stored = compileStoredSearch(ast)(summary, {
              headerLines: () => [],
              bodyTexts: () => [],
              faultTexts: () => faultTexts(faults),
            });
            expect(stored, `${printSearch(ast)} on ${JSON.stringify(summary)}`).toBe(expected);
            const row = compileSearch(ast)(summary);
            if (row !== 'needs-store') expect(row).toBe(expected);
            else expect(summary.faults, 'only the name of a rule is not in the row').not.toEqual([]);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('rows come back from the store as they were indexed', () => {
  fc.assert(
    fc.property(flows, blockSizes, (records, minBlockFlows) => {
      store.clear();
      const bytes = batchOf(...records);
      const index = readIndex(bytes);
      store.write([parted(bytes, minBlockFlows)]);
      const rows = store.summaries(anyRow, null, '', 100);
      expect(rows.reverse()).toEqual(index.map(({ summary }) => summary));
      expect(store.flow(idOf(0)).caller.name).toBe(records[0]?.caller.name);
    }),
    { numRuns: 30 },
  );
});

test('a printed search is read as the same search', () => {
  fc.assert(
    fc.property(searches, (ast) => {
      expect(parseSearch(printSearch(ast))).toEqual({ ok: true, ast });
    }),
    { numRuns: 1000 },
  );
});

const anyText = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        'service:',
        'status',
        '>',
        '=',
        ':',
        '(',
        ')',
        '-',
        ' ',
        '"',
        'or',
        '5xx',
        '*',
        'a',
        '\\',
        '1s',
        '😀',
      ),
    )
    .map((parts) => parts.join('')),
);

test('any text is read, or refused with a place within it', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const result = parseSearch(text);
      if (result.ok) {
        expect(parseSearch(printSearch(result.ast))).toEqual(result);
        expect(explainSearch(result.ast)).not.toBe('');
        return;
      }
      const { at, length, message } = result.error;
      expect(message).toMatch(/\.$/);
      expect(at).toBeGreaterThanOrEqual(0);
      expect(at + length).toBeLessThanOrEqual(text.length);
    }),
    { numRuns: 2000 },
  );
});

test('tokens lie in order, do not overlap, and leave out white space only', () => {
  fc.assert(
    fc.property(anyText, fc.nat(60), (text, caret) => {
      let end = 0;
      for (const { at, length } of tokenizeSearch(text)) {
        expect(text.slice(end, at).trim()).toBe('');
        expect(length).toBeGreaterThan(0);
        end = at + length;
      }
      expect(text.slice(end).trim()).toBe('');
      const place = Math.min(caret, text.length);
      const { from, to } = completeSearch(text, place);
      expect(from).toBeGreaterThanOrEqual(0);
      expect(from).toBeLessThanOrEqual(to);
      expect(to).toBe(place);
    }),
    { numRuns: 1000 },
  );
});
