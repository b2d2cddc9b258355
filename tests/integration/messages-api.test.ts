// What passes inside flows, from outside: a running agent, its API, and clients that keep their connections open.
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { MessagePage } from '#shared/flow/message.ts';
import { Peers } from '../support/network-peers.ts';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

let agent: RealAgent;
const peers = new Peers();
beforeAll(async () => {
  agent = await startRealAgent({ workers: 1 });
});
afterAll(async () => {
  await peers[Symbol.asyncDispose]();
  await endRealAgents();
});

async function routeTo(port: number, scheme: 'http' | 'tcp'): Promise<string> {
  const upstream = `${scheme}://127.0.0.1:${port}`;
  const route = await agent.client.routes.create({ name: `r${port}`, listen: '127.0.0.1:0', upstream });
  return route.address as string;
}

async function messages(id: string, query = ''): Promise<MessagePage> {
  const answer = await agent.get(`/flows/${id}/messages${query}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as MessagePage;
}

test('messages of a WebSocket are there while it is open, page after page, and are forgotten with it', async () => {
  const server = await peers.http();
  const echo = new WebSocketServer({ server });
  echo.on('connection', (socket) =>
    socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary })),
  );
  const client = new WebSocket(`ws://${await routeTo(server.port, 'http')}/chat?room=1`);
  peers.also(() => client.terminate());
  await once(client, 'open');
  client.send('hello');
  await once(client, 'message');

  const flow = await eventually(async () => {
    const [open] = await agent.flows('proto:ws');
    expect(open?.messages?.count).toBe(2);
    return open!;
  });
  expect(flow).toMatchObject({ kind: 'websocket', durationMs: null, protocol: null, bytes: null });
  const first = await messages(flow.id);
  expect(first).toMatchObject({ total: 2, dropped: 0, next: 1 });
  expect(first.messages).toMatchObject([
    { index: 0, type: 'text', direction: 'request', text: 'hello', sizeBytes: 5, encoding: 'text' },
    { index: 1, type: 'text', direction: 'response', text: 'hello', truncated: false, compressed: false },
  ]);
  expect(await messages(flow.id, '?after=1')).toEqual({ messages: [], next: 1, total: 2, dropped: 0 });

  client.send(Buffer.from([0, 255]));
  await once(client, 'message');
  const next = await eventually(async () => {
    const page = await messages(flow.id, '?after=1');
    expect(page.messages).toHaveLength(2);
    return page;
  });
  expect(next.messages[0]).toMatchObject({ index: 2, type: 'binary', text: 'AP8=', encoding: 'base64' });

  client.close(1000, 'bye');
  await once(client, 'close');
  const all = await eventually(async () => {
    const page = await messages(flow.id, '?limit=5');
    expect(page.total).toBe(6);
    return page;
  });
  expect(all.next).toBe(4);
  const last = await messages(flow.id, `?after=${all.next}`);
  expect(last.messages).toMatchObject([
    { index: 5, type: 'close', direction: 'response', text: '1000 bye', summary: '1000 normal closure' },
  ]);
  expect(last.next).toBeNull();

  await agent.client.flows.clear();
  expect((await agent.get(`/flows/${flow.id}/messages`)).status).toBe(404);
});
