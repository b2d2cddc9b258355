import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import type { AgentEvent } from '#shared/contract/events.ts';
import { startHarness, testToken } from '../support/control-harness.ts';
import type { ControlHarness, HarnessOptions } from '../support/control-harness.ts';
import { rawRequest } from '../support/raw-http.ts';

let harness: ControlHarness;
const sockets: WebSocket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await harness.close();
});

const start = async (options: HarnessOptions = {}) => (harness = await startHarness(options));

function open(path: string, protocols: string[] = [], options: ClientOptions = {}): WebSocket {
  const socket = new WebSocket(`${harness.server.url.replace('http', 'ws')}${path}`, protocols, options);
  sockets.push(socket);
  return socket;
}

const withToken = { headers: { authorization: `Bearer ${testToken}` } };
const offered = ['spike.v1', `token.${testToken}`];

interface Refusal {
  status: number;
  code: string;
}

/** How an upgrade is refused; rejects when it is not. */
function refusalOf(socket: WebSocket): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('the WebSocket was let in')));
    socket.on('error', () => undefined); // `terminate` of a socket that never opened
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += String(chunk)));
      response.on('end', () => {
        const { error } = JSON.parse(body) as { error: { code: string } };
        resolve({ status: response.statusCode ?? 0, code: error.code });
      });
    });
  });
}

/** Events as they come; `until` waits for one that passes, among those that have come and those that will. */
function readEvents(socket: WebSocket) {
  const seen: AgentEvent[] = [];
  const listeners = new Set<() => void>();
  socket.on('message', (data) => {
    seen.push(JSON.parse(String(data)) as AgentEvent);
    for (const listener of listeners) listener();
  });
  const until = (passes: (event: AgentEvent) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (seen.some(passes)) resolve();
      };
      listeners.add(look);
      look();
    });
  return { seen, until };
}

describe('the event socket', () => {
  it('sends one event a message, the status first', async () => {
    await start();
    const { seen, until } = readEvents(open('/api/v1/events', [], withToken));
    const removed = until((event) => event.type === 'rule.removed');
    await expect.poll(() => seen.length).toBe(1);
    harness.engine.rules.create({ id: 'r', name: 'r', faults: [{ type: 'hang' }] });
    harness.engine.rules.remove('r');
    await removed;
    expect(seen.map((event) => event.type)).toEqual(['status.changed', 'rule.changed', 'rule.removed']);
  });

  it('sends the status again when it has changed, and not when it has not', async () => {
    await start({ eventLimits: { statusEveryMs: 5 } });
    const { seen, until } = readEvents(open('/api/v1/events', [], withToken));
    const stopped = until((event) => event.type === 'status.changed' && !event.status.capture.recording);
    await expect.poll(() => seen.length).toBeGreaterThan(0);
    harness.engine.flows.setRecording(false);
    await stopped;
    const count = seen.length;
    const cleared = until((event) => event.type === 'flow.cleared');
    // Some ticks later there is nothing new to say.
    for (let tick = 0; tick < 5; tick += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    await harness.engine.flows.clear();
    await cleared;
    expect(seen.slice(count).map((event) => event.type)).toEqual(['flow.cleared']);
  });

  it('forgets a reader that goes', async () => {
    await start();
    const socket = open('/api/v1/events', [], withToken);
    await expect.poll(() => harness.engine.listeners).toBe(1);
    socket.terminate();
    await expect.poll(() => harness.engine.listeners).toBe(0);
  });

  it('ends with the agent, and says so', async () => {
    await start();
    const socket = open('/api/v1/events', [], withToken);
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    await expect.poll(() => harness.control.events.readers).toBe(1);
    harness.control.close();
    expect(await closed).toBe(1001);
  });

  it('takes so many readers and no more', async () => {
    await start({ eventLimits: { maxReaders: 1 } });
    open('/api/v1/events', [], withToken);
    await expect.poll(() => harness.control.events.readers).toBe(1);
    const second = open('/api/v1/events', [], withToken);
    const [code, reason] = await new Promise<[number, Buffer]>((resolve) =>
      second.on('close', (...close) => resolve(close)),
    );
    expect(code).toBe(1013);
    expect(String(reason)).toContain('1 readers');
  });
});

describe('a slow reader', () => {
  it('loses the oldest events, is told how many, and holds up nobody', async () => {
    await start({ eventLimits: { maxQueuedEvents: 20, statusEveryMs: 3_600_000 } });
    const slow = await openAndStall();
    const { seen, until } = readEvents(open('/api/v1/events', [], withToken));
    await expect.poll(() => harness.control.events.readers).toBe(2);

    const big = 'x'.repeat(200_000);
    let sent = 0;
    // Until what the system buffers for a connection is full and the queue behind it overflows.
    while (harness.control.events.droppedEvents < 30 && sent < 500) {
      sent += 1;
      harness.engine.rules.create({
        id: `r${sent}`,
        name: `r${sent}`,
        faults: [{ type: 'status', status: 503, body: big }],
      });
      const id = `r${sent}`;
      await until((event) => event.type === 'rule.changed' && event.rule.id === id);
    }
    expect(harness.control.events.droppedEvents).toBe(30);
    const { dropped } = JSON.parse(
      (await rawRequest(harness.server.url, { path: '/api/v1/status', ...withToken })).body,
    ) as { dropped: { events: number } };
    expect(dropped.events).toBe(harness.control.events.droppedEvents);

    const events = await slow.resumeUntil(`"id":"r${sent}"`);
    const told = events.filter((event) => event.type === 'events.dropped');
    const lost = told.reduce((sum, event) => sum + event.count, 0);
    const rules = events.flatMap((event) => (event.type === 'rule.changed' ? [event.rule.id] : []));
    expect(lost).toBe(harness.control.events.droppedEvents);
    expect(rules.length + lost).toBe(sent);
    expect(rules.slice(0, 2)).toEqual(['r1', 'r2']);
    expect(rules.slice(-2)).toEqual([`r${sent - 1}`, `r${sent}`]);
    expect(seen.some((event) => event.type === 'events.dropped')).toBe(false);
  }, 60_000);
});

describe('a reader that has stalled', () => {
  it('does not hold up an agent that stops', async () => {
    await start();
    const stalled = await openAndStall();
    await harness.server.close();
    await expect(rawRequest(harness.server.url, {})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    stalled.end();
  });
});

interface StalledReader {
  end(): void;
  /** Reads on until a text has passed; returns all events. */
  resumeUntil(text: string): Promise<AgentEvent[]>;
}

/** A WebSocket whose reader has stopped reading: a socket of our own, since a library would go on reading. */
async function openAndStall(): Promise<StalledReader> {
  const { hostname, port, host } = new URL(harness.server.url);
  const socket: Socket = connect(Number(port), hostname);
  socket.write(
    [
      'GET /api/v1/events HTTP/1.1',
      `host: ${host}`,
      `authorization: Bearer ${testToken}`,
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n',
    ].join('\r\n'),
  );
  await new Promise((resolve) => socket.once('readable', resolve)); // 'readable' without a read: nothing more is taken
  return {
    end: () => socket.destroy(),
    async resumeUntil(text) {
      const chunks: Buffer[] = [];
      let found = false;
      let tail = '';
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        tail = (tail + chunk.toString('latin1')).slice(-1_000_000);
        found ||= tail.includes(text);
        // The text is near the beginning of its frame: read to the end of what was sent.
        if (found && tail.endsWith('}}')) break;
      }
      return framesOf(Buffer.concat(chunks));
    },
  };
}

/** The text frames of a server (RFC 6455, section 5.2: not masked) after the head of its answer. */
function framesOf(bytes: Buffer): AgentEvent[] {
  const events: AgentEvent[] = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (at < bytes.length) {
    const short = (bytes[at + 1] as number) & 0x7f;
    const [length, start] =
      short === 127
        ? [Number(bytes.readBigUInt64BE(at + 2)), at + 10]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), at + 4]
          : [short, at + 2];
    events.push(JSON.parse(bytes.toString('utf8', start, start + length)) as AgentEvent);
    at = start + length;
  }
  return events;
}

