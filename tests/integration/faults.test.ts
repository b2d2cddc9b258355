import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src-main/engine/clock.ts';
import { DecisionDesk } from '../../src-main/engine/cluster/decision-desk.ts';
import { activeRule, DataPlaneHarness } from '../support/data-plane-harness.ts';
import type { RuleText } from '../support/data-plane-harness.ts';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { callThrough, oneConnection } from '../support/proxy-client.ts';
import { runProgram, startProgram } from '../support/run-program.ts';

/** A small generator that is the same each time: statistics that never fail by chance. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

const scene = useScene({}, { random: seeded(7) });
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

function rule(name: string, fault: RuleText['faults'][number], more: Partial<RuleText> = {}): RuleText {
  return { name, faults: [fault], ...more };
}

async function serve(body: string | Buffer, rules: readonly RuleText[]) {
  let asked = 0;
  const server = await scene.peers.http((request, response) => {
    asked += 1;
    request.resume();
    request.on('end', () => response.end(body));
  });
  await scene.spike.configure({ routes: [routeTo(server.port)], rules });
  return {
    port: server.port,
    asked: () => asked,
    client: () => scene.peers.connect(scene.spike.port('service')),
  };
}

describe('status', () => {
  it('answers in place of the upstream, and leaves a kept connection as it was', async () => {
    const service = await serve('fine', [
      rule(
        'teapot',
        { type: 'status', status: 418, headers: { 'x-why': 'rule' }, body: '{"a":1}' },
        { match: { path: '/bad' } },
      ),
    ]);
    const agent = oneConnection();
    const at = scene.spike.proxy;
    const url = `http://127.0.0.1:${service.port}`;
    const answers = [];
    for (const path of ['/good', '/bad', '/good']) answers.push(await callThrough(at, url + path, { agent }));
    agent.destroy();
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, 'fine'],
      [418, '{"a":1}'],
      [200, 'fine'],
    ]);
    expect(answers[1]?.headers).toMatchObject({ 'x-why': 'rule', 'content-type': 'application/json' });
    expect(service.asked()).toBe(2);
    const seen = await scene.spike.flows(3);
    expect(new Set(seen.map(({ flow }) => flow.connectionId)).size).toBe(1);
    expect(seen[1]?.flow.faults).toMatchObject([
      { ruleId: 'teapot', type: 'status', status: 418, outcome: 'done' },
    ]);
    expect(seen[1]?.flow.error).toBeNull();
    await scene.spike.configure({});
    expect(scene.spike.hits.get('teapot')).toBe(1);
  });

  it('answers a big upload, and one that waits for a 100, without asking anybody', async () => {
    const service = await serve('fine', [rule('down', { type: 'status', status: 503, body: 'down' })]);
    const answer = await callThrough(scene.spike.proxy, `http://127.0.0.1:${service.port}/`, {
      method: 'POST',
      body: 'x'.repeat(5_000_000),
    });
    expect([answer.status, answer.body]).toEqual([503, 'down']);
    const client = await service.client();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 503 .*connection: close\r\n\r\ndown$/s);
    expect(service.asked()).toBe(0);
    // The answer is there before the upload has ended, and so may the other call be.
    const upload = await scene.spike.flow((flow) => flow.sizes.requestBody > 0);
    expect(upload.flow.sizes.requestBody).toBe(5_000_000);
  });
});

describe('reset', () => {
  const body = 'b'.repeat(100_000);
  const positions: ['start' | 'before-head' | 'after-head' | 'mid-body', number, number, number][] = [
    ['start', 0, 0, 0],
    ['before-head', 0, 0, 1],
    ['after-head', 50, 400, 1],
    ['mid-body', 50_050, 50_400, 1],
  ];
  it.each(positions)('%s: a real RST after the right number of bytes', async (at, least, most, asked) => {
    const service = await serve(body, [rule('cut', { type: 'reset', at })]);
    const client = await service.client();
    client.write(get);
    expect(await client.toClose()).toBe('ECONNRESET');
    expect(client.bytes.length).toBeGreaterThanOrEqual(least);
    expect(client.bytes.length).toBeLessThanOrEqual(most);
    expect(service.asked()).toBe(asked);
    const { flow } = await scene.spike.flow();
    expect(flow.error?.cause).toBe('fault-reset');
    expect(flow.faults).toMatchObject([{ type: 'reset', bytes: client.bytes.length, outcome: 'done' }]);
    const curl = await runProgram('curl', ['-sS', `http://${scene.spike.address('service')}/`]);
    expect(curl.exitCode).toBe(56);
  });

  it('is a RST on a TCP route as well, also in the middle', async () => {
    const server = await scene.peers.tcp((socket) => socket.on('data', () => socket.write(body)));
    for (const at of ['start', 'mid-body'] as const) {
      await scene.spike.configure({
        routes: [routeTo(server.port, 'tcp', 'db')],
        rules: [rule(at, { type: 'reset', at })],
      });
      const client = await scene.peers.connect(scene.spike.port('db'));
      client.write('hello');
      expect(await client.toClose(), at).toBe('ECONNRESET');
      if (at === 'mid-body') expect(client.bytes.length).toBeGreaterThan(0);
      expect(client.bytes.length).toBeLessThan(body.length);
    }
    for (const { flow } of await scene.spike.flows(2)) expect(flow.error?.cause).toBe('fault-reset');
  });
});

describe('hang', () => {
  it.each(['request', 'response'] as const)(
    'holds the %s until the rule is off, then at once',
    async (direction) => {
      const service = await serve('late', [rule('hang', { type: 'hang', direction })]);
      const clients = await Promise.all([service.client(), service.client(), service.client()]);
      for (const client of clients) client.write(get);
      await scene.spike.until(() => scene.spike.open.length >= 3);
      expect(clients.map((client) => client.text)).toEqual(['', '', '']);
      expect(service.asked()).toBe(direction === 'request' ? 0 : 3);
      expect(scene.spike.open[0]?.faults).toMatchObject([{ type: 'hang', outcome: 'acting' }]);
      expect(await scene.spike.configure({ rules: [] })).toBe(3);
      for (const client of clients) await client.see('late');
      for (const { flow } of await scene.spike.flows(3)) {
        expect(flow).toMatchObject({ error: null, http: { status: 200 } });
        expect(flow.faults[0]?.outcome).toBe('released');
        expect(flow.faults[0]?.delayedMs).toBeGreaterThan(200);
      }
    },
  );

  it('of which a client has had enough is told as such', async () => {
    await serve('late', [rule('hang', { type: 'hang', direction: 'response' })]);
    const curl = startProgram('curl', ['-sS', `http://${scene.spike.address('service')}/`]);
    await expect.poll(() => scene.spike.open[0]?.faults[0]?.outcome, { timeout: 20_000 }).toBe('acting');
    await curl.giveUp();
    const { flow } = await scene.spike.flow();
    expect(flow.error?.cause).toBe('fault-hang');
    expect(flow.faults[0]).toMatchObject({ outcome: 'done' });
  });

  it('does not fill memory with an upload that it holds', async () => {
    await serve('late', [rule('hang', { type: 'hang', direction: 'request' })]);
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n');
    client.write(Buffer.alloc(50_000_000));
    await delay(600);
    const before = client.socket.bytesWritten - client.socket.writableLength;
    await delay(200);
    expect(client.socket.writableLength).toBeGreaterThan(30_000_000);
    expect(client.socket.bytesWritten - client.socket.writableLength).toBe(before);
    await scene.spike.configure({ rules: [] });
    expect(await client.see('late')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('latency and bandwidth', () => {
  it('hold an answer, alone and together with a status', async () => {
    const service = await serve('slow', [rule('slow', { type: 'latency', latencyMs: 300, jitterMs: 50 })]);
    const client = await service.client();
    client.write(get);
    await client.see('slow');
    const { flow } = await scene.spike.flow();
    expect(flow.faults[0]?.delayedMs).toBeGreaterThanOrEqual(249);
    await scene.spike.configure({
      rules: [
        {
          name: 'both',
          faults: [
            { type: 'latency', latencyMs: 200 },
            { type: 'status', status: 500 },
          ],
        },
      ],
    });
    client.write(get);
    await client.see('HTTP/1.1 500');
    const second = (await scene.spike.flows(2))[1]?.flow;
    expect(second?.faults.find((fault) => fault.type === 'latency')?.delayedMs).toBeGreaterThanOrEqual(199);
    expect(service.asked()).toBe(1);
  });

  it('over TLS too, on CONNECT', async () => {
    const service = await serve('inside', [rule('slow', { type: 'latency', latencyMs: 200 })]);
    const url = `http://127.0.0.1:${service.port}/`;
    const { stdout } = await runProgram('curl', curlArgs(scene.spike, '-p', url));
    expect(stdout).toBe('inside');
    expect((await scene.spike.flow()).flow.faults[0]?.delayedMs).toBeGreaterThanOrEqual(199);
  });

  it('lose no byte of a megabyte however often they are turned on and off on an open tunnel', async () => {
    const bytes = randomBytes(1_048_576);
    const server = await scene.peers.tcp((socket) => {
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('end', () => socket.end());
    });
    await scene.spike.configure({ routes: [routeTo(server.port, 'tcp', 'db')] });
    const client = await scene.peers.connect(scene.spike.port('db'));
    let epoch = 0;
    let sent = 0;
    const piece = 16_384;
    while (sent < bytes.length) {
      client.write(bytes.subarray(sent, sent + piece));
      sent += piece;
      epoch += 1;
      const both: RuleText[] = [
        rule('late', { type: 'latency', latencyMs: 40, jitterMs: 20 }, { epoch }),
        rule('late up', { type: 'latency', latencyMs: 30, direction: 'request' }, { epoch }),
        rule('thin', { type: 'bandwidth', bytesPerSecond: 300_000, direction: 'request' }, { epoch }),
        rule('thin down', { type: 'bandwidth', bytesPerSecond: 200_000 }, { epoch: Math.ceil(epoch / 3) }),
      ];
      await scene.spike.configure({ rules: both.filter((_, index) => ((epoch >> index) & 1) === 1) });
      await delay(15);
    }
    client.end();
    await delay(100);
    await scene.spike.configure({ rules: [] });
    await client.toEnd();
    const sha = (of: Buffer): string => createHash('sha256').update(of).digest('hex');
    expect(client.bytes.length).toBe(bytes.length);
    expect(sha(client.bytes)).toBe(sha(bytes));
    const { flow } = await scene.spike.flow();
    expect(flow.error).toBeNull();
    expect(flow.faults.length).toBeGreaterThan(20);
  });
});

describe('which calls are hit', () => {
  it('follows a probability', async () => {
    const service = await serve('ok', [
      rule('flaky', { type: 'status', status: 500 }, { trigger: { probability: 0.3 } }),
    ]);
    const agent = oneConnection();
    let failed = 0;
    for (let call = 0; call < 400; call++) {
      const { status } = await callThrough(scene.spike.proxy, `http://127.0.0.1:${service.port}/`, { agent });
      if (status === 500) failed += 1;
    }
    agent.destroy();
    // Four standard deviations of a binomial draw.
    expect(Math.abs(failed - 120)).toBeLessThan(37);
  });

  it('is exact for the first n, over two data planes at once', async () => {
    const desk = new DecisionDesk(() => 0, createSystemClock());
    const service = await serve('ok', []);
    const rules = [rule('first', { type: 'status', status: 500 }, { trigger: { first: 7 } })];
    desk.configure(rules.map(activeRule));
    await using one = await DataPlaneHarness.start({ rules }, { desk, worker: 1 });
    await using two = await DataPlaneHarness.start({ rules }, { desk, worker: 2 });
    const calls = Array.from({ length: 40 }, (_, index) =>
      callThrough(index % 2 === 0 ? one.proxy : two.proxy, `http://127.0.0.1:${service.port}/`),
    );
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 500)).toHaveLength(7);
    expect(service.asked()).toBe(33);
  });

  it('waits for the name of the caller when a rule asks for it', async () => {
    let known = (): void => undefined;
    const caller = {
      current: { name: '?', resolvedBy: 'address' as const, pid: null },
      ready: null as Promise<void> | null,
    };
    const names = { caller: () => caller };
    const service = await serve('ok', []);
    const rules = [rule('web only', { type: 'status', status: 500 }, { match: { caller: 'web' } })];
    await using spike = await DataPlaneHarness.start({ rules }, { names });
    for (const [name, expected] of [
      ['web', 500],
      ['api', 200],
    ] as const) {
      caller.current = { name: '?', resolvedBy: 'address', pid: null };
      caller.ready = new Promise((resolve) => {
        known = () => {
          caller.current = { name, resolvedBy: 'address', pid: null };
          caller.ready = null;
          resolve();
        };
      });
      const answer = callThrough(spike.proxy, `http://127.0.0.1:${service.port}/`, {
        method: 'POST',
        body: 'x'.repeat(200_000),
      });
      await delay(100);
      known();
      expect((await answer).status).toBe(expected);
    }
  });
});
