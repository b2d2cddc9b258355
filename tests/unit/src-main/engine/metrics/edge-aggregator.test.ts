import { describe, expect, it } from 'vitest';
import { EdgeAggregator } from '../../../../../src-main/engine/metrics/edge-aggregator.ts';
import { readEdgeReport } from '../../../../../src-main/engine/metrics/edge-report.ts';
import { countOf, percentilesOf } from '../../../../../src-main/engine/metrics/sparse-histogram.ts';
import { appliedFault, flowError, flowRecord, service } from '../../../../support/flow-record.ts';

const limits = { maxEdges: 2, maxTemplatesPerEdge: 2, maxCachedPaths: 100 };

describe('EdgeAggregator', () => {
  it('counts calls by edge and by endpoint', () => {
    const edges = new EdgeAggregator();
    for (const id of [1, 2, 3]) edges.add(flowRecord({ url: `http://orders/orders/${id}`, durationMs: 20 }));
    edges.add(flowRecord({ method: 'POST', url: 'http://orders/orders', status: 500, durationMs: 40 }));
    edges.add(flowRecord({ callee: service('payments'), status: 404 }));
    const { edges: deltas, overflow } = edges.takeReport();
    expect(overflow).toEqual({ edges: 0, templates: 0 });
    expect(deltas.map(({ caller, callee, protocol, counts }) => [caller, callee, protocol, counts])).toEqual([
      [
        'web',
        'orders',
        'http',
        {
          calls: 4,
          failed: 1,
          unreachable: 0,
          clientErrors: 0,
          injected: 0,
          injectedFailed: 0,
          requestBytes: 400,
          responseBytes: 4600,
        },
      ],
      [
        'web',
        'payments',
        'http',
        {
          calls: 1,
          failed: 0,
          unreachable: 0,
          clientErrors: 1,
          injected: 0,
          injectedFailed: 0,
          requestBytes: 100,
          responseBytes: 1150,
        },
      ],
    ]);
    expect(deltas[0]?.outcomes).toEqual({ '2xx': 3, '5xx': 1 });
    expect(deltas[0]?.endpoints.map(({ template, calls, failed }) => ({ template, calls, failed }))).toEqual([
      { template: 'GET /orders/{id}', calls: 3, failed: 0 },
      { template: 'POST /orders', calls: 1, failed: 1 },
    ]);
    expect(edges.takeReport().edges).toEqual([]);
  });

  it('keeps the latencies of calls that a fault acted on apart', () => {
    const edges = new EdgeAggregator();
    for (let i = 0; i < 10; i += 1) edges.add(flowRecord({ durationMs: 10 }));
    for (let i = 0; i < 5; i += 1) edges.add(flowRecord({ durationMs: 2000, faults: [appliedFault()] }));
    edges.add(flowRecord({ status: 503, faults: [appliedFault({ status: 503 })] }));
    const delta = edges.takeReport().edges[0];
    if (delta === undefined) throw new Error('no edge');
    expect([countOf(delta.clean), countOf(delta.faulted)]).toEqual([10, 6]);
    expect(percentilesOf(delta.clean).max).toBeCloseTo(10, 0);
    expect(delta.counts).toMatchObject({ calls: 16, injected: 6, injectedFailed: 1, failed: 0 });
    expect(delta.injectedStatuses).toEqual({ '503': 1 });
  });

  it('knows what is in flight, also over reports, and forgets what ended', () => {
    const edges = new EdgeAggregator();
    const open = flowRecord({ id: 'a', durationMs: -1 });
    edges.begin(open);
    edges.begin(open);
    edges.begin(flowRecord({ id: 'b', durationMs: -1 }));
    expect(edges.takeReport().edges[0]).toMatchObject({ inFlight: 2, counts: { calls: 0 } });
    expect(edges.openFlowIds(1)).toEqual(['b']);
    edges.add({ ...open, durationMs: 5 });
    edges.end('b');
    expect(edges.takeReport().edges[0]).toMatchObject({ inFlight: 0, counts: { calls: 1 } });
    expect(edges.openFlows).toBe(0);
    expect(edges.takeReport().edges).toEqual([]);
  });

  it('counts the bytes of a long flow while they pass, each once', () => {
    const edges = new EdgeAggregator();
    const tunnel = flowRecord({
      id: 't',
      kind: 'tcp',
      durationMs: -1,
      requestHeadBytes: 0,
      responseHeadBytes: 0,
    });
    edges.add({ ...tunnel, requestBodyBytes: 10, responseBodyBytes: 100 });
    expect(edges.takeReport().edges[0]).toMatchObject({
      inFlight: 1,
      counts: { calls: 0, requestBytes: 10, responseBytes: 100 },
    });
    edges.add({ ...tunnel, requestBodyBytes: 15, responseBodyBytes: 300, durationMs: 90_000 });
    expect(edges.takeReport().edges[0]).toMatchObject({
      inFlight: 0,
      counts: { calls: 1, requestBytes: 5, responseBytes: 200 },
    });
  });

  it('moves a request that became a WebSocket to its own edge', () => {
    const edges = new EdgeAggregator();
    const request = flowRecord({ id: 'w', durationMs: -1 });
    edges.begin(request);
    edges.begin({ ...request, kind: 'websocket' });
    const inFlight = edges.takeReport().edges.map((delta) => [delta.protocol, delta.inFlight]);
    expect(inFlight).toEqual([['websocket', 1]]);
  });

  it('counts refused requests and failed handshakes on the edge of the calls they would have been', () => {
    const edges = new EdgeAggregator();
    edges.add(flowRecord());
    edges.add(flowRecord({ kind: 'tls-failure', method: '', error: flowError('tls-client-distrusts-ca') }));
    edges.add(flowRecord({ kind: 'refused', method: '', error: flowError('client-malformed-request') }));
    const report = edges.takeReport();
    expect(report.edges).toHaveLength(1);
    expect(report.edges[0]).toMatchObject({ protocol: 'http', counts: { calls: 3, failed: 2 } });
  });

  it('tells gRPC by its content type, on HTTP/2 alone', () => {
    const edges = new EdgeAggregator();
    const requestFields = 'te: trailers\r\ncontent-type: application/grpc+proto\r\n';
    edges.add(flowRecord({ httpVersion: '2', requestFields }));
    edges.add(flowRecord({ httpVersion: '1.1', requestFields }));
    expect(edges.takeReport().edges.map(({ protocol }) => protocol)).toEqual(['grpc', 'http']);
  });

  it('counts what is over a bound as other, and says how much', () => {
    const edges = new EdgeAggregator(limits);
    for (const name of ['a', 'b', 'c', 'd']) edges.add(flowRecord({ callee: service(name) }));
    for (const path of ['x', 'y', 'z'])
      edges.add(flowRecord({ callee: service('a'), url: `http://a/${path}` }));
    const report = edges.takeReport();
    expect(report.edges.map(({ callee, counts }) => [callee, counts.calls])).toEqual([
      ['a', 4],
      ['b', 1],
      ['other', 2],
    ]);
    expect(report.edges[0]?.endpoints.map(({ template, calls }) => [template, calls])).toEqual([
      ['GET /orders/{id}', 1],
      ['GET /x', 1],
      ['other', 2],
    ]);
    expect(report.overflow).toEqual({ edges: 2, templates: 2 });
  });

  it('makes reports that survive the channel and its check', () => {
    const edges = new EdgeAggregator();
    edges.add(flowRecord({ faults: [appliedFault({ status: 503 })], status: 503 }));
    const report = edges.takeReport();
    expect(readEdgeReport(structuredClone(report))).toEqual(report);
  });
});

