// psql to a PostgreSQL server through a proxy of Toxiproxy's API: toxics act on its statements, and the flow says which.
import { Toxiproxy } from 'toxiproxy-node-client';
import type { Proxy } from 'toxiproxy-node-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { skipWithout } from '../support/database-programs.ts';
import { decodedFlow } from '../support/decoded-flows.ts';
import { startPostgresql } from '../support/postgresql-server.ts';
import type { PostgresqlServer } from '../support/postgresql-server.ts';
import { endRealAgents, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

const isSkipped = skipWithout('postgresql', 'postgres', 'initdb', 'psql');

describe.skipIf(isSkipped)("PostgreSQL through Toxiproxy's API", () => {
  let server: PostgresqlServer;
  let agent: RealAgent;
  let proxy: Proxy;

  beforeAll(async () => {
    server = await startPostgresql();
    agent = await startRealAgent({ words: ['--toxiproxy', '127.0.0.1:0'] });
    const toxiproxy = new Toxiproxy(`http://${agent.ready.toxiproxy}`);
    proxy = await toxiproxy.createProxy({
      name: 'postgres',
      listen: '127.0.0.1:0',
      upstream: `127.0.0.1:${server.port}`,
    });
  });
  afterEach(() => proxy.toxiproxy.reset());
  afterAll(async () => {
    await endRealAgents();
    await server[Symbol.asyncDispose]();
  });

  type Toxic = Parameters<Proxy['addToxic']>[0];
  const addToxic = (body: Partial<Toxic>) => proxy.addToxic(body as Toxic);
  const psql = (...args: string[]) =>
    server.run('psql', Number(proxy.listen.split(':').at(-1)), ['-XqAt', ...args]);

  it('a latency toxic: answers are whole and late, each statement by itself, and the flow names the toxic', async () => {
    const statements = ['-c', 'SELECT 1', '-c', 'SELECT 2', '-c', 'SELECT 3'];
    expect((await psql(...statements)).stdout).toBe('1\n2\n3\n');
    await addToxic({ name: 'slow replica', type: 'latency', attributes: { latency: 200, jitter: 0 } });
    const start = performance.now();
    const { stdout, exitCode } = await psql(...statements);
    expect([stdout, exitCode]).toEqual(['1\n2\n3\n', 0]);
    // Three statements, and at least one answer before them while it logs in.
    expect(performance.now() - start).toBeGreaterThanOrEqual(4 * 199);
    const flow = await decodedFlow(agent, ({ faults }) => faults.length > 0);
    expect(flow).toMatchObject({ protocol: 'postgresql', route: 'postgres', callee: { name: 'postgres' } });
    expect(flow.faults[0]).toMatchObject({
      ruleName: 'Toxiproxy: slow replica on postgres',
      type: 'latency',
    });
  });

  it('a slicer changes no byte of a large answer', async () => {
    await addToxic({
      type: 'slicer',
      attributes: { average_size: 700, size_variation: 300, delay: 0 },
    });
    const { stdout } = await psql(
      '-c',
      "SELECT md5(string_agg(repeat('x', g), '')), sum(g) FROM generate_series(1, 300) g",
    );
    const direct = await server.run('psql', server.port, [
      '-XqAt',
      '-c',
      "SELECT md5(string_agg(repeat('x', g), '')), sum(g) FROM generate_series(1, 300) g",
    ]);
    expect(stdout).toBe(direct.stdout);
    const rows = await psql('-c', 'SELECT g FROM generate_series(1, 2000) g');
    expect(rows.stdout.trim().split('\n')).toEqual(
      Array.from({ length: 2000 }, (_, index) => String(index + 1)),
    );
  });

  it('a server that is gone: psql says so, and goes on when it is back', async () => {
    const { listen, upstream } = proxy;
    await proxy.update({ enabled: false, listen, upstream });
    const refused = await psql('-c', 'SELECT 1');
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toMatch(/Connection refused/);
    await proxy.update({ enabled: true, listen, upstream });
    expect((await psql('-c', 'SELECT 1')).stdout).toBe('1\n');
  });

  it('a connection that is reset: psql says that the server closed it', async () => {
    await addToxic({ type: 'reset_peer', attributes: { timeout: 0 } });
    const { exitCode, stderr } = await psql('-c', 'SELECT 1');
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/reset by peer|closed the connection/i);
  });
});
