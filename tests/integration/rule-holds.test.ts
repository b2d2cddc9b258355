// What rules hold in memory, over real sockets: bounded all together, nothing lost by it, and given back in the end.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { unboundedHoldBytes } from '../../src-main/engine/rules/held-bytes.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';

const MiB = 1024 ** 2;
const scene = useScene();
const readBytes = 65_536;

/** Looks at what is held every few ms until all is over. */
async function mostHeldDuring(work: Promise<unknown>): Promise<number> {
  let most = 0;
  let isOver = false;
  const over = work.finally(() => (isOver = true));
  while (!isOver) {
    most = Math.max(most, scene.spike.plane.takeHolds().heldBytes);
    await delay(2);
  }
  await over;
  return most;
}

test('tunnels that stall, with fast writers: the bound holds, and every byte arrives', async () => {
  const tunnels = 80;
  const bytes = Buffer.alloc(MiB / 2, 'the quick brown fox ');
  const wanted = createHash('sha256').update(bytes).digest('hex');
  const server = await scene.peers.tcp((socket) => {
    const hash = createHash('sha256');
    socket.on('data', (chunk: Buffer) => hash.update(chunk));
    socket.on('end', () => socket.end(hash.digest('hex')));
  });
  await scene.spike.configure({
    routes: [routeTo(server.port, 'tcp')],
    limits: { maxRuleHoldBytes: 4 * MiB },
    rules: [{ name: 'hang', faults: [{ type: 'hang', direction: 'request' }] }],
  });
  const clients = Array.from({ length: tunnels }, async () => {
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write(bytes);
    client.end();
    return await client.toEnd();
  });
  while (scene.spike.plane.takeHolds().heldBytes < 4 * MiB) await delay(2);
  await scene.spike.configure({
    rules: [{ name: 'stall', faults: [{ type: 'stall', direction: 'request', share: 0.3, stallMs: 20 }] }],
  });
  const most = await mostHeldDuring(Promise.all(clients));
  expect(new Set(await Promise.all(clients))).toEqual(new Set([wanted]));
  expect(most).toBeLessThanOrEqual(4 * MiB + tunnels * (unboundedHoldBytes + readBytes));
  expect(scene.spike.plane.takeHolds().heldBytes).toBe(0);
});

test('many calls that would be collected: those beyond the bound pass unchanged and say so', async () => {
  const body = Buffer.alloc(2 * MiB, 'a');
  const waiting: ServerResponse[] = [];
  const server = await scene.peers.http((_, response) => {
    waiting.push(response);
    if (waiting.length < 12) return;
    // All at once, and without a length: nobody knows beforehand.
    for (let at = 0; at < body.length; at += MiB / 4)
      for (const one of waiting) one.write(body.subarray(at, at + MiB / 4));
    for (const one of waiting) one.end();
  });
  await scene.spike.configure({
    routes: [routeTo(server.port)],
    limits: { maxRuleHoldBytes: 6 * MiB },
    rules: [{ name: 'long', faults: [{ type: 'wrong-length', by: -1 }] }],
  });
  const get = async (): Promise<Headers> => {
    const response = await fetch(`http://127.0.0.1:${scene.spike.port('service')}/`);
    await response.arrayBuffer().catch(() => null);
    return response.headers;
  };
  const most = await mostHeldDuring(Promise.all(Array.from({ length: 12 }, get)));
  const flows = await scene.spike.flows(12);
  const notes = flows.map(({ flow }) => flow.faults[0]?.note ?? '');
  const left = notes.filter((note) => note === 'left the response as it was: rules hold 6 MiB already');
  expect(left.length).toBeGreaterThan(0);
  expect(notes.filter((note) => note.startsWith('said 2,097,151 bytes')).length).toBe(12 - left.length);
  // Bodies that are being changed are there twice.
  expect(most).toBeLessThanOrEqual(2 * 6 * MiB + 12 * readBytes);
  expect(scene.spike.plane.takeHolds().heldBytes).toBe(0);
});

test('clients that go away while rules hold their bytes give them back', async () => {
  const server = await scene.peers.tcp((socket) => socket.resume());
  await scene.spike.configure({
    routes: [routeTo(server.port, 'tcp')],
    rules: [{ name: 'hang', faults: [{ type: 'hang', direction: 'request' }] }],
  });
  const sockets = await Promise.all(
    [1, 2, 3].map(async () => {
      const socket = connect(scene.spike.port('service'), '127.0.0.1');
      scene.peers.also(() => void socket.destroy());
      await once(socket, 'connect');
      socket.write(Buffer.alloc(100_000));
      return socket;
    }),
  );
  while (scene.spike.plane.takeHolds().heldBytes < 300_000) await delay(2);
  sockets[0]?.resetAndDestroy();
  while (scene.spike.plane.takeHolds().heldBytes > 200_000) await delay(2);
  await scene.spike.configure({ rules: [] });
  expect(scene.spike.plane.takeHolds().heldBytes).toBe(0);
});

test('a tunnel on which rules were turned on and off 1,000 times: its marks are bounded, and counted', async () => {
  const server = await scene.peers.tcp((socket) => socket.pipe(socket));
  const rule = { name: 'late', faults: [{ type: 'latency', latencyMs: 0 } as const] };
  await scene.spike.configure({ routes: [routeTo(server.port, 'tcp')], rules: [] });
  const client = await scene.peers.connect(scene.spike.port('service'));
  client.write('begun\x00');
  await client.see('begun');
  for (let epoch = 1; epoch <= 1_000; epoch++) {
    await scene.spike.configure({ rules: [{ ...rule, epoch }] });
    await scene.spike.configure({ rules: [] });
  }
  client.end();
  const { flow } = await scene.spike.flow();
  expect(flow.faults).toHaveLength(100);
  expect(flow.faults.at(-1)?.note).toMatch(/\(and 900 times more before\)$/);
});

test('what a client sends while a rule holds back connecting is counted, and bounded with the rest', async () => {
  const answered = Promise.withResolvers<number>();
  const server = await scene.peers.http((asked, response) => {
    let bytes = 0;
    asked.on('data', (chunk: Buffer) => (bytes += chunk.length));
    asked.on('end', () => {
      answered.resolve(bytes);
      response.end('whole');
    });
  });
  await scene.spike.configure({
    routes: [routeTo(server.port)],
    limits: { maxRuleHoldBytes: 100_000 },
    rules: [{ name: 'late', faults: [{ type: 'connect-timeout', afterMs: 60_000 }] }],
  });
  const client = await scene.peers.connect(scene.spike.port('service'));
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n');
  client.write(Buffer.alloc(900_000));
  while (scene.spike.plane.takeHolds().heldBytes < 100_000) await delay(2);
  await scene.spike.configure({ rules: [] });
  await client.see('whole');
  expect(await answered.promise).toBe(900_000);
  expect(scene.spike.plane.takeHolds().heldBytes).toBe(0);
});
