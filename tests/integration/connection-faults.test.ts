import { describe, expect, it } from 'vitest';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import type { RuleText } from '../support/data-plane-harness.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import type { RawClient } from '../support/network-peers.ts';
import { callThrough } from '../support/proxy-client.ts';

const scene = useScene();
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

function rule(fault: FaultInput, more: Partial<RuleText> = {}): RuleText {
  return { name: fault.type, faults: [fault], ...more };
}

/** An HTTP service and a TCP one behind routes, which count who came. */
async function serve(...rules: RuleText[]) {
  let asked = 0;
  let connected = 0;
  const http = await scene.peers.http((request, response) => {
    asked += 1;
    request.resume();
    response.end('fine');
  });
  const tcp = await scene.peers.tcp((socket) => {
    connected += 1;
    socket.on('data', (bytes) => socket.write(`echo ${bytes.toString()}`));
  });
  const routes = [routeTo(http.port), routeTo(tcp.port, 'tcp', 'db')];
  await scene.spike.configure({ routes, rules });
  return {
    url: `http://127.0.0.1:${http.port}/`,
    asked: () => asked,
    connected: () => connected,
    route: () => scene.peers.connect(scene.spike.port('service')),
    db: () => scene.peers.connect(scene.spike.port('db')),
  };
}

/** How a connection ends that asks for something; the RST may be there before the system has said that it is connected. */
async function endOf(connect: () => Promise<RawClient>): Promise<string> {
  try {
    const client = await connect();
    client.write(get);
    return await client.toClose();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

describe('refuse', () => {
  it('answers 502 through the proxy, and nobody is asked', async () => {
    const service = await serve(rule({ type: 'refuse' }));
    const answer = await callThrough(scene.spike.proxy, service.url);
    expect(answer.status).toBe(502);
    expect(answer.headers['spike-error']).toBe('fault-refuse');
    expect(service.asked()).toBe(0);
    const { flow } = await scene.spike.flow();
    expect(flow.error).toMatchObject({ cause: 'fault-refuse', code: 'ECONNREFUSED' });
    expect(flow.faults).toMatchObject([
      { type: 'refuse', outcome: 'done', note: 'refused the connection to the upstream' },
    ]);
  });

  it('resets the connections of routes, of HTTP and of bytes', async () => {
    const service = await serve(rule({ type: 'refuse' }));
    for (const connect of [service.route, service.db]) expect(await endOf(connect)).toBe('ECONNRESET');
    expect([service.asked(), service.connected()]).toEqual([0, 0]);
    for (const { flow } of await scene.spike.flows(2)) {
      expect(flow.error?.cause).toBe('fault-refuse');
      expect(flow.faults).toHaveLength(1);
    }
    await scene.spike.configure({});
    expect(scene.spike.hits.get('refuse')).toBe(2);
  });

  it('leaves open connections of bytes alone, and new ones once it is off', async () => {
    const service = await serve();
    const before = await service.db();
    before.write('a');
    await before.see('echo a');
    await scene.spike.configure({ rules: [rule({ type: 'refuse' })] });
    before.write('b');
    await before.see('echo b');
    expect(await endOf(service.db)).toBe('ECONNRESET');
    await scene.spike.configure({ rules: [] });
    const after = await service.db();
    after.write('c');
    await after.see('echo c');
  });
});

describe('DNS failure', () => {
  it.each([
    ['nxdomain', 'ENOTFOUND'],
    ['servfail', 'EAI_AGAIN'],
  ] as const)('%s is a 502 that says so', async (answer, code) => {
    const service = await serve(rule({ type: 'dns-failure', answer }));
    const got = await callThrough(scene.spike.proxy, service.url);
    expect([got.status, got.headers['spike-error']]).toEqual([502, 'fault-dns-failure']);
    expect(service.asked()).toBe(0);
    expect((await scene.spike.flow()).flow.error).toMatchObject({ cause: 'fault-dns-failure', code });
  });

  it('may take its time', async () => {
    const service = await serve(rule({ type: 'dns-failure', answer: 'timeout', delayMs: 300 }));
    expect((await callThrough(scene.spike.proxy, service.url)).status).toBe(502);
    const { flow } = await scene.spike.flow();
    expect(flow.faults[0]?.delayedMs).toBeGreaterThanOrEqual(299);
  });
});

describe('connect time-out', () => {
  it('is a 504 when its time is over, with the body of the request read and thrown away', async () => {
    const service = await serve(rule({ type: 'connect-timeout', afterMs: 200 }));
    const got = await callThrough(scene.spike.proxy, service.url, {
      method: 'POST',
      body: 'x'.repeat(200_000),
    });
    expect([got.status, got.headers['spike-error']]).toEqual([504, 'fault-connect-timeout']);
    expect(service.asked()).toBe(0);
    expect((await scene.spike.flow()).flow.faults[0]?.delayedMs).toBeGreaterThanOrEqual(199);
  });

  it('connects after all when the rule is turned off, and loses nothing', async () => {
    const service = await serve(rule({ type: 'connect-timeout', afterMs: 600_000 }));
    const http = await service.route();
    http.write(get);
    const bytes = await service.db();
    bytes.write('kept');
    await scene.spike.until(() => scene.spike.open.length >= 1);
    expect([service.asked(), service.connected()]).toEqual([0, 0]);
    await scene.spike.configure({ rules: [] });
    await http.see('fine');
    await bytes.see('echo kept');
    const { flow } = await scene.spike.flow(({ kind }) => kind === 'http');
    expect(flow.faults).toMatchObject([
      { type: 'connect-timeout', outcome: 'released', note: 'was let go and connected' },
    ]);
    expect(flow.error).toBeNull();
  });

  it('of which the client has had enough leaves nothing behind', async () => {
    const service = await serve(rule({ type: 'connect-timeout', afterMs: 600_000 }));
    for (const connect of [service.route, service.db]) {
      const client = await connect();
      client.write(get);
      await scene.spike.until(() => scene.spike.plane.openConnections() === 1);
      client.socket.destroy();
      await scene.spike.until(() => scene.spike.plane.openConnections() === 0);
    }
    for (const { flow } of await scene.spike.flows(2)) expect(flow.error?.cause).toBe('client-closed');
  });
});

describe('close', () => {
  it('ends in an orderly way after the head', async () => {
    const service = await serve(rule({ type: 'close', at: 'after-head' }));
    const client = await service.route();
    client.write(get);
    await client.toEnd();
    expect(client.text).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\n$/);
    expect((await scene.spike.flow()).flow.error?.cause).toBe('fault-close');
  });
});

describe('silence', () => {
  it('takes what comes and says nothing, on both kinds of route; lets go of everything when it is off', async () => {
    const service = await serve(rule({ type: 'silence' }));
    const http = await service.route();
    http.write(get);
    const bytes = await service.db();
    bytes.write('hello');
    await scene.spike.until(() => scene.spike.open.length >= 2);
    expect([http.text, bytes.text, service.asked()]).toEqual(['', '', 0]);
    await scene.spike.configure({ rules: [] });
    await http.see('fine');
    await bytes.see('echo hello');
  });
});
