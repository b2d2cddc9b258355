import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { http2CodeName } from '../../src-main/engine/proxy/http2/error-codes.ts';
import { layers, useHostileScene } from '../support/hostile-scene.ts';
import type { HostileSide } from '../support/hostile-scene.ts';
import { callHttp2, openHttp2 } from '../support/http2-peers.ts';
import {
  flag,
  frame,
  framesOf,
  frameType,
  getRoot,
  indexed,
  literal,
  newest,
  preface,
  settings,
  status200,
  windowUpdate,
} from '../support/http2-frames.ts';
import type { ReadFrame } from '../support/http2-frames.ts';

/**
 * Peers that break the rules of HTTP/2 (RFC 9113), on both sides. After each of them Spike still serves, and nothing of it is
 * left (HostileScene); a client of HTTP/2 that was there before goes on over its own connection.
 */
const scene = useHostileScene();

const { data, headers, rstStream, pushPromise, ping, goaway, continuation } = frameType;
const whole = flag.endHeaders | flag.endStream;

/** Frames without number, as many as a peer takes before it has had enough. */
const many = (one: Buffer, count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => one));

/** An entry of 4,000 bytes, named once and then a thousand times by one byte. */
const bomb = (head: Buffer): Buffer =>
  Buffer.concat([head, indexed('x-bomb', 'b'.repeat(4000)), Buffer.alloc(12_000, newest)]);

/** What has come on a socket, as frames. */
function reading(socket: Socket) {
  let bytes = Buffer.alloc(0);
  let isOver = false;
  socket.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
  socket.on('error', () => undefined); // Its close is what counts.
  socket.on('end', () => (isOver = true));
  socket.on('close', () => (isOver = true));
  const codes = (type: number, at: number): string[] =>
    framesOf(bytes)
      .filter((one) => one.type === type)
      .map((one) => http2CodeName(one.payload.readUInt32BE(at)));
  return {
    frames: () => framesOf(bytes),
    /** Behind a client's preface. */
    requests: () => framesOf(bytes.subarray(preface.length)),
    isOver: () => isOver,
    goaways: () => codes(goaway, 4),
    resets: () => codes(rstStream, 0),
  };
}

/** A client that was there before: its call is held by the server while the other one does what it does. */
async function bystander() {
  let answer: (() => void) | null = null;
  const { port } = await scene.peers.http((asked, response) => {
    asked.resume();
    answer = () => response.end('held');
  });
  const session = await openHttp2(scene.peers, `http://${scene.spike.proxy}`);
  const call = callHttp2(session, [
    ...[':method', 'GET', ':scheme', 'http', ':authority', `127.0.0.1:${port}`, ':path', '/'],
  ]);
  await scene.until(() => answer !== null);
  return async (): Promise<void> => {
    answer?.();
    const { status, body } = await call;
    expect([status, body.toString()]).toEqual([200, 'held']);
    session.destroy();
  };
}

const isHeadOf = (stream: number, one: ReadFrame): boolean => one.type === headers && one.stream === stream;

interface ClientCase {
  readonly name: string;
  /** Behind the preface and the first SETTINGS; in place of them where it says so. */
  readonly bytes: (authority: Buffer) => Buffer;
  readonly withoutPreface?: true;
  /** It says no more. */
  readonly ends?: true;
  /** How the connection ends; `null`: without a word. */
  readonly goaway?: string | null;
  /** Or the stream alone. */
  readonly reset?: string;
}

const asked = (authority: Buffer): Buffer => frame(headers, whole, 1, Buffer.concat([getRoot, authority]));
const open = (authority: Buffer): Buffer =>
  frame(headers, flag.endHeaders, 1, Buffer.concat([getRoot, authority]));

