import { describe, expect, it } from 'vitest';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import { ScenarioReportSchema } from '#shared/scenarios/report.ts';
import type { ScenarioReport } from '#shared/scenarios/report.ts';
import { CallTally, mostTalliedEdges } from '../../../../../src-main/engine/scenarios/call-tally.ts';
import { reportPage } from '../../../../../src-main/engine/scenarios/report-page.ts';
import { buildReport } from '../../../../../src-main/engine/scenarios/report.ts';

const startMs = 1_700_000_000_000;
const second = 1000;
/** 0 s fine, 10 s payments down, 20 s recovered, 30 s the end. */
const boundsMs = [0, 10, 20, 30].map((at) => startMs + at * second);
const spans = [
  { name: 'before', fromMs: startMs, rules: [] },
  { name: 'payments down', fromMs: startMs + 10 * second, rules: ['payments is down'] },
  { name: 'recovered', fromMs: startMs + 20 * second, rules: [] },
];
const down = { faults: ['down'], faultedStatus: true, status: 503 };

let number = 0;
function call(
  caller: string,
  callee: string,
  atSeconds: number,
  more: Partial<FlowSummary> = {},
): FlowSummary {
  number += 1;
  return {
    id: String(number),
    kind: 'http',
    startedAtMs: startMs + atSeconds * second,
    durationMs: 10,
    caller,
    callee,
    method: 'GET',
    host: callee,
    path: '/',
    status: 200,
    grpcStatus: null,
    sizeBytes: 0,
    protocol: 'h1',
    messages: null,
    faults: [],
    faultedStatus: false,
    injectedMs: 0,
    playback: false,
    cause: null,
    traceId: null,
    route: null,
    connectionId: 'c',
    ...more,
  };
}

/** One call each tenth of a second. */
function calls(
  caller: string,
  callee: string,
  [from, to]: readonly [number, number],
  more?: Partial<FlowSummary>,
) {
  return Array.from({ length: Math.round((to - from) * 10) }, (_, index) =>
    call(caller, callee, from + index / 10, more),
  );
}

function report(
  rows: readonly FlowSummary[],
  assertions: readonly string[] = [],
  reason: string | null = null,
): ScenarioReport {
  const query = { boundsMs, sliceMs: 250 };
  const tally = new CallTally(query);
  for (const row of rows) tally.add(row);
  const made = buildReport({
    ...{ id: 'r', scenario: 'black friday', startMs, reason, spans, assertions, notes: [] },
    ...{ boundsMs, sliceMs: query.sliceMs, tallies: tally.result(true) },
  });
  expect(ScenarioReportSchema.parse(made)).toEqual(made);
  return made;
}

/** checkout answers what it is asked, though payments is down. */
const withFallback = [
  ...calls('checkout', 'payments', [0, 10]),
  ...calls('checkout', 'payments', [10, 20], down),
  ...calls('checkout', 'payments', [20, 30]),
  ...calls('web', 'checkout', [0, 30]),
];

const caller = ({ callers }: ScenarioReport, name: string) => callers.find((one) => one.name === name);

