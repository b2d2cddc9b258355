import { describe, expect, test } from 'vitest';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import {
  addTerm,
  compileSearch,
  compileStoredSearch,
  completeSearch,
  explainSearch,
  maxSearchTerms,
  parseSearch,
  searchKeys,
  tokenizeSearch,
} from '#shared/flow/search.ts';
import type { SearchNode } from '#shared/flow/search.ts';

const row: FlowSummary = {
  id: 'mfx3k2a1c000001agent0',
  kind: 'http',
  startedAtMs: 1_750_000_000_000,
  durationMs: 1500,
  caller: 'checkout',
  callee: 'orders',
  method: 'POST',
  host: 'orders.internal:8080',
  path: '/api/orders/42?expand=items',
  status: 503,
  grpcStatus: null,
  sizeBytes: 12_000,
  protocol: 'h1',
  messages: null,
  faults: [],
  faultedStatus: false,
  injectedMs: 0,
  playback: false,
  cause: 'upstream-timeout',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  route: 'orders',
  connectionId: 'c1',
};

function ast(search: string): SearchNode {
  const parsed = parseSearch(search);
  if (!parsed.ok) throw new Error(`${search}: ${parsed.error.message}`);
  return parsed.ast;
}
const matches = (search: string, parts: Partial<FlowSummary> = {}) =>
  compileSearch(ast(search))({ ...row, ...parts });

describe('what matches', () => {
  test.each([
    '',
    '   ',
    'orders',
    'ORDERS',
    '42',
    '503',
    '5xx',
    '50X',
    'post checkout',
    'service:checkout',
    'service:orders',
    'caller:Check*',
    '-caller:orders',
    'callee:orders method:post',
    'method=POST',
    'host:orders.internal',
    'host:*.internal',
    'host:*:8080',
    'path:/api/',
    'path:/api/*',
    'path:"expand=items"',
    'status:503',
    'status:5xx',
    'status>=500 status<504',
    'status:*',
    'latency>1s',
    'latency>=1500ms latency<=1.5s latency<1m',
    'latency:1500',
    'size>10kB size<12KiB',
    'proto:h1 kind:http playback:no',
    'trace:4bf92f35',
    'route:orders',
    'error:timeout',
    'error:upstream-*',
    'error:*',
    'nothing or orders',
    '-(nothing or absent)',
    '(callee:orders or callee:payments) -fault:*',
    'api*items',
  ])('%s', (search) => expect(matches(search)).toBe(true));
});

describe('what does not match', () => {
  test.each([
    'nothing',
    '404',
    '4xx',
    '-orders',
    'service:order',
    'caller:orders',
    'host:internal*',
    'path:orders*',
    'status:500',
    'status>503',
    'latency<1s',
    'size>12kB',
    'proto:grpc',
    'playback:yes',
    'trace:bf92',
    'error:reset',
    'fault:*',
    'orders nothing',
    '"api*items"',
  ])('%s', (search) => expect(matches(search)).toBe(false));
});

test('what is absent matches nothing, and its opposite everything', () => {
  const open = { durationMs: null, status: null, method: null, traceId: null, route: null, cause: null };
  for (const search of [
    'latency>0',
    'latency<9',
    'status<600',
    'status:*',
    'method:*',
    'trace:4',
    'route:*',
    'error:*',
  ]) {
    expect(matches(search, open), search).toBe(false);
    expect(matches(`-${search}`, open), search).toBe(true);
  }
});

test('case is folded for the letters of ASCII and no others, as in SQL', () => {
  expect(matches('callee:ÉTÉ', { callee: 'Été' })).toBe(false);
  expect(matches('callee:ÉTé', { callee: 'Été' })).toBe(true);
});

test('what the row does not hold is left to the store, unless the rest decides', () => {
  expect(matches('header:x-id')).toBe('needs-store');
  expect(matches('-body:secret')).toBe('needs-store');
  expect(matches('header:x-id callee:payments')).toBe(false);
  expect(matches('header:x-id or callee:orders')).toBe(true);
  expect(matches('fault:r1', { faults: ['r1'] })).toBe(true);
  expect(matches('fault:slow', { faults: ['r1'] })).toBe('needs-store');
  expect(matches('fault:slow')).toBe(false);
  const stored = {
    headerLines: () => ['X-Id: 7'],
    bodyTexts: () => ['Out of Stock'],
    faultTexts: () => ['Slow orders'],
  };
  const inStore = (search: string) => compileStoredSearch(ast(search))({ ...row, faults: ['r1'] }, stored);
  expect(inStore('header:"x-id: 7" body:"out of stock" fault:slow')).toBe(true);
  expect(inStore('header:x*7 body:of*stock')).toBe(true);
  expect(inStore('-body:stock')).toBe(false);
});

