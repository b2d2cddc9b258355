// redis-cli and redis-benchmark with a Redis server through a route of a real agent: all they do succeeds, and is told as commands.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flow } from '#shared/flow/flow.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import { messageBurstLimit } from '../../src-main/engine/proxy/message-rate.ts';
import { skipWithout } from '../support/database-programs.ts';
import { decodedFlow, messagesOf, openedFromNowOn, routePort } from '../support/decoded-flows.ts';
import { startRedis } from '../support/redis-server.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

const isSkipped = skipWithout('redis-server redis-tools', 'redis-server', 'redis-cli', 'redis-benchmark');

describe.skipIf(isSkipped)('Redis through a route', () => {
  let server: RedisServer;
  let agent: RealAgent;
  let port: number;

  beforeAll(async () => {
    server = await startRedis();
    agent = await startRealAgent({
      workspace: `version: 1\nroutes:\n  - { name: cache, listen: "127.0.0.1:0", upstream: "tcp://127.0.0.1:${server.port}" }\n`,
    });
    port = await routePort(agent, 'cache');
  });
  afterAll(async () => {
    await endRealAgents();
    await server[Symbol.asyncDispose]();
  });

  /** One redis-cli with one command. */
  async function cli(...args: string[]): Promise<{ stdout: string; flow: Flow; messages: FlowMessage[] }> {
    const isNew = openedFromNowOn('redis');
    const { stdout } = await server.run('redis-cli', port, args);
    const flow = await decodedFlow(agent, isNew);
    return { stdout, flow, messages: await messagesOf(agent, flow) };
  }

  it('a command, its key and what came of it; the value is not shown', async () => {
    const end = await cli('SET', 'user:1', 'not to be seen');
    expect(end.stdout).toBe('OK\n');
    expect(end.flow).toMatchObject({ kind: 'tcp', route: 'cache', protocol: 'redis', error: null });
    expect(end.messages).toMatchObject([
      {
        type: 'command',
        direction: 'request',
        text: 'SET user:1 …',
        summary: 'OK',
        error: null,
        sizeBytes: 23,
      },
    ]);
    expect(end.messages[0]?.durationMs).toBeGreaterThan(0);
    expect(JSON.stringify(end.messages)).not.toContain('not to be seen');
    const read = await cli('GET', 'user:1');
    expect(read.stdout).toBe('not to be seen\n');
    expect(read.messages).toMatchObject([{ text: 'GET user:1', summary: '14 bytes' }]);
  });

  it('what is wrong, and RESP3', async () => {
    const refused = await cli('LPUSH', 'user:1', 'x');
    expect(refused.stdout).toContain('WRONGTYPE');
    expect(refused.messages).toMatchObject([
      { text: 'LPUSH user:1 …', summary: '', error: expect.stringMatching(/^WRONGTYPE /) },
    ]);
    const third = await cli('-3', 'CONFIG', 'GET', 'maxmemory');
    expect(third.messages).toMatchObject([
      { text: 'HELLO 3', summary: '7 pairs' },
      { text: 'CONFIG GET maxmemory', summary: '1 pair' },
    ]);
    const secret = await cli('--no-auth-warning', '-a', 'hunter2', 'PING');
    expect(secret.messages).toMatchObject([
      { text: 'AUTH …', error: expect.stringMatching(/^ERR /) },
      { text: 'PING' },
    ]);
    expect(JSON.stringify(secret.messages)).not.toContain('hunter2');
  });

  it('commands in plain words, a subscription and what is published', async () => {
    const isNew = openedFromNowOn('redis');
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (bytes: Buffer) => (received += bytes.toString()));
    socket.write('*1\r\n$4\r\nPING\r\nSUBSCRIBE news\r\n');
    await eventually(() => expect(received).toContain('subscribe'));
    await server.run('redis-cli', server.port, ['PUBLISH', 'news', 'hello']);
    await eventually(() => expect(received).toContain('hello'));
    socket.end();
    await once(socket, 'close');
    const flow = await decodedFlow(agent, isNew);
    expect(await messagesOf(agent, flow)).toMatchObject([
      { type: 'command', text: 'PING', summary: 'PONG' },
      { type: 'command', text: 'SUBSCRIBE news', summary: '1 channel' },
      { type: 'notice', direction: 'response', text: 'message news', summary: '5 bytes' },
    ]);
  });

  it('a command that waits is told when it is answered', async () => {
    const waiting = cli('BLPOP', 'jobs', '10');
    await eventually(async () => {
      const { stdout } = await server.run('redis-cli', server.port, ['INFO', 'clients']);
      expect(stdout).toMatch(/blocked_clients:1/);
    });
    await server.run('redis-cli', server.port, ['RPUSH', 'jobs', 'one']);
    const { stdout, messages } = await waiting;
    expect(stdout).toBe('jobs\none\n');
    expect(messages).toMatchObject([{ text: 'BLPOP jobs 10', summary: '2 items' }]);
  });

  it('redis-benchmark, 16 commands at a time', async () => {
    const isNew = openedFromNowOn('redis');
    const args = ['-n', '2000', '-P', '16', '-c', '4', '-q', '-t', 'set,get,lrange_100'];
    const { exitCode, stdout, stderr } = await server.run('redis-benchmark', port, args);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(/^GET: \d/m);
    // Each test has four connections of its own; redis-benchmark asks twice for the configuration first.
    const isOver = (flow: Flow): boolean => isNew(flow) && flow.durationMs !== null;
    const counts = await eventually(async () => {
      const flows = (await agent.flows()).filter(isOver);
      const sums: Record<string, number> = {};
      for (const flow of flows) {
        expect(flow).toMatchObject({ protocol: 'redis', error: null });
        for (const { text, summary, error } of await messagesOf(agent, flow)) {
          expect(error).toBeNull();
          const kind = `${text.split(' ')[0]} ${summary}`;
          sums[kind] = (sums[kind] ?? 0) + 1;
        }
      }
      expect(sums['LRANGE 100 items']).toBeGreaterThanOrEqual(2_000);
      return sums;
    });
    expect(messageBurstLimit).toBeGreaterThan(4 * 2_008);
    // It asks in whole batches of 16, and leaves when it has 2,000 answers.
    for (const kind of ['SET OK', 'GET 3 bytes', 'LRANGE 100 items']) {
      expect(counts[kind]).toBeGreaterThanOrEqual(2_000);
      expect(counts[kind]).toBeLessThanOrEqual(2_008);
    }
  });

  it('redis-benchmark, more than is kept: all is counted, and what is kept is right', async () => {
    const isNew = openedFromNowOn('redis');
    const args = ['-n', '60000', '-P', '16', '-c', '4', '-q', '-t', 'set'];
    const { exitCode, stderr } = await server.run('redis-benchmark', port, args);
    expect(exitCode, stderr).toBe(0);
    const isOver = (flow: Flow): boolean => isNew(flow) && flow.durationMs !== null;
    await eventually(async () => {
      const flows = (await agent.flows()).filter(isOver);
      const sum = (key: 'count' | 'dropped'): number =>
        flows.reduce((all, { messages }) => all + (messages?.[key] ?? 0), 0);
      expect(sum('count')).toBeGreaterThanOrEqual(60_000);
      expect(sum('count')).toBeLessThanOrEqual(60_100);
      expect(sum('dropped')).toBeGreaterThan(20_000);
      const kept = (await Promise.all(flows.map((flow) => messagesOf(agent, flow)))).flat();
      expect(kept).toHaveLength(sum('count') - sum('dropped'));
      const others = kept.filter(({ text, summary }) => !text.startsWith('SET key:') || summary !== 'OK');
      expect(others.map(({ text }) => text.split(' ')[0])).toEqual(others.map(() => 'CONFIG'));
    });
  });
});
