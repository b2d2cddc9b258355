import { createHash } from 'node:crypto';
import { createServer, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { useScene } from '../support/data-plane-test.ts';

/** Long reads of upstreams go into memory that is used again (io/direct-reads.ts): nothing may be overwritten on its way. */
const scene = useScene();
const sizeBytes = 3 * 1024 ** 2;
const atOnce = 8;

/** A body of its own for each path: no 64 KiB of it are like any other. */
function bodyOf(path: string): Buffer {
  const body = Buffer.alloc(sizeBytes, path);
  for (let at = 0; at < sizeBytes; at += 1000) body.writeUInt32LE(at ^ (path.length * 7919), at);
  return body;
}

const hashOf = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

async function listening(framing: 'length' | 'chunked' | 'until-close') {
  const server = createServer((asked, answer) => {
    const body = bodyOf(asked.url ?? '');
    if (framing === 'length') answer.setHeader('Content-Length', body.length);
    if (framing === 'until-close') {
      answer.useChunkedEncodingByDefault = false;
      answer.shouldKeepAlive = false;
    }
    answer.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** Reads the answer; a slow client stops for some turns after each piece. */
async function read(answer: IncomingMessage, isSlow: boolean): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) {
    pieces.push(piece as Buffer);
    for (let turns = 0; isSlow && turns < 5; turns += 1) await turn();
  }
  return Buffer.concat(pieces);
}

function get(path: string, port: number): Promise<IncomingMessage> {
  const url = `http://127.0.0.1:${port}${path}`;
  const to = { host: '127.0.0.1', port: scene.spike.proxyPort, path: url, agent: false };
  return new Promise((resolve, reject) => request(to, resolve).on('error', reject).end());
}

it.each(['length', 'chunked', 'until-close'] as const)(
  'answers with framing %s come as they were sent, to slow clients and fast ones, again and again',
  async (framing) => {
    const { server, port } = await listening(framing);
    for (const round of [1, 2]) {
      const calls = Array.from({ length: atOnce }, async (_, index) => {
        const path = `/${framing}/${round}/${'x'.repeat(index)}`;
        const body = await read(await get(path, port), index % 2 === 0);
        return [body.length, hashOf(body) === hashOf(bodyOf(path))];
      });
      expect(await Promise.all(calls)).toEqual(Array.from({ length: atOnce }, () => [sizeBytes, true]));
    }
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
  },
);