describe('readEdgeReport', () => {
  const good = (): Record<string, unknown> => {
    const edges = new EdgeAggregator();
    edges.add(flowRecord());
    return structuredClone(edges.takeReport()) as unknown as Record<string, unknown>;
  };
  const edgeOf = (report: Record<string, unknown>): Record<string, unknown> =>
    (report['edges'] as Record<string, unknown>[])[0] as Record<string, unknown>;

  it.each<[string, (report: Record<string, unknown>) => unknown]>([
    ['nothing', () => null],
    ['a text', () => 'report'],
    ['no edges', (report) => ({ ...report, edges: undefined })],
    ['no overflow', (report) => ({ ...report, overflow: undefined })],
    ['a missing count', (report) => (delete (edgeOf(report)['counts'] as { calls?: number }).calls, report)],
    [
      'a count that is NaN',
      (report) => (((edgeOf(report)['counts'] as { calls: number }).calls = NaN), report),
    ],
    ['a negative gauge', (report) => ((edgeOf(report)['inFlight'] = -1), report)],
    ['half a histogram', (report) => ((edgeOf(report)['clean'] = new Uint16Array(3)), report)],
    ['a histogram that is none', (report) => ((edgeOf(report)['faulted'] = [1, 2]), report)],
    ['an endpoint that is none', (report) => ((edgeOf(report)['endpoints'] = [null]), report)],
  ])('refuses %s', (_, spoil) => {
    expect(readEdgeReport(good())).not.toBeNull();
    expect(readEdgeReport(spoil(good()))).toBeNull();
  });
});
