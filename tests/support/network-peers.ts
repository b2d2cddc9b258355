import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { RequestListener, Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What a test has opened; closed together, whatever became of the test. */
export class Peers implements AsyncDisposable {
  #closers: (() => void | Promise<void>)[] = [];

  async http(answer?: RequestListener): Promise<HttpServer & { port: number }> {
    return await this.#listen(answer === undefined ? createHttpServer() : createHttpServer(answer));
  }

  async https(tls: { key: string; cert: string }, answer: RequestListener) {
    return await this.#listen(createHttpsServer(tls, answer));
  }

  /** A server of bytes. Sockets are kept open at their end (half-closed) until the test says otherwise. */
  async tcp(serve: (socket: Socket) => void): Promise<Server & { port: number }> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      socket.on('error', () => undefined); // A reset is part of many tests; they look at what the other side saw.
      serve(socket);
    });
    return await this.#listen(server);
  }

  /** A server that reads one whole head and answers with these bytes, then does what the test says. */
  async answering(bytes: string | Buffer, then: (socket: Socket) => void = (socket) => socket.end()) {
    return await this.tcp((socket) => {
      let seen = '';
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1');
        if (!seen.includes('\r\n\r\n')) return;
        seen = '';
        socket.write(bytes, () => then(socket));
      });
    });
  }

  async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
    this.#closers.push(() => void socket.destroy());
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  also(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    this.#closers = [];
  }

  async #listen<S extends Server>(server: S): Promise<S & { port: number }> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#closers.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return Object.assign(server, { port: (server.address() as AddressInfo).port });
  }
}

/** A client that writes what it is told and keeps all that comes. */
export class RawClient {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  ended = false;
  /** null while it is open; '' after an orderly end; else the system's code. */
  closedBy: string | null = null;
  #chunks: Buffer[] = [];
  #error = '';
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.closedBy = this.#error;
      this.#wake();
    });
  }

  get bytes(): Buffer {
    if (this.#chunks.length > 0) {
      this.received = Buffer.concat([this.received, ...this.#chunks]);
      this.#chunks = [];
    }
    return this.received;
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  write(bytes: string | Buffer): this {
    this.socket.write(bytes, 'latin1' as BufferEncoding);
    return this;
  }

  end(): this {
    this.socket.end();
    return this;
  }

  async until(holds: (text: string) => boolean): Promise<string> {
    while (!holds(this.text)) {
      if (this.closedBy !== null)
        throw new Error(`closed (${this.closedBy}) after: ${this.text.slice(-300)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.text;
  }

  async see(part: string): Promise<string> {
    return await this.until((text) => text.includes(part));
  }

  /** Everything up to the peer's end; ends its own side then. */
  async toEnd(): Promise<string> {
    while (!this.ended && this.closedBy === null) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.socket.end();
    return this.text;
  }

  /** How the connection ended: '' in an orderly way, else the system's code. */
  async toClose(): Promise<string> {
    while (this.closedBy === null) {
      if (this.ended) this.socket.end();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.closedBy;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

const watched = ['TCPSocketWrap', 'TCPServerWrap', 'TLSWrap', 'ConnectWrap', 'TCPConnectWrap'];

function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => watched.includes(name));
}

/** Throws when sockets or listeners are still open a while after everything was closed. */
export async function assertNothingOpen(): Promise<void> {
  for (let tries = 0; openHandles().length > 0; tries++) {
    if (tries > 60) throw new Error(`left open: ${openHandles().join(', ')}`);
    await delay(50);
  }
}
