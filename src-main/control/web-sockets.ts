import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { apiPrefix } from '#shared/contract/contract.ts';
import type { SpikeError } from '#shared/contract/errors.ts';
import type { Timer } from '../engine/clock.ts';
import type { Control } from './control.ts';
import { spikeError } from './error-mapping.ts';
import { errorText } from './json-response.ts';
import { createRpcServer } from './rpc-channel.ts';
import type { RpcMessage } from './rpc-channel.ts';
import { socketProtocol } from './security.ts';

/**
 * The two WebSockets: `/rpc` carries the contract for the window, `/events` the events for scripts, one JSON text a
 * message. Both send the next event only once the one before has left for the system, so that a slow reader fills its
 * bounded queue and not our memory.
 */
export interface WebSockets {
  /** Takes a request over that may ask (security has been seen to). Throws for a path that is no WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, path: string): void;
  /** Whether a path is one that takes WebSockets only. */
  has(path: string): boolean;
  /** Says goodbye; ends, after half a second, those that do not answer. */
  close(): Promise<void>;
}

type Serve = (socket: WebSocket) => void;
const pingEveryMs = 30_000;
const goodbyeMs = 500;
const goingAway = 1001;
const tryAgainLater = 1013;

export function createWebSockets(control: Control, maxMessageBytes: number): WebSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(socketProtocol) ? socketProtocol : false),
  });
  const paths: Readonly<Record<string, Serve>> = {
    [`${apiPrefix}/rpc`]: serveRpc(control),
    [`${apiPrefix}/events`]: (socket) => void sendEvents(control, socket),
  };
  const pings = keepAlive(server, control);
  return {
    has: (path) => Object.hasOwn(paths, path),
    upgrade(request, socket, head, path) {
      server.handleUpgrade(request, socket, head, (client) => {
        client.on('error', (error) => control.log.debug({ err: error, path }, 'a WebSocket failed'));
        paths[path]?.(client);
      });
    },
    async close() {
      pings.cancel();
      await closeAll(server, control);
    },
  };
}

function serveRpc(control: Control): Serve {
  const open = createRpcServer(control);
  return (socket) => {
    const channel = open((message) => sendPaced(socket, message));
    // A text frame comes as a Buffer too; what it is decides how the message is read.
    socket.on('message', (data: Buffer, isBinary) => channel.receive(isBinary ? data : data.toString()));
    socket.on('close', () => channel.close());
  };
}

async function sendEvents(control: Control, socket: WebSocket): Promise<void> {
  let reader;
  try {
    reader = control.events.open();
  } catch (error) {
    socket.close(tryAgainLater, spikeError(error, control.log).message);
    return;
  }
  socket.on('close', () => reader.close());
  for await (const event of reader) await sendPaced(socket, JSON.stringify(event));
  socket.close(goingAway, 'The agent is stopping.');
}

/** Resolves once the bytes have been handed to the system, and when they never will be: the close event tells that. */
function sendPaced(socket: WebSocket, data: RpcMessage): Promise<void> {
  return new Promise((resolve) => socket.send(data, () => resolve()));
}

/** Ends sockets whose other side has gone without a word (a laptop that sleeps): they miss two pings. */
function keepAlive(server: WebSocketServer, control: Control): Timer {
  const quiet = new WeakSet<WebSocket>();
  let timer: Timer;
  server.on('connection', (client: WebSocket) => client.on('pong', () => quiet.delete(client)));
  const ping = (): void => {
    for (const client of server.clients) {
      if (quiet.has(client)) client.terminate();
      quiet.add(client);
      client.ping();
    }
    timer = control.clock.setTimer(pingEveryMs, ping, true);
  };
  timer = control.clock.setTimer(pingEveryMs, ping, true);
  return { cancel: () => timer.cancel() };
}

/** A reader that has stalled never answers a closing frame: it must not hold up an agent that stops. */
async function closeAll(server: WebSocketServer, control: Control): Promise<void> {
  const clients = [...server.clients];
  const closed = clients.map((client) => new Promise((resolve) => client.once('close', resolve)));
  for (const client of clients) client.close(goingAway, 'The agent is stopping.');
  const impatience = control.clock.setTimer(goodbyeMs, () => {
    for (const client of clients) client.terminate();
  });
  await Promise.all(closed);
  impatience.cancel();
  server.close();
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
};

/** Refuses an upgrade with an ordinary answer: the one error shape, then the end of the connection. */
export function refuseUpgrade(socket: Duplex, error: SpikeError): void {
  const body = errorText(error);
  socket.end(
    [
      `HTTP/1.1 ${error.status} ${reasons[error.status] ?? 'Refused'}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
