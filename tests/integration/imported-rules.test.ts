// Configurations of Istio and Envoy on live traffic: what their documentation says becomes what a caller meets.
import { describe, expect, it } from 'vitest';
import { importRules } from '../../src-main/control/rule-import.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { callThrough } from '../support/proxy-client.ts';

const scene = useScene();

/** A service named ratings under the rules that a text makes, and how often it was asked. */
async function ratings(text: string) {
  const asked: string[] = [];
  const server = await scene.peers.http((request, response) => {
    asked.push(request.url ?? '');
    response.end('four stars');
  });
  const { rules } = importRules(text, true);
  await scene.spike.configure({ routes: [routeTo(server.port, 'http', 'ratings')], rules });
  const call = (path: string, headers: Record<string, string> = {}) =>
    callThrough(scene.spike.proxy, `http://127.0.0.1:${server.port}${path}`, { headers });
  return { asked, call };
}

describe('rules that were imported', () => {
  it('abort for jason and nobody else, without asking the service (Istio)', async () => {
    const { asked, call } = await ratings(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ratings }
spec:
  hosts: [ratings]
  http:
  - match: [{ headers: { end-user: { exact: jason } } }]
    fault: { delay: { fixedDelay: 50ms, percentage: { value: 100 } }, abort: { httpStatus: 500, percentage: { value: 100 } } }
  - route: [{ destination: { host: ratings } }]
`);
    expect((await call('/0', { 'end-user': 'jason' })).status).toBe(500);
    expect((await call('/1', { 'end-user': 'mary' })).status).toBe(200);
    expect((await call('/2')).status).toBe(200);
    expect(asked).toEqual(['/1', '/2']);
    const { flow } = await scene.spike.flow(({ faults }) => faults.length > 0);
    expect(flow.faults.map(({ type, outcome }) => `${type} ${outcome}`).sort()).toEqual([
      'latency done',
      'status done',
    ]);
    expect(flow.faults.find(({ type }) => type === 'latency')?.delayedMs).toBeGreaterThanOrEqual(49);
  });

  it('abort what goes to a cluster, by its path (Envoy)', async () => {
    const { asked, call } = await ratings(`
'@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
upstream_cluster: ratings
headers: [{ name: ':path', string_match: { safe_regex: { regex: '/v[0-9]+' } } }]
abort: { http_status: 503, percentage: { numerator: 1000000, denominator: MILLION } }
`);
    expect((await call('/v1')).status).toBe(503);
    expect((await call('/v1/all')).status).toBe(200);
    expect(asked).toEqual(['/v1/all']);
  });

  it('the caller asks for its delay and its answer itself (Envoy)', async () => {
    const { asked, call } = await ratings(`
'@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
upstream_cluster: ratings
delay: { header_delay: {}, percentage: { numerator: 100 } }
abort: { header_abort: {}, percentage: { numerator: 100 } }
response_rate_limit: { header_limit: {}, percentage: { numerator: 100 } }
`);
    expect((await call('/plain')).status).toBe(200);
    expect((await call('/late', { 'x-envoy-fault-delay-request': '60' })).status).toBe(200);
    const both = { 'x-envoy-fault-abort-request': '418', 'x-envoy-fault-delay-request': '40' };
    expect((await call('/both', both)).status).toBe(418);
    expect((await call('/odd', { 'x-envoy-fault-abort-request': 'often' })).status).toBe(200);
    const percentage = {
      'x-envoy-fault-abort-request': '418',
      'x-envoy-fault-abort-request-percentage': '0',
    };
    expect((await call('/never', percentage)).status).toBe(200);
    expect(asked).toEqual(['/plain', '/late', '/odd', '/never']);

    const marksOf = async (path: string) => {
      const { flow } = await scene.spike.flow(({ http }) => http?.url.endsWith(path) ?? false);
      return flow.faults.map(({ type, delayedMs, note }) => ({ type, delayedMs, note }));
    };
    expect(await marksOf('/plain')).toEqual([]);
    expect(await marksOf('/never')).toEqual([]);
    const [late] = await marksOf('/late');
    expect(late?.type).toBe('latency');
    expect(late?.delayedMs).toBeGreaterThanOrEqual(59);
    expect((await marksOf('/both')).map(({ type }) => type).sort()).toEqual(['latency', 'status']);
    expect(await marksOf('/odd')).toEqual([
      {
        type: 'asked-by-header',
        delayedMs: null,
        note: 'did nothing: x-envoy-fault-abort-request says often',
      },
    ]);
  });
});
