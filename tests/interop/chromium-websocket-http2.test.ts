// Chromium with Spike as its proxy has the page and its WebSocket over one connection of HTTP/2 (RFC 8441): Spike says that it takes
// extended CONNECT, whatever the upstream speaks.
import { createServer } from 'node:https';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { MessagePage } from '#shared/flow/message.ts';
import { loadOrCreateCertificateAuthority } from '../../src-main/engine/tls/certificate-authority.ts';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { endRealAgents, eventually, startRealAgent, temporaryDirectory } from '../support/real-agent.ts';
import { isInstalled, runProgram } from '../support/run-program.ts';

const page = `<!doctype html><title>chat</title><p id="said"></p><script>
const socket = new WebSocket('wss://' + location.host + '/chat');
socket.onopen = () => socket.send('hello '.repeat(100));
socket.onmessage = ({ data }) => {
  document.getElementById('said').textContent = data;
  socket.close(3001, 'seen');
};
</script><script src="/when-closed.js"></script>`;

afterAll(endRealAgents);

/** A site of HTTP/1.1 alone over TLS, whose WebSocket says how much it was told. */
async function startChat(): Promise<{ server: Server; port: number; caPath: string }> {
  const { promise: closed, resolve: close } = Promise.withResolvers<unknown>();
  const log = { info: () => undefined, warn: () => undefined };
  const ca = await loadOrCreateCertificateAuthority({ directory: temporaryDirectory(), now: Date.now, log });
  const issuer = createLeafIssuer({ ca, now: Date.now });
  const cert = issuer.issue('localhost')?.chainPem ?? '';
  const server = createServer({ key: issuer.privateKeyPem, cert }, (request, answer) => {
    // The page is loaded when its script is, and that is when the conversation is over.
    if (request.url === '/when-closed.js') void closed.then(() => answer.end(''));
    else answer.writeHead(200, { 'content-type': 'text/html' }).end(page);
  }) as Server;
  const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 0 } });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => socket.send(`got ${data.length}`));
    socket.on('close', close);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, port, caPath: `${dirname(ca.path)}/ca.pem` };
}

it.skipIf(!isInstalled('chromium'))('a WebSocket passes in a stream, and is shown decompressed', async () => {
  const { server, port, caPath } = await startChat();
  const agent = await startRealAgent({ workers: 1, workspace: `version: 1\ntls: { trust: [${caPath}] }\n` });
  const { stdout } = await runProgram('chromium', [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-dev-shm-usage'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ...[`--user-data-dir=${temporaryDirectory()}`, '--ignore-certificate-errors'],
    ...[`--proxy-server=${agent.ready.proxy}`, '--proxy-bypass-list=<-loopback>'],
    ...['--dump-dom', `https://localhost:${port}/`],
  ]);
  expect(stdout).toContain('<p id="said">got 600</p>');
  await eventually(async () => {
    const [flow] = await agent.flows('proto:ws');
    expect(flow).toMatchObject({ durationMs: expect.any(Number), tls: { alpn: 'h2' } });
    expect(flow?.http).toMatchObject({ httpVersion: '2', status: 200 });
    const { messages } = (await (await agent.get(`/flows/${flow?.id}/messages`)).json()) as MessagePage;
    expect(messages.map(({ type, direction, text }) => [type, direction, text])).toEqual([
      ['text', 'request', 'hello '.repeat(100)],
      ['text', 'response', 'got 600'],
      ['close', 'request', '3001 seen'],
      ['close', 'response', '3001 seen'],
    ]);
    expect(messages.slice(0, 2).every(({ compressed }) => compressed)).toBe(true);
  });
  server.closeAllConnections();
  server.close();
});
