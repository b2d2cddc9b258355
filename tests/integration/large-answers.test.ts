import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { useScene } from '../support/data-plane-test.ts';

/** Long reads of upstreams go into memory that is used again (io/direct-reads.ts): nothing may be overwritten on its way. */
const scene = useScene();
/** More than the system's buffers take on the way to a client that does not read. */
const sizeBytes = 20 * 1024 ** 2;
/** Less than one read takes: several are under way before the client's side says that it is full. */
const pieceBytes = 24_000;
const atOnce = 4;

/** No two pieces of it are alike. */
function bodyOf(path: string): Buffer {
  const body = Buffer.alloc(sizeBytes, path);
  for (let at = 0; at < sizeBytes; at += 1000) body.writeUInt32LE(at, at);
  return body;
}

const hashOf = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

async function send(answer: ServerResponse, body: Buffer): Promise<void> {
  for (let at = 0; at < body.length; at += pieceBytes) {
    if (!answer.write(body.subarray(at, at + pieceBytes))) await once(answer, 'drain');
    await turn();
  }
  answer.end();
}

async function listening(framing: 'length' | 'chunked' | 'until-close') {
  const server = createServer((asked, answer) => {
    const body = bodyOf(asked.url ?? '');
    if (framing === 'length') answer.setHeader('Content-Length', body.length);
    if (framing === 'until-close') {
      answer.useChunkedEncodingByDefault = false;
      answer.shouldKeepAlive = false;
    }
    void send(answer, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** A slow client gives others many turns before each of its reads. */
async function read(answer: IncomingMessage, isSlow: boolean): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) {
    pieces.push(piece as Buffer);
    for (let turns = 0; isSlow && turns < 50; turns += 1) await turn();
  }
  return Buffer.concat(pieces);
}

function get(path: string, port: number): Promise<IncomingMessage> {
  const url = `http://127.0.0.1:${port}${path}`;
  const to = { host: '127.0.0.1', port: scene.spike.proxyPort, path: url, agent: false };
  return new Promise((resolve, reject) => request(to, resolve).on('error', reject).end());
}

it.each(['length', 'chunked', 'until-close'] as const)(
  'answers with framing %s come as they were sent, to slow clients and fast ones at once',
  async (framing) => {
    const { server, port } = await listening(framing);
    const calls = Array.from({ length: atOnce }, async (_, index) => {
      const path = `/${framing}/${'x'.repeat(index)}`;
      const body = await read(await get(path, port), index % 2 === 0);
      return [body.length, hashOf(body) === hashOf(bodyOf(path))];
    });
    expect(await Promise.all(calls)).toEqual(Array.from({ length: atOnce }, () => [sizeBytes, true]));
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
  },
);