describe('who may open a WebSocket', () => {
  it.each(['/api/v1/rpc', '/api/v1/events'])(
    'takes the token as a subprotocol, and answers spike.v1: %s',
    async (path) => {
      await start();
      const socket = open(path, offered);
      await new Promise((resolve) => socket.on('open', resolve));
      expect(socket.protocol).toBe('spike.v1');
    },
  );

  it('refuses without a token, with a wrong one, and with one in the query', async () => {
    await start();
    const refused: Refusal = { status: 401, code: 'unauthorized' };
    expect(await refusalOf(open('/api/v1/rpc'))).toEqual(refused);
    expect(await refusalOf(open('/api/v1/rpc', ['spike.v1']))).toEqual(refused);
    expect(await refusalOf(open('/api/v1/rpc', ['spike.v1', 'token.wrong']))).toEqual(refused);
    expect(await refusalOf(open(`/api/v1/rpc?token=${testToken}`))).toEqual(refused);
    expect(await refusalOf(open('/api/v1/events', [], { headers: { authorization: 'Bearer no' } }))).toEqual(
      refused,
    );
  });

  it('refuses pages of other origins and re-bound names, token or not', async () => {
    await start();
    expect(await refusalOf(open('/api/v1/rpc', offered, { origin: 'http://evil.example' }))).toEqual({
      status: 403,
      code: 'forbidden-origin',
    });
    expect(await refusalOf(open('/api/v1/rpc', offered, { headers: { host: 'evil.example' } }))).toEqual({
      status: 403,
      code: 'forbidden-host',
    });
    const own = open('/api/v1/rpc', offered, { origin: harness.server.url });
    await new Promise((resolve) => own.on('open', resolve));
  });

  it('knows no other path', async () => {
    await start();
    expect(await refusalOf(open('/api/v1/status', offered))).toEqual({ status: 404, code: 'not-found' });
    expect(await refusalOf(open('/', offered))).toEqual({ status: 404, code: 'not-found' });
  });

  it('says that a path is for WebSockets to who asks in HTTP', async () => {
    await start();
    const answer = await rawRequest(harness.server.url, { path: '/api/v1/events', ...withToken });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('WebSocket');
  });
});

describe('an RPC socket', () => {
  it('survives a message that is none, and is closed for one that is too large', async () => {
    await start({ http: { maxBodyBytes: 10_000 } });
    const socket = open('/api/v1/rpc', offered);
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send('{ this is no message');
    socket.send(JSON.stringify({ i: '1', p: { u: '/agent/status' } }));
    const answer = await new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));
    expect(JSON.parse(answer as string)).toMatchObject({
      i: '1',
      p: { b: { json: { version: '0.0.0-test' } } },
    });
    expect(harness.logged.map(({ message }) => message)).toEqual(['an RPC message was not understood']);
    socket.send('x'.repeat(10_001));
    expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(1009);
  });
});
