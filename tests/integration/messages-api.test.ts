// What passes inside flows, from outside: a running agent, its API, and clients that keep their connections open.
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
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

test('an event stream that goes on moves in the feed of the window: messages and bytes', async () => {
  const server = await peers.http((_request, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const sending = setInterval(() => answer.write('data: tick\n\n'), 100);
    peers.also(() => clearInterval(sending));
    answer.on('close', () => clearInterval(sending));
  });
  const leaving = new AbortController();
  peers.also(() => leaving.abort());
  const rows: FlowSummary[] = [];
  const events = await agent.client.agent.events();
  const answer = await fetch(`http://${await routeTo(server.port, 'http')}/ticks`, {
    signal: leaving.signal,
  });
  for await (const event of events) {
    if (event.type === 'flow.batch') rows.push(...event.flows.filter(({ path }) => path === '/ticks'));
    if (rows.length === 3) break;
  }
  expect(answer.status).toBe(200);
  expect(rows.every(({ durationMs, protocol }) => durationMs === null && protocol === 'h1')).toBe(true);
  const [first, second, third] = rows.map(({ messages, sizeBytes }) => ({
    messages: messages ?? 0,
    sizeBytes,
  }));
  expect(first?.messages).toBeGreaterThan(0);
  expect(second?.messages).toBeGreaterThan(first?.messages ?? 0);
  expect(third?.messages).toBeGreaterThan(second?.messages ?? 0);
  expect(third?.sizeBytes).toBeGreaterThan(second?.sizeBytes ?? 0);
});

test('bytes of a tunnel are given as its bodies, and body: finds what passed inside flows', async () => {
  const server = await peers.tcp((socket) => {
    socket.on('data', (bytes: Buffer) => socket.write(bytes));
    socket.on('end', () => socket.end());
  });
  const [host, port] = (await routeTo(server.port, 'tcp')).split(':');
  const client = await peers.connect(Number(port), host);
  client.write('needle in raw bytes');
  await client.see('bytes');
  client.end();
  await client.toEnd();
  const flow = await eventually(async () => {
    const [ended] = await agent.flows('kind:tcp');
    expect(ended).toMatchObject({ durationMs: expect.any(Number), bytes: { request: 'stored' } });
    return ended!;
  });
  const body = await agent.get(`/flows/${flow.id}/request/body`);
  expect(body.headers.get('content-type')).toBe('application/octet-stream');
  expect(await body.text()).toBe('needle in raw bytes');
  expect((await agent.flows('body:needle')).map(({ id }) => id)).toEqual([flow.id]);
  expect((await agent.flows('body:tick')).map(({ http }) => http?.url)).toEqual([
    expect.stringMatching(/ticks$/),
  ]);
});

test('what is asked wrongly is refused', async () => {
  expect((await agent.get('/flows/none/messages')).status).toBe(404);
  expect((await agent.get('/flows/none/messages?after=-2')).status).toBe(400);
  expect((await agent.get('/flows/none/messages?limit=1001')).status).toBe(400);
});
