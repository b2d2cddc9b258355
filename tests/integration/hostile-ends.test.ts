import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Flow } from '#shared/flow/flow.ts';
import { layers, useHostileScene } from '../support/hostile-scene.ts';
import type { HostileClient, HostileSide, Layer } from '../support/hostile-scene.ts';
import { serveHttp2 } from '../support/http2-peers.ts';
import type { RuleText } from '../support/data-plane-harness.ts';
import { routeTo } from '../support/data-plane-test.ts';
import { runProgram, startProgram } from '../support/run-program.ts';

/**
 * Clients that say no more behind their whole request: some have given up (curl that is ended, an aborted fetch), some have closed their
 * half and still read (`nc -N`). The bytes are the same; the upstream is told, and what it does of it is what the client sees.
 */
const scene = useHostileScene();

/** A server by node:http(s) that answers `/well` and keeps everything else; tells whose calls have been given up. */
async function silentSite(layer: Layer, say: string | null = null) {
  const kept: ServerResponse[] = [];
  const aborted: string[] = [];
  const serve = (asked: IncomingMessage, response: ServerResponse): void => {
    asked.resume();
    if (asked.url === '/well') return void response.end('well');
    kept.push(response);
    response.on('close', () => aborted.push(asked.url ?? ''));
    if (say !== null) response.write(say);
  };
  const server =
    layer === 'plain' ? await scene.peers.http(serve) : await scene.peers.https(scene.certificate(), serve);
  const url = layer === 'plain' ? `http://127.0.0.1:${server.port}` : `https://localhost:${server.port}`;
  return { url, kept, aborted };
}

function curlArgs(...args: string[]): string[] {
  return ['-skS', '-N', '-x', `http://${scene.spike.proxy}`, '--http1.1', ...args];
}

/** curl, given up once `isEnough`. @returns what it has said. */
async function givenUp(isEnough: (said: string) => boolean, ...args: string[]): Promise<string> {
  const curl = startProgram('curl', curlArgs(...args));
  await scene.until(() => isEnough(curl.stdout()));
  await curl.giveUp();
  return curl.stdout();
}

async function causeOf(path: string): Promise<string | null> {
  const { flow } = await scene.spike.flow(({ http }: Flow) => http?.url.endsWith(path) === true);
  return flow.error?.cause ?? null;
}

describe.each(layers)('over %s, a client that has given up', (layer) => {
  it.each([
    ['a call without a body', []],
    ['a call with a body', ['-d', 'x=1']],
    ['a call of HTTP/1.0', ['-0', '--no-alpn']],
  ] as const)('%s, is told to its upstream, which gives it up as well', async (_, args) => {
    const site = await silentSite(layer);
    await givenUp(() => site.kept.length === 1, ...args, `${site.url}/silent`);
    await scene.until(() => site.aborted.length === 1);
    expect(await causeOf('/silent')).toBe('client-closed');
  });

  it('a call on a connection that has been used before, is told to its upstream once', async () => {
    const site = await silentSite(layer);
    await runProgram('curl', curlArgs(`${site.url}/well`));
    await givenUp(() => site.kept.length === 1, `${site.url}/well`, `${site.url}/silent`);
    await scene.until(() => site.aborted.length === 1);
    expect(await causeOf('/silent')).toBe('client-closed');
    // Not asked again on a fresh connection: nobody waits for it.
    expect(site.kept).toHaveLength(1);
  });

  it('an answer that has begun and does not go on, is told to its upstream', async () => {
    const site = await silentSite(layer, 'data: 1\n\n');
    await givenUp((said) => said === 'data: 1\n\n', `${site.url}/events`);
    await scene.until(() => site.aborted.length === 1);
    expect(await causeOf('/events')).toBe('client-closed');
  });
});

describe.each(layers)('over %s, a client that has closed its half', (layer) => {
  const late = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate';

  async function asked(serve: (side: HostileSide) => void) {
    const upstream = await scene.server(layer, serve);
    const client = await scene.client(layer, upstream.authority);
    const target = layer === 'plain' ? upstream.url : '';
    client.raw.write(`GET ${target}/half HTTP/1.1\r\nHost: a\r\n\r\n`);
    client.side.end();
    return { upstream, client };
  }

  it('gets what its upstream says behind that, and the connection is not used again', async () => {
    let ends = 0;
    const { upstream, client } = await asked((side) => {
      side.socket.on('data', () => undefined);
      side.socket.on('end', () => {
        ends += 1;
        side.say(late);
      });
    });
    expect(await client.raw.toEnd()).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nlate$/s);
    expect(await causeOf('/half')).toBeNull();
    expect(ends).toBe(1);
    await scene.until(() =>
      upstream.sides.every(({ socket }) => socket.destroyed || socket.writableEnded || socket.readableEnded),
    );
  });

  it('gets nothing but its end where the upstream takes it for gone', async () => {
    const { client } = await asked((side) => {
      side.socket.on('data', () => undefined);
      side.socket.on('end', () => side.end());
    });
    expect(await client.raw.toEnd()).toBe('');
    expect(await causeOf('/half')).toBe('client-closed');
  });

  it('and is gone for good, ends the call with an upstream that does not mind', async () => {
    const { upstream, client } = await asked((side) =>
      side.socket.on('data', (bytes: Buffer) => (side.received += bytes.toString())),
    );
    await scene.until(() => upstream.sides[0]?.isOver === true);
    expect(scene.spike.ended).toHaveLength(0);
    client.side.reset();
    expect(await causeOf('/half')).toBe('client-closed');
  });
});

