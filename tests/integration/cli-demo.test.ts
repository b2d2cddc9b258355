import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { endAll, eventually, spike, startedAgent, temporaryDirectory } from '../support/spike-process.ts';

const example = readFileSync('examples/shop/spike.yaml', 'utf8');
const taken: Server[] = [];
afterEach(async () => {
  await endAll();
  await Promise.all(taken.splice(0).map((server) => new Promise((done) => server.close(done))));
});

/** Takes a port, unless another program has it already: either way it is not free. */
function takePort(port: number): Promise<void> {
  const server = createServer();
  return new Promise((done) => {
    server.once('error', () => done());
    server.listen(port, '127.0.0.1', () => {
      taken.push(server);
      done();
    });
  });
}

describe('the demo', () => {
  it('runs the shop through Spike on ports that are free, and leaves the example as it is', async () => {
    await takePort(9101); // the route of web
    await takePort(8102); // orders itself
    const { client, ready, home, process: agent } = await startedAgent(['--demo']);
    expect(ready.routes['web']).not.toBe('127.0.0.1:9101');
    await eventually(async () => {
      const { edges } = await client.topology.get({ window: '60s' });
      const calls = new Map(edges.map(({ id, stats }) => [id, stats.calls]));
      for (const edge of ['browser→web', 'web→orders', 'orders→inventory'])
        expect(calls.get(edge)).toBeGreaterThan(0);
    });
    const { workspace, demo } = await client.agent.status();
    expect(demo).toBe('running');
    expect(workspace).toMatchObject({ path: join(home, 'demo', 'spike.yaml'), state: 'saved' });
    await client.rules.enable({ id: 'stock-db-hangs' });
    await eventually(() =>
      expect(readFileSync(join(home, 'demo', 'spike.yaml'), 'utf8')).toContain('enabled: true'),
    );
    expect(readFileSync('examples/shop/spike.yaml', 'utf8')).toBe(example);
    expect(statSync(join(home, 'demo')).mode & 0o777).toBe(0o700);
    agent.kill('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });

  it('is started from the window, and brings its workspace with it', async () => {
    const { client, home } = await startedAgent();
    expect(await client.rules.list()).toEqual([]);
    expect(await client.agent.startDemo()).toEqual({ state: 'running' });
    expect((await client.agent.status()).workspace.path).toBe(join(home, 'demo', 'spike.yaml'));
    expect((await client.rules.list()).map(({ id }) => id)).toContain('payments-is-slow');
    expect(await client.agent.startDemo()).toEqual({ state: 'running' }); // once is enough
  });

  it("does not change a user's workspace", async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'spike.yaml'), 'version: 1\n');
    const { client, home } = await startedAgent([], { cwd });
    await expect(client.agent.startDemo()).rejects.toMatchObject({ code: 'not-available' });
    expect(readFileSync(join(cwd, 'spike.yaml'), 'utf8')).toBe('version: 1\n');
    expect(existsSync(join(home, 'demo'))).toBe(false);
    expect((await spike(['rules', 'list', '--home', home])).stdout).toBe('There are no rules.\n');
  });
});
