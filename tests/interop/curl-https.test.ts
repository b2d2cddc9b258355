// curl to a local HTTPS site through a real agent, trusting nothing but the CA that `spike ca export` wrote.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flow } from '#shared/flow/flow.ts';
import { siteData, startSite } from '../support/https-site.ts';
import type { Site } from '../support/https-site.ts';
import { endRealAgents, eventually, startRealAgent, temporaryDirectory } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { isInstalled, runProgram } from '../support/run-program.ts';

let agent: RealAgent;
let site: Site;
let ca: string;
beforeAll(async () => {
  site = await startSite(temporaryDirectory());
  agent = await startRealAgent({ workspace: `version: 1\ntls:\n  trust: [${site.caPath}]\n` });
  ca = await agent.exportedCa();
});
afterAll(async () => {
  await endRealAgents();
  await site[Symbol.asyncDispose]();
});

const curl = (caller: string, path: string, ...more: string[]) =>
  runProgram('curl', [
    '-sS',
    '--max-time',
    '20',
    '-x',
    agent.proxyFor(caller),
    ...more,
    `${site.origin}${path}`,
  ]);

const flowOf = (caller: string): Promise<Flow> =>
  eventually(async () => {
    const [flow, ...more] = await agent.flows(`caller:${caller}`);
    if (flow === undefined || flow.durationMs === null) throw new Error('not recorded yet');
    expect(more).toEqual([]);
    return flow;
  });

describe.skipIf(!isInstalled('curl'))('curl, with the exported CA', () => {
  it('the exported file is the certificate, and has no key', () => {
    expect(readFileSync(ca, 'utf8')).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(readFileSync(ca, 'utf8')).not.toContain('PRIVATE KEY');
  });

  it.each([
    ['plain', null],
    ['gzip', 'gzip'],
    ['br', 'br'],
  ])('200, and the body is there as it passed and decoded: %s', async (name, coding) => {
    const path = coding === null ? '/data.json' : `/data.${coding}`;
    const { exitCode, stdout, stderr } = await curl(
      `curl-${name}`,
      path,
      '--cacert',
      ca,
      '-w',
      '|%{http_code}',
      '-o',
      '/dev/null',
    );
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '|200', stderr: '' });
    const flow = await flowOf(`curl-${name}`);
    expect(flow).toMatchObject({
      kind: 'http',
      caller: { resolvedBy: 'proxy-user' },
      http: { method: 'GET', url: `${site.origin}${path}`, status: 200, responseBody: 'stored' },
      tls: { intercepted: true, version: 'TLSv1.3' },
      error: null,
    });
    const decoded = await agent.get(`/flows/${flow.id}/response/body?decoded=1`);
    expect(decoded.status).toBe(200);
    expect(decoded.headers.get('content-type')).toContain('application/json');
    expect(await decoded.json()).toEqual(siteData);
    const wire = Buffer.from(await (await agent.get(`/flows/${flow.id}/response/body`)).arrayBuffer());
    expect(wire.length).toBe(flow.sizes.responseBody);
    if (coding !== null) expect(wire.length).toBeLessThan(JSON.stringify(siteData).length / 2);
  });

  it('a request body that curl sends is kept, too', async () => {
    const json = '{"sku":"A-1"}';
    await curl('curl-posts', '/orders', '--cacert', ca, '--json', json);
    const flow = await flowOf('curl-posts');
    expect(flow.http).toMatchObject({ method: 'POST', requestBody: 'stored' });
    expect(await (await agent.get(`/flows/${flow.id}/request/body`)).text()).toBe(json);
  });

  it('without the CA curl refuses, and the flow says who has to trust what', async () => {
    const { exitCode, stderr } = await curl('curl-distrusts', '/');
    expect(exitCode).toBe(60); // CURLE_PEER_FAILED_VERIFICATION
    expect(stderr).toContain('certificate');
    const flow = await flowOf('curl-distrusts');
    expect(flow).toMatchObject({ kind: 'tls-failure', error: { cause: 'tls-client-distrusts-ca' } });
    expect(flow.error?.message).toMatch(/spike run|spike ca install/);
  });

  it('a search finds it by what its body holds', async () => {
    expect((await agent.flows('caller:curl-gzip body:grüße')).map(({ caller }) => caller.name)).toEqual([
      'curl-gzip',
    ]);
  });
});