test.each([
  ['sevice:orders', 0, 6, 'There is no field "sevice". Expected one of service, caller'],
  ['orders latency>', 14, 1, 'Expected a value after latency>, as in latency>1s.'],
  ['latency> 1s', 7, 1, 'Expected a value after latency>'],
  ['latency>soon', 8, 4, 'Expected a duration such as 250ms, 1.5s or 2m'],
  ['size>10seconds', 5, 9, 'Expected a size such as 512'],
  ['status:abc', 7, 3, 'Expected a status such as 404'],
  ['caller>orders', 6, 1, 'caller is a text: expected ":" here.'],
  ['proto:ftp', 6, 3, 'Expected one of h1, h2, h3, ws, grpc, tcp, tls, postgresql, redis.'],
  ['kind:x', 5, 1, 'Expected one of http, websocket'],
  ['(orders', 0, 1, 'This parenthesis is not closed.'],
  ['orders)', 6, 1, 'This parenthesis was not opened.'],
  ['"orders', 0, 7, 'Expected a closing quote.'],
  ['path:"x', 5, 2, 'Expected a closing quote.'],
  ['path:""', 5, 2, 'Expected a text'],
  ['""', 0, 2, 'Expected a text between the quotes.'],
  ['or orders', 0, 2, 'Expected a word or a field'],
  ['orders or', 9, 0, 'Expected a word or a field'],
  ['()', 1, 1, 'Expected a word or a field'],
  [`${'-('.repeat(60)}x`, 51, 1, 'More than 50 levels deep.'],
])('%s is refused with its place', (search, at, length, message) => {
  const parsed = parseSearch(search);
  expect(parsed).toMatchObject({ ok: false, error: { at, length } });
  if (!parsed.ok) expect(parsed.error.message).toContain(message);
});

test('the number of terms is bounded', () => {
  expect(parseSearch('a '.repeat(maxSearchTerms)).ok).toBe(true);
  expect(parseSearch('a '.repeat(maxSearchTerms + 1))).toMatchObject({
    ok: false,
    error: { at: 2 * maxSearchTerms },
  });
});

test('tokens are what the search box colours', () => {
  const kinds = (text: string) => tokenizeSearch(text).map(({ kind, text: meant }) => `${kind} ${meant}`);
  expect(kinds('service:checkout latency>=1s or -("a b" orders:8080)')).toEqual([
    'key service',
    'operator :',
    'value checkout',
    'key latency',
    'operator >=',
    'number 1s',
    'or or',
    'not -',
    'open (',
    'value a b',
    'value orders:8080',
    'close )',
  ]);
  expect(kinds('https://a/b "or" nope:x "open')).toEqual([
    'value https://a/b',
    'value or',
    'error nope',
    'operator :',
    'value x',
    'error a closing quote',
  ]);
});

test('every field has an example that is a search', () => {
  for (const { key, example } of searchKeys) {
    expect(parseSearch(example), example).toMatchObject({ ok: true });
    expect(example.startsWith(key)).toBe(true);
  }
});

test('a term is added once, within what is there', () => {
  expect(addTerm('', 'service:orders')).toBe('service:orders');
  expect(addTerm('5xx', 'service:orders')).toBe('5xx service:orders');
  expect(addTerm('5xx service:orders', 'service:orders')).toBe('5xx service:orders');
  expect(addTerm('a or b', 'service:orders')).toBe('(a or b) service:orders');
  expect(addTerm('5xx -service:orders', 'service:orders')).toBe('status:5xx service:orders');
  expect(addTerm('service:orders', '-service:orders')).toBe('-service:orders');
  expect(addTerm('(a or b) -service:orders', 'service:orders')).toBe('(a or b) service:orders');
  expect(addTerm('broken(', 'service:orders')).toBe('broken(');
});

test('completion offers fields, then values', () => {
  const labels = (text: string) => completeSearch(text, text.length).options.map(({ label }) => label);
  expect(labels('service:checkout fau')).toEqual(['fault:']);
  expect(completeSearch('service:checkout fau', 20)).toMatchObject({ key: null, from: 17, to: 20 });
  expect(labels('lat')).toEqual(['latency>']);
  expect(labels('')).toHaveLength(searchKeys.length);
  expect(labels('proto:')).toContain('grpc');
  expect(labels('method:P')).toEqual(['POST', 'PUT', 'PATCH']);
  expect(completeSearch('callee:or', 9)).toMatchObject({ key: 'callee', from: 7, to: 9, options: [] });
});

test('a search can be said in words', () => {
  expect(explainSearch(ast('service:checkout latency>1s -(5xx or refused)'))).toBe(
    'caller or callee is checkout, and latency > 1000 ms, and not (status from 500 to 599, or "refused" in method, host, path, service or status)',
  );
});

describe('rules by their ids, and calls by theirs', () => {
  test('a rule is found by its id alone, and the row decides it', () => {
    expect(matches('rule:payments-is-slow', { faults: ['other', 'payments-is-slow'] })).toBe(true);
    expect(matches('rule:payments-*', { faults: ['payments-is-slow'] })).toBe(true);
    expect(matches('rule:payments', { faults: ['payments-is-slow'] })).toBe(false);
    expect(matches('-rule:payments')).toBe(true);
  });

  test('ids are a list, and those calls are found and no others', () => {
    expect(matches(`id:${row.id}`)).toBe(true);
    expect(matches(`id:a1,${row.id.toUpperCase()},b2`)).toBe(true);
    expect(matches('id:a1,b2')).toBe(false);
    expect(matches(`-id:${row.id}`)).toBe(false);
    expect(explainSearch(ast('id:b2,a1,b2'))).toBe('one of 2 calls');
  });

  test('what is no list of ids is told, and more than there may be', () => {
    const problem = (search: string): string => {
      const parsed = parseSearch(search);
      return parsed.ok ? '' : parsed.error.message;
    };
    expect(problem('id:a_b')).toBe(
      'Expected ids of flows, with commas between them, as in id:mfx3k2a1c000703k3v9q2.',
    );
    expect(problem('id:,')).toContain('Expected ids');
    const ids = Array.from({ length: 1001 }, (_, index) => index.toString(36));
    expect(problem(`id:${ids.join(',')}`)).toBe('More than 1000 ids.');
    expect(problem(`id:${ids.slice(1).join(',')}`)).toBe('');
  });
});
