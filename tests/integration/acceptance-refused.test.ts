// What is sent to break Spike, or what cannot be done: refused or told, recorded, and nothing gets past.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Flow } from '#shared/flow/flow.ts';
import { startSite } from '../support/https-site.ts';
import type { Site } from '../support/https-site.ts';
import { callThrough, sendRaw } from '../support/proxy-client.ts';
import { endRealAgents, eventually, startRealAgent, temporaryDirectory } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

let agent: RealAgent;
let site: Site;
let distrusted: Site;
beforeAll(async () => {
  site = await startSite(null);
  distrusted = await startSite(temporaryDirectory());
  agent = await startRealAgent({
    workspace: `version: 1\nroutes:\n  - { name: shop, listen: "127.0.0.1:0", upstream: "${site.origin}" }\n`,
  });
});
afterAll(async () => {
  await endRealAgents();
  await site[Symbol.asyncDispose]();
  await distrusted[Symbol.asyncDispose]();
});
beforeEach(() => void (site.requests.length = 0));

const head = (lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
const attempts: [string, (target: string, host: string) => string][] = [
  [
    'Content-Length and Transfer-Encoding',
    (target, host) =>
      `${head([`POST ${target} HTTP/1.1`, `Host: ${host}`, 'Content-Length: 4', 'Transfer-Encoding: chunked'])}0\r\n\r\n${smuggled}`,
  ],
  [
    'Content-Lengths that differ',
    (target, host) =>
      `${head([`POST ${target} HTTP/1.1`, `Host: ${host}`, 'Content-Length: 0', `Content-Length: ${smuggled.length}`])}${smuggled}`,
  ],
  [
    'a Transfer-Encoding that does not end in chunked',
    (target, host) =>
      `${head([`POST ${target} HTTP/1.1`, `Host: ${host}`, 'Transfer-Encoding: chunked, identity'])}0\r\n\r\n${smuggled}`,
  ],
  [
    'white space before the colon',
    (target, host) =>
      `${head([`POST ${target} HTTP/1.1`, `Host: ${host}`, 'Content-Length : 5'])}aaaaa${smuggled}`,
  ],
  [
    'a bare LF that hides a field',
    (target, host) =>
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX: a\nContent-Length: 50\r\n\r\n${smuggled}`,
  ],
  [
    'a folded line',
    (target, host) =>
      `${head([`POST ${target} HTTP/1.1`, `Host: ${host}`, 'Transfer-Encoding:', ' chunked'])}0\r\n\r\n${smuggled}`,
  ],
];

/** The flow that a test made, and no other's that came late. */
function theFlow(isIt: (flow: Flow) => boolean): Promise<Flow> {
  return eventually(async () => {
    const [flow, ...more] = (await agent.flows()).filter(isIt);
    if (flow === undefined || flow.durationMs === null) throw new Error('not recorded yet');
    expect(more).toEqual([]);
    return flow;
  });
}

let tries = 0;
describe('request smuggling is refused, recorded, and never forwarded', () => {
  const listeners = {
    proxy: (path: string) => ({ address: agent.ready.proxy, target: `${site.origin}${path}` }),
    route: (path: string) => ({ address: agent.ready.routes['shop'] ?? '', target: path }),
  };
  for (const listener of ['proxy', 'route'] as const) {
    it.each(attempts)(`${listener}: %s`, async (_, bytes) => {
      const path = `/victim-${(tries += 1)}/`;
      const { address, target } = listeners[listener](path);
      const sent = bytes(target, `127.0.0.1:${site.port}`);
      const answer = await sendRaw(address, sent);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer.match(/HTTP\/1\.1/g), 'one answer, then the connection is closed').toHaveLength(1);
      const flow = await theFlow(({ rawHead, http }) => `${rawHead} ${http?.url}`.includes(path));
      expect(flow.error?.cause).toBe('client-malformed-request');
      expect(flow.error?.message).toMatch(/\.$/);
      expect(answer).toContain(flow.error?.message);
      expect(site.requests.join(), 'nothing of what follows a refusal is a request').not.toContain(
        'smuggled',
      );
      expect(flow.kind).toBe('refused');
      expect(flow.rawHead?.startsWith(sent.slice(0, sent.indexOf('\r\n')))).toBe(true);
      expect(site.requests, 'nothing was forwarded').toEqual([]);
    });
  }

  it('a chunk size that overflows, behind a head that was in order', async () => {
    const path = `/victim-${(tries += 1)}/`;
    const fields = [`Host: 127.0.0.1:${site.port}`, 'Transfer-Encoding: chunked'];
    const sent = `${head([`POST ${site.origin}${path} HTTP/1.1`, ...fields])}ffffffffffffffff1\r\n${smuggled}`;
    expect(await sendRaw(agent.ready.proxy, sent)).toMatch(/^HTTP\/1\.1 400 /);
    const flow = await theFlow(({ http }) => http?.url.endsWith(path) ?? false);
    expect(flow.error?.cause).toBe('client-malformed-request');
    expect(flow.error?.message).toContain('chunk');
    expect(site.requests.join()).not.toContain('smuggled');
  });
});

describe('an upstream that does not answer', () => {
  const by = (caller: string) => theFlow((flow) => flow.caller.name === caller);

  it('nobody listens: 502 with the reason, and the flow says it', async () => {
    const closed = createServer();
    await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const answer = await callThrough(agent.ready.proxy, `http://127.0.0.1:${port}/`, { caller: 'orders' });
    expect(answer.status).toBe(502);
    expect(answer.body).toContain(`127.0.0.1:${port}`);
    const flow = await by('orders');
    expect(flow).toMatchObject({
      kind: 'http',
      error: { code: 'ECONNREFUSED', cause: 'upstream-refused' },
      http: { status: 502 },
    });
    expect(answer.body).toContain(flow.error?.message);
  });

  it('a name that is not there', async () => {
    const answer = await callThrough(agent.ready.proxy, 'http://no-such-name.invalid/', { caller: 'lost' });
    expect(answer.status).toBe(502);
    expect(answer.body).toContain('no-such-name.invalid');
    expect((await by('lost')).error?.cause).toBe('upstream-dns-failed');
  });

  it('it closes without an answer', async () => {
    const rude = createServer((socket) => socket.once('data', () => socket.destroy()));
    await new Promise<void>((done) => rude.listen(0, '127.0.0.1', done));
    const { port } = rude.address() as AddressInfo;
    const answer = await callThrough(agent.ready.proxy, `http://127.0.0.1:${port}/`, { caller: 'patient' });
    await new Promise((done) => rude.close(done));
    expect(answer.status).toBe(502);
    expect((await by('patient')).error?.cause).toBe('upstream-closed-early');
  });

  it('a certificate that nobody vouches for', async () => {
    const definition = { name: 'distrusted', listen: '127.0.0.1:0', upstream: distrusted.origin };
    const { address } = await agent.client.routes.create(definition);
    const answer = await callThrough(address ?? '', `http://${address}/`);
    expect(answer.status).toBe(502);
    expect(answer.body).toMatch(/certificate/);
    expect(distrusted.requests).toEqual([]);
    const flow = await theFlow(({ route }) => route === 'distrusted');
    expect(flow.error?.cause).toMatch(/^tls-(self-signed|untrusted-issuer)$/);
    await agent.client.routes.remove({ name: 'distrusted' });
  });

  it('Spike itself: its proxy and its API are no upstreams', async () => {
    const { proxy, control } = agent.ready;
    for (const [index, address] of [proxy, new URL(control).host].entries()) {
      const caller = `curious-${index}`;
      const answer = await callThrough(proxy, `http://${address}/api/v1/status`, { caller });
      expect(answer.status).toBe(403);
      expect(answer.body).toContain(address);
      expect((await by(caller)).error?.cause).toMatch(/^upstream-(forbidden|loop)$/);
    }
  });
});
