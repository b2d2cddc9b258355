import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Direction } from '#shared/flow/flow.ts';
import type {
  MessageDraft,
  ProtocolDecoder,
  StreamDecoder,
} from '../../src-main/engine/proxy/decoders/decoder.ts';

/** What passed on one connection, in the order in which it passed. */
export interface Passed {
  readonly direction: Direction;
  readonly bytes: Buffer;
}

export interface DecodedConnection {
  readonly passed: Passed[];
  readonly messages: MessageDraft[];
  readonly decoder: StreamDecoder;
  isOver: boolean;
}

/** A relay between a real client and a real server that shows a decoder all that passes, and keeps it. */
export class DecodingRelay implements AsyncDisposable {
  readonly connections: DecodedConnection[] = [];
  readonly #protocol: ProtocolDecoder;
  readonly #server = createServer((client) => this.#accept(client));
  readonly #sockets = new Set<Socket>();
  readonly #upstreamPort: number;

  private constructor(protocol: ProtocolDecoder, upstreamPort: number) {
    this.#protocol = protocol;
    this.#upstreamPort = upstreamPort;
  }

  static async start(protocol: ProtocolDecoder, upstreamPort: number): Promise<DecodingRelay> {
    const relay = new DecodingRelay(protocol, upstreamPort);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get messages(): MessageDraft[] {
    return this.connections.flatMap(({ messages }) => messages);
  }

  #accept(client: Socket): void {
    const upstream = connect({ port: this.#upstreamPort, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    const messages: MessageDraft[] = [];
    const decoder = this.#protocol.create((message) => messages.push(message));
    const connection = { passed: [] as Passed[], messages, decoder, isOver: false };
    this.connections.push(connection);
    const pass = (direction: Direction, from: Socket, to: Socket): void => {
      this.#sockets.add(from);
      from.on('error', () => undefined); // The client may reset; what it has sent is judged all the same.
      from.on('data', (bytes: Buffer) => {
        connection.passed.push({ direction, bytes });
        decoder.bytes(direction, bytes, performance.timeOrigin + performance.now());
        to.write(bytes);
      });
      from.on('close', () => {
        to.end();
        this.#sockets.delete(from);
        if (connection.isOver) return;
        connection.isOver = true;
        decoder.end(performance.timeOrigin + performance.now());
      });
    };
    pass('request', client, upstream);
    pass('response', upstream, client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
