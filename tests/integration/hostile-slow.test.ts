import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { defaultClientLimits } from '../../src-main/engine/io/client-watch.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { callThrough } from '../support/proxy-client.ts';

const slow = 2000;
const calls = 2000;
const limits = {
  ...defaultClientLimits,
  // Nobody is to be hurried here, however busy the machine is.
  headTimeoutMs: 120_000,
  idleTimeoutMs: 120_000,
  maxConnectionsPerAddress: slow + 100,
};
const scene = useScene({}, { clientLimits: limits });

/** What slow clients begin with, in turn: each stays where a server of one thread a connection would be stuck. */
const beginnings = (url: string): readonly string[] => [
  '',
  'GET /',
  `GET ${url}/slow HTTP/1.1\r\nHost: a\r\nX: `,
  `POST ${url}/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n`,
  `POST ${url}/slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1`,
  '\x16\x03\x01\x02\x00\x01',
  '\x05\x03',
];

/** Opened a hundred at a time, so that no backlog overflows. */
async function openSlowOnes(count: number, port: number, says: readonly string[]): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(100, count - sockets.length) }, (_, index) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined); // They are cut off at the end.
      scene.peers.also(() => void socket.destroy());
      const text = says[index % says.length] as string;
      return new Promise<Socket>((resolve) => {
        socket.once('connect', () => {
          socket.write(text, 'latin1');
          resolve(socket);
        });
      });
    });
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

it(`answers ${calls} calls while ${slow} clients say an octet now and then, and the slow ones when they come to an end`, async () => {
  const server = await scene.peers.http((asked, response) => {
    asked.resume();
    asked.on('end', () => response.end(`had ${asked.url}`));
  });
  await scene.spike.configure({ routes: [routeTo(server.port)] });
  const url = `http://127.0.0.1:${server.port}`;
  const says = beginnings(url);
  const slowOnes = await openSlowOnes(slow, scene.spike.proxyPort, says);
  const trickle = setInterval(() => {
    for (const [index, socket] of slowOnes.entries())
      if ((index % 100) % says.length === 2) socket.write('x');
  }, 100);
  scene.peers.also(() => clearInterval(trickle));

  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  scene.peers.also(() => agent.destroy());
  const answers = await Promise.all(
    Array.from({ length: calls }, (_, index) => callThrough(scene.spike.proxy, `${url}/${index}`, { agent })),
  );
  expect(
    answers.filter(({ status, body }, index) => status === 200 && body === `had /${index}`),
  ).toHaveLength(calls);
  expect(slowOnes.filter((socket) => !socket.destroyed)).toHaveLength(slow);
  expect(scene.spike.plane.openConnections()).toBeGreaterThanOrEqual(slow);

  clearInterval(trickle);
  const heads = slowOnes.filter((_, index) => (index % 100) % says.length === 2);
  const ended = heads.map(
    (socket) =>
      new Promise<string>((resolve) => {
        let text = '';
        socket.on('data', (bytes: Buffer) => {
          text += bytes.toString('latin1');
          if (text.endsWith('had /slow')) resolve(text);
        });
        socket.on('close', () => resolve(text));
        socket.write('\r\n\r\n');
      }),
  );
  for (const text of await Promise.all(ended)) expect(text).toMatch(/^HTTP\/1\.1 200 .*had \/slow$/s);
}, 100_000);