// INTERNAL_ERROR is how node:http2 ends a connection of which it has had enough.
const clientCases: readonly ClientCase[] = [
  { name: 'a preface that is none', withoutPreface: true, bytes: () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n'), goaway: null },
  { name: 'no SETTINGS behind the preface', withoutPreface: true, bytes: () => Buffer.concat([preface, frame(ping, 0, 0, Buffer.alloc(8))]), goaway: 'PROTOCOL_ERROR' },
  { name: 'half a frame, and no more', bytes: () => frame(headers, whole, 1, getRoot, 100), ends: true, goaway: null },
  { name: 'a frame beyond 16 KiB', bytes: () => frame(data, 0, 0, Buffer.alloc(100), 0xff_ff_ff), goaway: 'FRAME_SIZE_ERROR' },
  { name: 'SETTINGS of a wrong length', bytes: () => settings([0, 4, 0, 0, 0]), goaway: 'FRAME_SIZE_ERROR' },
  { name: 'a window of over 2^31', bytes: () => settings([0, 4, 0xff, 0xff, 0xff, 0xff]), goaway: 'FLOW_CONTROL_ERROR' },
  { name: 'WINDOW_UPDATE by nothing', bytes: () => windowUpdate(0, 0), goaway: 'PROTOCOL_ERROR' },
  { name: 'WINDOW_UPDATE beyond 2^31', bytes: () => many(windowUpdate(0, 0x7f_ff_ff_ff), 2), goaway: 'FLOW_CONTROL_ERROR' },
  { name: 'WINDOW_UPDATE of a stream that is not there', bytes: () => windowUpdate(7, 1), goaway: 'PROTOCOL_ERROR' },
  { name: 'RST_STREAM of a stream that is not there', bytes: () => frame(rstStream, 0, 7, [0, 0, 0, 8]), goaway: 'PROTOCOL_ERROR' },
  { name: 'HEADERS on stream 0', bytes: () => frame(headers, whole, 0, getRoot), goaway: 'PROTOCOL_ERROR' },
  { name: 'DATA on stream 0', bytes: () => frame(data, 0, 0, [1]), goaway: 'PROTOCOL_ERROR' },
  { name: 'a stream with an even number', bytes: (at) => frame(headers, whole, 2, Buffer.concat([getRoot, at])), goaway: 'PROTOCOL_ERROR' },
  { name: 'a push from a client', bytes: () => frame(pushPromise, flag.endHeaders, 1, [0, 0, 0, 2, 0x82]), goaway: 'PROTOCOL_ERROR' },
  { name: 'an index of no field', bytes: () => frame(headers, whole, 1, [0xff, 0xff, 0x7f]), goaway: 'COMPRESSION_ERROR' },
  { name: 'a frame amid a head', bytes: () => Buffer.concat([frame(headers, flag.endStream, 1, getRoot), frame(ping, 0, 0, Buffer.alloc(8))]), goaway: 'PROTOCOL_ERROR' },
  { name: 'a head of endless CONTINUATION', bytes: () => Buffer.concat([frame(headers, flag.endStream, 1, getRoot), many(frame(continuation, 0, 1, literal('x', 'y'.repeat(1000))), 2000)]), goaway: 'INTERNAL_ERROR' },
  { name: 'a head of endless empty CONTINUATION', bytes: () => Buffer.concat([frame(headers, flag.endStream, 1, getRoot), many(frame(continuation, 0, 1), 5000)]), goaway: 'INTERNAL_ERROR' },
  { name: 'a head that unpacks to 48 MB', bytes: (at) => frame(headers, whole, 1, bomb(Buffer.concat([getRoot, at]))), reset: 'ENHANCE_YOUR_CALM' },
  { name: 'streams reset as fast as they open', bytes: (at) => Buffer.concat(Array.from({ length: 2000 }, (_, i) => Buffer.concat([frame(headers, whole, 2 * i + 1, Buffer.concat([getRoot, at])), frame(rstStream, 0, 2 * i + 1, [0, 0, 0, 8])]))), goaway: 'INTERNAL_ERROR' },
  { name: 'DATA behind the end of the stream', bytes: (at) => Buffer.concat([asked(at), frame(data, 0, 1, [1])]), goaway: 'STREAM_CLOSED' },
  { name: 'more body than it announced', bytes: (at) => Buffer.concat([frame(headers, flag.endHeaders, 1, Buffer.concat([Buffer.of(0x83, 0x86, 0x84), at, literal('content-length', '2')])), frame(data, flag.endStream, 1, [1, 2, 3])]), goaway: 'INTERNAL_ERROR' },
  { name: 'a field name in capitals', bytes: (at) => frame(headers, whole, 1, Buffer.concat([getRoot, at, literal('X-Capital', '1')])), reset: 'PROTOCOL_ERROR' },
  { name: 'a field of the connection', bytes: (at) => frame(headers, whole, 1, Buffer.concat([getRoot, at, literal('connection', 'close')])), reset: 'PROTOCOL_ERROR' },
  { name: 'no path', bytes: (at) => frame(headers, whole, 1, Buffer.concat([Buffer.of(0x82, 0x86), at])), reset: 'PROTOCOL_ERROR' },
  { name: 'a stream left open, and a reset connection', bytes: (at) => open(at), ends: true, goaway: null },
]; // prettier-ignore

describe.each(layers)('a client over %s', (layer) => {
  it.each(clientCases)('says $name', async ({ bytes, withoutPreface, ends, ...expected }) => {
    const goesOn = await bystander();
    const { side } = await scene.client(layer, `localhost:${scene.well.port}`, ['h2']);
    const seen = reading(side.socket);
    const authority = literal(':authority', `127.0.0.1:${scene.well.port}`);
    side.say(
      withoutPreface === true ? bytes(authority) : Buffer.concat([preface, settings(), bytes(authority)]),
    );
    if (ends === true) side.end();
    if (expected.reset !== undefined) {
      await scene.until(() => seen.resets().length > 0 || seen.isOver());
      side.say(frame(headers, whole, 3, Buffer.concat([getRoot, authority])));
      await scene.until(() => seen.isOver() || seen.frames().some((one) => isHeadOf(3, one)));
      side.end();
    }
    await scene.until(seen.isOver);
    await goesOn();
    if (typeof expected.goaway === 'string') expect(seen.goaways()).toContain(expected.goaway);
    if (expected.reset === undefined) return;
    expect(seen.resets()).toContain(expected.reset);
    expect(seen.frames().some((one) => isHeadOf(3, one))).toBe(true);
  });
});

// node:http2 gives its session up for what is broken in the TLS below, and tells nobody.
describe('a peer over TLS', () => {
  const nonsense = Buffer.from('\x17\x03\x03\x00\x20' + 'x'.repeat(32), 'latin1');

  it('that is a client says what cannot be decrypted: its calls are over', async () => {
    const goesOn = await bystander();
    const { side } = await scene.client('TLS', `localhost:${scene.well.port}`, ['h2']);
    const seen = reading(side.socket);
    side.say(Buffer.concat([preface, settings(), open(literal(':authority', 'a.invalid'))]));
    await scene.until(() => seen.frames().length > 0);
    side.tcp.write(nonsense);
    await scene.until(seen.isOver);
    await goesOn();
  });

  it('that is an upstream says what cannot be decrypted: calls fail, and the next one gets a connection', async () => {
    const goesOn = await bystander();
    let connections = 0;
    const serve = ({ socket, tcp }: HostileSide): void => {
      const isFirst = connections++ === 0;
      const seen = reading(socket);
      socket.write(settings());
      socket.on('data', () => {
        if (!seen.requests().some(({ type }) => type === headers)) return;
        if (isFirst) tcp.write(nonsense);
        else socket.write(frame(headers, whole, 1, status200));
      });
    };
    const { authority } = await scene.server('TLS', serve, ['h2']);
    const route = { name: 'hostile', listen: '127.0.0.1:0', upstream: `https://${authority}` };
    await scene.spike.configure({ routes: [route] });
    const session = await openHttp2(scene.peers, `http://${scene.spike.address('hostile')}`);
    expect((await callHttp2(session, { ':path': '/' })).status).toBe(502);
    expect((await callHttp2(session, { ':path': '/' })).status).toBe(200);
    session.destroy();
    await goesOn();
  });
});

// Over TLS it comes in pieces of 16 KiB: then the buffers of the system have to be full first, which takes 10 MB and more.
describe('a client over plain', () => {
  it.each([
    ['PING', frame(ping, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', settings([0, 4, 0, 1, 0, 0])],
  ])('floods with %s and reads nothing', async (_what, one) => {
    const goesOn = await bystander();
    const { side } = await scene.client('plain', scene.wellUrl);
    side.socket.pause();
    side.say(Buffer.concat([preface, settings()]));
    // More acknowledgements than fit into the buffers of the system: Spike would have to keep them.
    const flood = many(one, 20_000);
    let sent = 0;
    const more = (): void => {
      if (sent++ < 40 && !side.isOver) side.socket.write(flood, more);
    };
    more();
    await scene.until(() => side.isOver);
    await goesOn();
  });
});

interface UpstreamCase {
  readonly name: string;
  /** What it says to the first request, behind its SETTINGS. */
  readonly bytes: Buffer;
  /** It says no more. */
  readonly ends?: true;
  /** What the client has of it: a status; 0: its stream is reset. */
  readonly status: number;
}

const answered = frame(headers, whole, 1, status200);
const begun = frame(headers, flag.endHeaders, 1, Buffer.concat([status200, literal('content-length', '10')]));

const upstreamCases: readonly UpstreamCase[] = [
  { name: 'bytes that are none', bytes: Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), status: 502 },
  { name: 'half a frame, and no more', bytes: frame(headers, whole, 1, status200, 100), ends: true, status: 502 },
  { name: 'half a body, and no more', bytes: Buffer.concat([begun, frame(data, 0, 1, [1, 2, 3])]), ends: true, status: 0 },
  { name: 'a frame beyond 16 KiB', bytes: frame(data, 0, 1, [], 0xff_ff_ff), status: 502 },
  { name: 'SETTINGS of a wrong length', bytes: settings([0, 4, 0, 0, 0]), status: 502 },
  { name: 'a window of over 2^31', bytes: settings([0, 4, 0xff, 0xff, 0xff, 0xff]), status: 502 },
  { name: 'WINDOW_UPDATE by nothing', bytes: windowUpdate(0, 0), status: 502 },
  { name: 'WINDOW_UPDATE beyond 2^31', bytes: many(windowUpdate(0, 0x7f_ff_ff_ff), 2), status: 502 },
  { name: 'WINDOW_UPDATE beyond 2^31 for the stream', bytes: many(windowUpdate(1, 0x7f_ff_ff_ff), 2), status: 502 },
  { name: 'HEADERS on stream 0', bytes: frame(headers, whole, 0, status200), status: 502 },
  { name: 'HEADERS on a stream that nobody opened', bytes: frame(headers, whole, 7, status200), status: 502 },
  { name: 'RST_STREAM of a stream that nobody opened', bytes: frame(rstStream, 0, 7, [0, 0, 0, 8]), status: 502 },
  { name: 'a push that was refused', bytes: Buffer.concat([frame(frameType.settings, flag.ack, 0), frame(pushPromise, flag.endHeaders, 1, Buffer.concat([Buffer.of(0, 0, 0, 2), getRoot]))]), status: 502 },
  { name: 'an index of no field', bytes: frame(headers, whole, 1, [0xff, 0xff, 0x7f]), status: 502 },
  { name: 'a frame amid a head', bytes: Buffer.concat([frame(headers, 0, 1, status200), frame(ping, 0, 0, Buffer.alloc(8))]), status: 502 },
  { name: 'a head of endless CONTINUATION', bytes: Buffer.concat([frame(headers, 0, 1, status200), many(frame(continuation, 0, 1, literal('x', 'y'.repeat(1000))), 2000)]), status: 502 },
  { name: 'a head that unpacks to 48 MB', bytes: frame(headers, whole, 1, bomb(status200)), status: 0 },
  { name: 'DATA before its head', bytes: frame(data, 0, 1, [1]), status: 502 },
  { name: 'DATA behind the end of the stream', bytes: Buffer.concat([answered, frame(data, 0, 1, [1])]), status: 200 },
  { name: 'more body than it announced', bytes: Buffer.concat([begun, frame(data, flag.endStream, 1, Buffer.alloc(11))]), status: 0 },
  { name: 'a field name in capitals', bytes: frame(headers, whole, 1, Buffer.concat([status200, literal('X-Capital', '1')])), status: 0 },
  { name: 'no status', bytes: frame(headers, whole, 1, literal('x', '1')), status: 0 },
  { name: 'a flood of PING, and then its answer', bytes: Buffer.concat([many(frame(ping, 0, 0, Buffer.alloc(8)), 500), answered]), status: 200 },
  { name: 'a flood of empty DATA', bytes: Buffer.concat([begun, many(frame(data, 0, 1), 20_000)]), status: 0 },
  { name: 'GOAWAY for what it was asked', bytes: frame(goaway, 0, 0, Buffer.alloc(8)), ends: true, status: 0 },
]; // prettier-ignore

describe.each(layers)('an upstream over %s', (layer) => {
  it.each(upstreamCases)('says $name', async ({ bytes, ends, status }) => {
    const goesOn = await bystander();
    const serve = ({ socket }: HostileSide): void => {
      const seen = reading(socket);
      let hasAnswered = false;
      socket.write(settings());
      socket.on('data', () => {
        if (hasAnswered || !seen.requests().some(({ type }) => type === headers)) return;
        hasAnswered = true;
        if (ends === true) socket.end(bytes);
        else socket.write(bytes);
      });
    };
    const { authority } = await scene.server(layer, serve, ['h2']);
    const upstream = `${layer === 'TLS' ? 'https' : 'h2c'}://${authority}`;
    await scene.spike.configure({ routes: [{ name: 'hostile', listen: '127.0.0.1:0', upstream }] });
    const session = await openHttp2(scene.peers, `http://${scene.spike.address('hostile')}`);
    const answer = await callHttp2(session, { ':path': '/' });
    session.destroy();
    await goesOn();
    const { flow } = await scene.spike.flow(({ route }) => route === 'hostile');
    if (status === 0) {
      expect(answer.code).not.toBe(0);
      expect(flow.error?.cause).toMatch(/^upstream-/);
      return;
    }
    expect([answer.status, answer.code]).toEqual([status, 0]);
    if (status === 502) expect(flow.error?.cause).toMatch(/^upstream-/);
    else expect(flow.error).toBeNull();
  });
});