describe('an end behind pipelined requests', () => {
  it('is told with the last of them', async () => {
    const seen: string[] = [];
    const upstream = await scene.server('plain', (side) => {
      side.socket.on('data', (bytes: Buffer) => {
        const path = bytes.toString('latin1').split(' ')[1] as string;
        seen.push(path);
        if (path !== '/3') side.say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
      side.socket.on('end', () => {
        seen.push('end');
        side.say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const client = await scene.client('plain', upstream.authority);
    client.raw.write(
      ['/1', '/2', '/3'].map((path) => `GET ${upstream.url}${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''),
    );
    client.side.end();
    expect((await client.raw.toEnd()).match(/\r\n\r\nok/g)).toHaveLength(3);
    expect(seen).toEqual(['/1', '/2', '/3', 'end']);
  });
});

describe('an upstream that speaks HTTP/2 only', () => {
  it.each(['ends', 'resets'] as const)('is told with CANCEL of a client that %s', async (then) => {
    const codes: number[] = [];
    let opened = 0;
    const server = await serveHttp2(scene.peers, (stream) => {
      opened += 1;
      stream.on('close', () => codes.push(stream.rstCode ?? -1));
    });
    await scene.spike.configure({
      routes: [{ ...routeTo(server.port), upstream: `h2c://127.0.0.1:${server.port}` }],
    });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('GET /translated HTTP/1.1\r\nHost: a\r\n\r\n');
    await scene.until(() => opened === 1);
    if (then === 'ends') client.end();
    else client.socket.resetAndDestroy();
    expect(await causeOf('/translated')).toBe('client-closed');
    await scene.until(() => codes.length === 1);
    expect(codes).toEqual([8]);
    await scene.spike.configure({ routes: [] });
  });
});

describe.each(layers)('over %s, a client that resets while nobody reads what it sends,', (layer) => {
  /** More than Spike, and the buffers of the system, take ahead of an upstream that reads nothing. */
  const body = Buffer.alloc(24 * 1024 * 1024);

  async function stuck(client: HostileClient): Promise<void> {
    let taken = -1;
    // Everything is full when nothing moves any more.
    await scene.until(() => {
      const isStill = taken === client.side.tcp.bytesWritten - client.side.tcp.writableLength;
      taken = client.side.tcp.bytesWritten - client.side.tcp.writableLength;
      return isStill && client.side.socket.writableLength > 0;
    });
  }

  it.each([
    ['behind a slow upstream', []],
    [
      'behind a rule',
      [{ name: 'slow', faults: [{ type: 'bandwidth', bytesPerSecond: 1000, direction: 'request' }] }],
    ],
  ] as const)('%s, is noticed', async (_, rules) => {
    await scene.spike.configure({ rules: rules as unknown as RuleText[] });
    const upstream = await scene.server(layer, (side) => side.socket.pause());
    const client = await scene.client(layer, upstream.authority);
    const target = layer === 'plain' ? upstream.url : '';
    client.raw.write(`POST ${target}/held HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.raw.write(body);
    await stuck(client);
    client.side.reset();
    expect(await causeOf('/held')).toBe('client-closed');
    for (const { tcp } of upstream.sides) tcp.destroy();
    await scene.spike.configure({ rules: [] });
  });

  it('in a tunnel, is noticed', async () => {
    const upstream = await scene.server('plain', (side) => side.socket.pause());
    const client = await scene.client('plain', upstream.authority);
    client.raw.write(`CONNECT ${upstream.authority} HTTP/1.1\r\nHost: a\r\n\r\n\0`);
    await client.raw.see('\r\n\r\n');
    client.raw.write(body);
    await stuck(client);
    client.side.reset();
    const { flow } = await scene.spike.flow(({ kind }) => kind === 'tcp');
    expect(flow.error?.cause).toBe('client-closed');
    for (const { tcp } of upstream.sides) tcp.destroy();
  });
});