describe('the report of a scenario', () => {
  it('counts each call once, in the phase that it began in', () => {
    const before = call('web', 'checkout', -0.001);
    const after = call('web', 'checkout', 30);
    const made = report([...withFallback, before, after]);
    expect(made.all.phases.map((phase) => [phase.calls, phase.errors, phase.hits])).toEqual([
      [200, 0, 0],
      [200, 100, 100],
      [200, 0, 0],
    ]);
    const [checkout] = made.callers;
    expect(checkout?.edges.map(({ callee, phases }) => [callee, phases.map(({ calls: n }) => n)])).toEqual([
      ['payments', [100, 100, 100]],
    ]);
    expect(checkout?.phases[1]).toMatchObject({
      errorRate: 1,
      errorsByFault: 100,
      statuses: { 503: 100 },
      perSecond: 10,
    });
    expect(checkout?.slices.reduce((sum, slice) => sum + slice.calls, 0)).toBe(300);
  });

  it('says that a fallback held, that one did not, and what a client met', () => {
    const held = report(withFallback);
    expect(caller(held, 'checkout')).toMatchObject({ verdict: 'held' });
    expect(caller(held, 'checkout')?.sentence).toBe(
      'It held. In "payments down" 100 of 100 calls to payments were hit and 100 failed. ' +
        'Of the 100 calls that checkout answered meanwhile none failed, p95 10 ms, 10 ms before.',
    );
    expect(caller(held, 'web')?.sentence).toBe('No fault acted on the 300 calls of web; none failed.');

    const failing = [...withFallback, ...calls('web', 'checkout', [10, 20], { status: 500 })];
    const passedOn = caller(report(failing), 'checkout');
    expect(passedOn?.verdict).toBe('failed');
    expect(passedOn?.sentence).toContain('It passed the failure on.');
    expect(passedOn?.sentence).toContain(
      '200 calls that checkout answered meanwhile 100 failed (50 %, 0 % before)',
    );

    const slow = withFallback.map((row) =>
      row.callee === 'checkout' && row.startedAtMs >= startMs + 10_000 ? { ...row, durationMs: 400 } : row,
    );
    expect(caller(report(slow), 'checkout')).toMatchObject({ verdict: 'degraded' });

    const client = report(withFallback.filter((row) => row.caller === 'checkout'));
    expect(caller(client, 'checkout')).toMatchObject({ verdict: 'failed', answered: null });
  });

  it('tells how long it took to be normal again', () => {
    expect(caller(report(withFallback), 'checkout')?.recovery).toMatchObject({ ms: 0 });
    const late = [
      ...withFallback.filter((row) => row.startedAtMs < startMs + 20_000 || row.caller === 'web'),
      ...calls('checkout', 'payments', [20, 23], { status: 502 }),
      ...calls('checkout', 'payments', [23, 30]),
    ];
    const recovery = caller(report(late), 'checkout')?.recovery;
    expect(recovery?.ms).toBeGreaterThanOrEqual(2500);
    expect(recovery?.ms).toBeLessThanOrEqual(3500);
    const never = late.map((row) =>
      row.startedAtMs >= startMs + 20_000 ? { ...row, durationMs: 900 } : row,
    );
    expect(caller(report(never), 'checkout')?.recovery).toMatchObject({ ms: null });
    expect(caller(report(withFallback), 'web')?.recovery.note).toContain('No fault acted');
  });

  it('counts what the caller met: faults, breaks, statuses of gRPC; and open calls, tunnels without latency', () => {
    const rows = [
      call('a', 'b', 1, { ...down, status: 429 }),
      call('a', 'b', 1, { status: 429 }),
      call('a', 'b', 1, { grpcStatus: 14 }),
      call('a', 'b', 1, { status: null, cause: 'client-timeout', faults: ['slow'] }),
      call('a', 'b', 1, { status: null, durationMs: null }),
      call('a', 'b', 1, { kind: 'tcp', protocol: 'tcp', status: null, durationMs: 5000 }),
    ];
    const made = report(rows);
    expect(made.all.total).toMatchObject({ calls: 6, errors: 3, errorsByFault: 2, hits: 2, open: 1 });
    expect(made.all.total).toMatchObject({ statuses: { 200: 1, 429: 2 }, causes: { 'client-timeout': 1 } });
    expect(made.all.total.max).toBeLessThan(11);
    expect(made.notes).toEqual([
      '1 calls were still open when the report was made; how they end is not known.',
    ]);
  });

  it('has a bound on edges, beyond which calls are counted all the same', () => {
    const rows = Array.from({ length: mostTalliedEdges + 7 }, (_, index) => call(`c${index}`, 'b', 1));
    const made = report(rows);
    expect(made.all.total.calls).toBe(mostTalliedEdges + 7);
    expect(made.notes[0]).toContain('7 calls of edges beyond');
  });
});

describe('assertions', () => {
  const results = (assertions: readonly string[], rows = withFallback) =>
    report(rows, assertions).assertions.map(({ passed, reason }) => [passed, reason]);

  it('hold or fail, with what was measured', () => {
    expect(
      results([
        'to(checkout).errorRate < 1%',
        'checkout.errorRate < 1%',
        'phase("payments down") edge(checkout->payments).errorRate == 100%',
        'phase("recovered") all.p95 < 1s',
        'checkout.recovery <= 0s',
        'to(payments).calls == 300',
      ]),
    ).toEqual([
      [true, 'It was 0 %.'],
      [false, 'It was 33.3 %; < 1 % was asserted.'],
      [true, 'It was 100 %.'],
      [true, 'It was 10 ms.'],
      [true, 'It was 0 ms.'],
      [true, 'It was 300.'],
    ]);
  });

  it('fail where nothing was measured', () => {
    const asked = [
      'nobody.errorRate < 1%',
      'edge(checkout->redis).p95 < 1s',
      'to(web).errors == 0',
      'all.recovery < 1s',
    ];
    for (const [passed] of results(asked)) expect(passed).toBe(false);
    const early = withFallback.filter((row) => row.startedAtMs < startMs + 10_000);
    expect(results(['phase("recovered") checkout.errorRate < 1%'], early)).toEqual([
      [false, 'There were no calls in "recovered", so nothing is known.'],
    ]);
  });

  it('decide whether it passed, as being stopped does', () => {
    expect(report(withFallback, ['all.calls > 0']).passed).toBe(true);
    expect(report(withFallback, ['all.calls == 0']).passed).toBe(false);
    expect(report(withFallback, [], 'it was stopped by hand')).toMatchObject({
      passed: false,
      outcome: 'stopped',
    });
  });
});

describe('the page', () => {
  it('needs nothing from elsewhere, and shows names as text', () => {
    const hostile = '<img src=x onerror=alert(1)>"\'&\u202e';
    const rows = [...withFallback, ...calls(hostile, 'payments', [10, 20], down)];
    const page = reportPage(report(rows, ['checkout.errorRate < 1%']));
    expect(page).not.toMatch(/<img|<script|<link|https?:|url\(|@import/);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\ufffd');
    expect(page).toContain('It held.');
    expect(page.match(/<svg /g)).toHaveLength(3);
    expect(page).toContain('class="phase"');
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).toContain('@media print');
  });

  it('is made of a run that nobody called in', () => {
    expect(reportPage(report([]))).toContain('Nobody called anybody');
  });
});
