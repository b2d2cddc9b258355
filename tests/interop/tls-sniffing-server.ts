// A small HTTPS server made of Spike's TLS material alone: it reads the hello, mints for the name in it (or for the address
// that was called), and answers every request with a line of text.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { parseClientHello } from '../../src-main/engine/tls/client-hello.ts';
import type { ClientHello } from '../../src-main/engine/tls/client-hello.ts';
import type { LeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { leafSocketOptions } from '../../src-main/engine/tls/tls-options.ts';

export const ANSWER = 'opened by Spike';

export type SniffingServer = AsyncDisposable & { port: number; hellos: ClientHello[]; failures: Error[] };

/** `certifyAs` replaces the name, for a certificate that a client must refuse. */
export async function startSniffingServer(
  issuer: LeafIssuer,
  { host = '127.0.0.1', certifyAs }: { host?: string; certifyAs?: string } = {},
): Promise<SniffingServer> {
  const sockets = new Set<Socket>();
  const hellos: ClientHello[] = [];
  const failures: Error[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined); // A client that refuses the certificate just goes.
    awaitHello(socket, (hello) => {
      hellos.push(hello);
      const context = issuer.contextFor(certifyAs ?? hello.serverName ?? host);
      if (context) answerOver(new TLSSocket(socket, leafSocketOptions(context, ['http/1.1'])), failures);
      else socket.destroy();
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    hellos,
    failures,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function awaitHello(socket: Socket, open: (hello: ClientHello) => void): void {
  let received = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const result = parseClientHello(received);
    if (result.status === 'incomplete') return;
    socket.off('data', onData);
    socket.pause();
    if (result.status !== 'hello') return void socket.destroy();
    socket.unshift(received);
    open(result);
  };
  socket.on('data', onData);
}

function answerOver(secure: TLSSocket, failures: Error[]): void {
  secure.on('error', (error) => failures.push(error));
  let request = '';
  secure.on('data', (chunk: Buffer) => {
    request += chunk.toString('latin1');
    if (!request.includes('\r\n\r\n')) return;
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${ANSWER.length}\r\nConnection: close\r\n\r\n`;
    secure.end(head + ANSWER);
  });
}
