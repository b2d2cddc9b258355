// Chromium with Spike as its proxy opens a WebSocket, as pages do: through CONNECT, with permessage-deflate.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { MessagePage } from '#shared/flow/message.ts';
import { Peers } from '../support/network-peers.ts';
import { endRealAgents, eventually, startRealAgent, temporaryDirectory } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { isInstalled, runProgram } from '../support/run-program.ts';

const page = `<!doctype html><title>chat</title><p id="said"></p><script>
const socket = new WebSocket('ws://' + location.host + '/chat');
socket.onopen = () => { socket.send('hello '.repeat(100)); socket.send(new Uint8Array([1, 2, 3])); };
socket.onmessage = ({ data }) => {
  document.getElementById('said').textContent = data;
  socket.close(3001, 'seen');
};
</script><script src="/when-closed.js"></script>`;

let agent: RealAgent;
const peers = new Peers();
beforeAll(async () => {
  agent = await startRealAgent({ workers: 1 });
});
afterAll(async () => {
  await peers[Symbol.asyncDispose]();
  await endRealAgents();
});

const open = (url: string) =>
  runProgram('chromium', [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-dev-shm-usage'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    `--user-data-dir=${temporaryDirectory()}`,
    ...[`--proxy-server=${agent.ready.proxy}`, '--proxy-bypass-list=<-loopback>'],
    ...['--dump-dom', url],
  ]);

it.skipIf(!isInstalled('chromium'))('its messages pass, and are shown decompressed', async () => {
  const { promise: closed, resolve: close } = Promise.withResolvers<unknown>();
  // The page is loaded when its script is, and that is when the conversation is over.
  const server = await peers.http((request, answer) => {
    if (request.url === '/when-closed.js') void closed.then(() => answer.end(''));
    else answer.writeHead(200, { 'content-type': 'text/html' }).end(page);
  });
  const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 0 } });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) socket.send(`got ${data.length}`);
    });
    socket.on('close', close);
  });
  const { stdout } = await open(`http://127.0.0.1:${server.port}/`);
  expect(stdout).toContain('<p id="said">got 3</p>');
  await eventually(async () => {
    const [flow] = await agent.flows('proto:ws');
    expect(flow).toMatchObject({ durationMs: expect.any(Number), http: { status: 101 } });
    const { messages } = (await (await agent.get(`/flows/${flow?.id}/messages`)).json()) as MessagePage;
    expect(messages.map(({ type, direction, text }) => [type, direction, text])).toEqual([
      ['text', 'request', 'hello '.repeat(100)],
      ['binary', 'request', 'AQID'],
      ['text', 'response', 'got 3'],
      ['close', 'request', '3001 seen'],
      ['close', 'response', '3001 seen'],
    ]);
    expect(messages.slice(0, 3).every(({ compressed }) => compressed)).toBe(true);
  });
});
