import { describe, expect, it } from 'vitest';
import { previewBars } from '../../../../../src-shared/contract/rule-preview.ts';
import type { BodyState, Flow } from '../../../../../src-shared/flow/flow.ts';
import type { FlowSummary } from '../../../../../src-shared/flow/flow-summary.ts';
import { FaultSchema } from '../../../../../src-shared/rules/fault.ts';
import type { Match } from '../../../../../src-shared/rules/match.ts';
import type { Trigger } from '../../../../../src-shared/rules/trigger.ts';
import { PreviewRun } from '../../../../../src-main/engine/rules/rule-preview.ts';
import { StoredCallMatcher } from '../../../../../src-main/engine/rules/stored-call.ts';
import type { StoredCallSource } from '../../../../../src-main/engine/rules/stored-call.ts';

const row = {
  id: 'f1',
  kind: 'http',
  startedAtMs: 1000,
  durationMs: 50,
  caller: 'checkout',
  callee: 'payments',
  method: 'POST',
  host: 'payments.local:8101',
  path: '/v1/charge/7?debug=1',
  status: 200,
  faultedStatus: false,
  route: 'payments',
} as FlowSummary;

function source(
  fields: readonly [string, string][] | null = [],
  body: { state: BodyState; text: string } = { state: 'none', text: '' },
): StoredCallSource {
  return {
    flow: () => (fields === null ? null : ({ http: { requestHeaders: fields } } as unknown as Flow)),
    requestBody: (firstBytes) => ({
      state: body.state,
      bytes: Buffer.from(body.text).subarray(0, firstBytes),
    }),
  };
}

describe('a stored call', () => {
  it.each<[unknown, Match, Partial<FlowSummary>, StoredCallSource]>([
    [true, { caller: 'CHECKOUT', path: '/v1/charge/*', host: 'payments.local' }, {}, source()],
    [false, { method: 'GET' }, {}, source()],
    [true, { query: { debug: '1' }, route: 'pay*' }, {}, source()],
    [true, { header: { 'x-tenant': 'acme' } }, {}, source([['X-Tenant', 'acme']])],
    [false, { header: { 'x-tenant': 'acme' } }, {}, source()],
    ['flow', { header: { 'x-tenant': 'acme' } }, {}, source(null)],
    [true, { method: 'POST' }, {}, source(null)],
    ['listener', { listener: 'proxy' }, {}, source()],
    [false, { listener: 'proxy', method: 'GET' }, {}, source()],
    [true, { status: '2xx' }, {}, source()],
    [false, { status: '5xx' }, { status: null }, source()],
    ['status', { status: '2xx' }, { faultedStatus: true }, source()],
    [true, { body: { contains: 'visa' } }, {}, source([], { state: 'stored', text: 'a visa' })],
    [false, { body: { contains: 'visa' } }, {}, source()],
    ['body', { body: { contains: 'visa' } }, {}, source([], { state: 'evicted', text: '' })],
    ['body', { body: { contains: 'visa' } }, {}, source([], { state: 'truncated', text: 'short' })],
    [
      true,
      { body: { contains: 'or', firstBytes: 4 } },
      {},
      source([], { state: 'truncated', text: 'short' }),
    ],
    [true, { protocol: 'websocket' }, { kind: 'websocket' }, source([['Upgrade', 'websocket']])],
    [false, { protocol: 'tcp' }, {}, source()],
    [true, { protocol: 'tcp', caller: 'checkout' }, { kind: 'tcp' }, source()],
    ['host', { host: 'a' }, { kind: 'tcp' }, source()],
    [false, { path: '/' }, { kind: 'tcp' }, source()],
    [false, {}, { kind: 'refused' }, source()],
  ])('%j: %j, %j', (verdict, match, change, from) => {
    expect(new StoredCallMatcher(match, true).verdict({ ...row, ...change }, from)).toBe(verdict);
  });

  it('that is a tunnel is nothing for faults that act on HTTP', () => {
    expect(new StoredCallMatcher({}, false).verdict({ ...row, kind: 'tcp' }, source())).toBe(false);
  });
});

describe('a preview', () => {
  /** Ten calls, one a second, from 0 on; newest first, as a store gives them. */
  function preview(trigger: Trigger, limit = 100) {
    const run = new PreviewRun({ match: {}, trigger, faults: [] }, 0, 10_000);
    for (let call = 9; call >= 0; call -= 1)
      run.add({ ...row, id: `f${call}`, startedAtMs: call * 1000, durationMs: 1500 }, source());
    return run.result(limit, true);
  }

  it.each<[Trigger, number[]]>([
    [{}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
    [{ first: 2 }, [1, 0]],
    [{ after: 7 }, [9, 8, 7]],
    [{ every: 4 }, [7, 3]],
    [{ window: { from: '3s', to: '5s' } }, [4, 3]],
    [{ expires: '2s' }, [1, 0]],
    [{ rate: '8/m' }, [9, 8]],
    // Each lasts until after the next has begun.
    [{ maxConcurrent: 1 }, [8, 6, 4, 2, 0]],
  ])('with %j hits %j', (trigger, hits) => {
    const result = preview(trigger);
    expect(result.flows).toEqual(hits.map((call) => `f${call}`));
    expect(result).toMatchObject({
      hits: hits.length,
      matching: 10,
      considered: 10,
      share: 1,
      complete: true,
    });
  });

  it('draws with a seed, and gives the chance without one', () => {
    expect(preview({ probability: 0.5 })).toMatchObject({ hits: 10, share: 0.5 });
    const drawn = preview({ probability: 0.5, seed: 1 });
    expect(drawn.share).toBe(1);
    expect(drawn.hits).toBeGreaterThan(0);
    expect(drawn.hits).toBeLessThan(10);
  });

  it('gives no more ids than asked for', () => {
    expect(preview({}, 3)).toMatchObject({ hits: 10, flows: ['f9', 'f8', 'f7'] });
  });

  it('tells the window in equal parts, the oldest first', () => {
    const run = new PreviewRun({ match: {}, trigger: { first: 2 }, faults: [] }, 1000, previewBars * 10);
    const lastMs = 1000 + previewBars * 10 - 1;
    // The newest first; one began before the window and is counted with its first part.
    for (const startedAtMs of [lastMs + 5, lastMs, 1015, 1010, 1009, 990])
      run.add({ ...row, startedAtMs }, source());
    const { bars, considered } = run.result(10, true);
    expect(bars).toHaveLength(previewBars);
    expect(bars[0]).toEqual({ considered: 2, hits: 2 });
    expect(bars[1]).toEqual({ considered: 2, hits: 0 });
    expect(bars.at(-1)).toEqual({ considered: 2, hits: 0 });
    expect(bars.reduce((sum, bar) => sum + bar.considered, 0)).toBe(considered);
  });

  it('says what it could not know', () => {
    const faults = [FaultSchema.parse({ type: 'status', status: 500 })];
    const run = new PreviewRun(
      { match: { body: { contains: 'a' } }, trigger: { maxConcurrent: 1 }, faults },
      0,
      1,
    );
    run.add(row, source([], { state: 'dropped', text: '' }));
    const { undecided, matching, notes } = run.result(1, false);
    expect([undecided, matching]).toEqual([1, 0]);
    expect(notes).toHaveLength(2);
  });
});
