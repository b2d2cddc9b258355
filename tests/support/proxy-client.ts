import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders, RequestOptions } from 'node:http';
import { connect } from 'node:net';

export interface ProxiedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ProxiedCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Names the caller by the credentials of the proxy. */
  readonly caller?: string;
  /** Default: a connection for this call alone. */
  readonly agent?: Agent;
}

/** A call of plain HTTP through a proxy at `host:port`, in absolute form, by Node's own client. */
export function callThrough(proxy: string, url: string, call: ProxiedCall = {}): Promise<ProxiedAnswer> {
  const { method = 'GET', headers = {}, body, caller, agent } = call;
  const { hostname, port } = new URL(`http://${proxy}`);
  const credentials = caller === undefined ? {} : { 'proxy-authorization': `Basic ${btoa(`${caller}:x`)}` };
  const options: RequestOptions = {
    hostname,
    port,
    method,
    path: url,
    agent: agent ?? false,
    headers: { host: new URL(url).host, ...credentials, ...headers },
  };
  return new Promise((resolve, reject) => {
    const sent = request(options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
      );
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** All calls of one connection, one after the other. */
export function oneConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** Sends bytes as they are and gives what came back until the other end closed, or fails after `withinMs`. */
export function sendRaw(proxy: string, bytes: string, withinMs = 10_000): Promise<string> {
  const { hostname, port } = new URL(`http://${proxy}`);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes, 'latin1'));
    let received = '';
    const timer = setTimeout(() => socket.destroy(new Error(`still open, with: ${received}`)), withinMs);
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(received);
    });
  });
}
