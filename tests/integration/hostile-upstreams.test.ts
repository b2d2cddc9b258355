import { describe, expect, it } from 'vitest';
import type { FailureCause } from '#shared/flow/failure-cause.ts';
import type { Flow } from '#shared/flow/flow.ts';
import { layers, useHostileScene } from '../support/hostile-scene.ts';
import type { HostileSide, Layer } from '../support/hostile-scene.ts';

/**
 * Upstreams that cut off, stall, lie, reset and talk nonsense, at every stage of an answer, over plain TCP and TLS. Every
 * row says what the client must see, and which cause is recorded; what must hold after each is in hostile-scene.ts.
 */
const scene = useHostileScene();

/** What the client sees: */
type Seen =
  /** an answer of Spike's, after which its connection takes another request; */
  | { readonly status: 502 | 504 }
  /** the upstream's answer with this body, and its connection takes another request; */
  | { readonly body: string }
  /** the beginning of an answer, and the end of its connection; */
  | { readonly part: string; readonly closedBy: '' | 'ECONNRESET' }
  /** this much and nothing after it, until it gives up. */
  | { readonly waitsAfter: string };

interface Row {
  readonly stage: string;
  readonly does: string;
  readonly says?: string;
  /** As soon as it is connected, or when it has the request's head. Default: `asked`. */
  readonly when?: 'connected' | 'asked';
  /** What it does when the client has seen the beginning of it, where the client sees anything. */
  readonly then: 'close' | 'reset' | 'cut' | 'stall';
  readonly seen: Seen;
  readonly cause: FailureCause | null;
}

const ok = (rest: string): string => `HTTP/1.1 200 OK\r\n${rest}`;
const length = (count: number, body: string): string => ok(`Content-Length: ${count}\r\n\r\n${body}`);
const chunks = (body: string): string => ok(`Transfer-Encoding: chunked\r\n\r\n${body}`);

/** Cut off, reset and left alone at a place where nothing of the answer can be passed on yet. */
function inTheHead(stage: string, says: string): Row[] {
  return [
    { stage, does: 'closes', says, then: 'close', seen: { status: 502 }, cause: 'upstream-closed-early' },
    { stage, does: 'resets', says, then: 'reset', seen: { status: 502 }, cause: 'upstream-reset' },
    { stage, does: 'stalls', says, then: 'stall', seen: { waitsAfter: '' }, cause: 'client-closed' },
  ];
}

/** The same where a part has been passed on: half an answer cannot be taken back. */
function inTheBody(stage: string, says: string, part: string): Row[] {
  return [
    { stage, does: 'closes', says, then: 'close', seen: { part, closedBy: '' }, cause: 'upstream-closed-early' },
    { stage, does: 'resets', says, then: 'reset', seen: { part, closedBy: 'ECONNRESET' }, cause: 'upstream-reset' },
    { stage, does: 'stalls', says, then: 'stall', seen: { waitsAfter: part }, cause: 'client-closed' },
  ];
} // prettier-ignore

function refused(stage: string, does: string, says: string): Row {
  const seen: Seen = { status: 502 };
  return { stage, does, says, then: 'stall', seen, cause: 'upstream-malformed-response' };
}

/** Nonsense behind a head that was passed on: the answer breaks off. */
function broken(stage: string, does: string, says: string, part: string): Row {
  const seen: Seen = { part, closedBy: '' };
  return { stage, does, says, then: 'stall', seen, cause: 'upstream-malformed-response' };
}

/** A whole answer, whatever comes behind it. */
function fine(stage: string, does: string, says: string, then: Row['then'], body = 'ok'): Row {
  return { stage, does, says, then, seen: { body }, cause: null };
}

const rows: readonly Row[] = [
  ...inTheHead('before a byte', ''),
  { stage: 'before the request', does: 'closes', when: 'connected', then: 'close', seen: { status: 502 }, cause: 'upstream-closed-early' },
  refused('before a byte', 'talks SSH', 'SSH-2.0-OpenSSH_9.6\r\n'),
  refused('before a byte', 'sends zeros', '\0'.repeat(100)),
  refused('before a byte', 'sends an empty line', `\r\n${length(2, 'ok')}`),
  ...inTheHead('in the start line', 'HTTP/1.1 2'),
  refused('in the start line', 'has no status', 'HTTP/1.1 OK\r\n\r\n'),
  refused('in the start line', 'has another version', 'HTTP/2.0 200 OK\r\n\r\n'),
  refused('in the start line', 'never ends it', `HTTP/1.1 200 ${'x'.repeat(70_000)}`),
  ...inTheHead('in the head', ok('Content-Len')),
  ...inTheHead('before the empty line', ok('Content-Length: 2\r\n')),
  refused('in the head', 'never ends it', ok('X: 1\r\n'.repeat(15_000))),
  refused('in the head', 'has two lengths', ok('Content-Length: 1\r\nContent-Length: 2\r\n\r\nab')),
  refused('in the head', 'has a length and chunks', ok('Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')),
  refused('in the head', 'has a negative length', ok('Content-Length: -1\r\n\r\n')),
  refused('in the head', 'has a field without a name', ok(': x\r\n\r\n')),
  refused('in the head', 'folds a line', ok('A: b\r\n c\r\nContent-Length: 0\r\n\r\n')),
  refused('in the head', 'has a NUL', ok('A: b\0c\r\nContent-Length: 0\r\n\r\n')),
  refused('in interim answers', 'sends no end of them', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)),
  refused('in interim answers', 'switches protocols unasked', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  ...inTheBody('between head and body', length(5, ''), 'Content-Length: 5\r\n\r\n'),
  ...inTheBody('in the body', length(10, 'half'), 'half'),
  ...inTheBody('between head and chunks', chunks(''), 'chunked\r\n\r\n'),
  ...inTheBody('in a chunk size', chunks('3\r\nabc\r\n1'), 'abc'),
  ...inTheBody('behind a chunk size', chunks('3\r\nabc\r\n1f\r\n'), 'abc'),
  ...inTheBody('in a chunk', chunks('f\r\nhalf'), 'half'),
  ...inTheBody('behind a chunk', chunks('4\r\nhalf\r\n'), 'half'),
  ...inTheBody('in the last chunk', chunks('4\r\nhalf\r\n0\r\n'), 'half'),
  ...inTheBody('in the trailers', chunks('4\r\nhalf\r\n0\r\nX-T: 1'), 'half'),
  broken('in a chunk size', 'writes letters', chunks('4\r\nhalf\r\nxyz\r\n'), 'half'),
  broken('in a chunk size', 'overflows', chunks('4\r\nhalf\r\nfffffffffffffffff\r\n'), 'half'),
  broken('in a chunk size', 'is negative', chunks('4\r\nhalf\r\n-4\r\n'), 'half'),
  broken('behind a chunk', 'lies about its length', chunks('4\r\nhalf and more\r\n'), 'half'),
  broken('in a chunk extension', 'never ends it', chunks(`4;${'x'.repeat(20_000)}`), 'chunked\r\n\r\n'),
  broken('in the trailers', 'never ends them', chunks(`4\r\nhalf\r\n0\r\n${'X: 1\r\n'.repeat(4000)}`), 'half'),
  broken('in the trailers', 'frames the message anew', chunks('4\r\nhalf\r\n0\r\nContent-Length: 5\r\n\r\n'), 'half'),
  fine('behind the answer', 'closes', length(2, 'ok'), 'close'),
  fine('behind the answer', 'resets', length(2, 'ok'), 'reset'),
  fine('behind the answer', 'stalls', length(2, 'ok'), 'stall'),
  fine('behind the answer', 'says more than its length', length(2, 'okay'), 'stall'),
  fine('behind the answer', 'answers twice', length(2, 'ok') + length(5, 'wrong'), 'stall'),
  fine('behind the answer', 'sends nonsense', `${length(2, 'ok')}\0\xff`, 'close'),
  fine('behind the last chunk', 'answers twice', chunks('2\r\nok\r\n0\r\n\r\n') + length(5, 'wrong'), 'stall', '2\r\nok\r\n0\r\n\r\n'),
  { stage: 'before the request', does: 'answers', when: 'connected', says: length(2, 'ok'), then: 'stall', seen: { body: 'ok' }, cause: null },
  { stage: 'until the end', does: 'resets', says: ok('\r\nhalf'), then: 'reset', seen: { part: 'half', closedBy: 'ECONNRESET' }, cause: 'upstream-reset' },
  { stage: 'until the end', does: 'stalls', says: ok('\r\nhalf'), then: 'stall', seen: { waitsAfter: 'half' }, cause: 'client-closed' },
]; // prettier-ignore

function act(side: HostileSide, then: Row['then']): void {
  if (then === 'close') side.end();
  else if (then === 'reset') side.reset();
  else if (then === 'cut') side.cut();
}

/** What of an answer the client sees before the upstream does the rest. */
function visible({ seen }: Row): string | null {
  if ('part' in seen) return seen.part;
  if ('body' in seen) return `\r\n\r\n${seen.body}`;
  return null;
}

async function play(row: Row, layer: Layer): Promise<void> {
  const upstream = await scene.server(layer, (side) => {
    const serve = (): void => {
      if (row.says !== undefined && row.says !== '') side.say(row.says);
      if (visible(row) === null) act(side, row.then);
    };
    if (row.when === 'connected') serve();
    side.socket.on('data', (bytes: Buffer) => {
      side.received += bytes.toString('latin1');
      if (row.when !== 'connected' && side.received.endsWith('\r\n\r\n')) serve();
    });
  });
  const client = await scene.peers.connect(scene.spike.proxyPort);
  client.write(`GET ${upstream.url}/bad HTTP/1.1\r\nHost: a\r\n\r\n`);
  const { seen } = row;
  const part = visible(row);
  if (part !== null) {
    await client.see(part);
    const side = upstream.sides[0] as HostileSide;
    act(side, row.then);
  }
  if ('waitsAfter' in seen) {
    await scene.until(() => upstream.sides[0]?.received.includes('\r\n\r\n') === true);
    await client.see(seen.waitsAfter);
    // A FIN alone could be half of a client that still reads; this one is gone.
    client.socket.resetAndDestroy();
  } else if ('part' in seen) {
    expect(await client.toClose()).toBe(seen.closedBy);
    expect(client.text).toMatch(/^HTTP\/1\.1 200 /);
    expect(client.text.match(/HTTP\/1/g)).toHaveLength(1);
  } else {
    if ('status' in seen) {
      await client.see(`HTTP/1.1 ${seen.status} `);
      await client.see(`spike-error: ${row.cause}`);
      await client.see('\r\n\r\nSpike: ');
    }
    client.write(`GET ${scene.wellUrl}/next HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(await client.see('well')).not.toContain('wrong');
    expect(client.text.match(/HTTP\/1\.1 [2-5]\d\d /g)).toHaveLength(2);
    client.end();
  }
  const isBad = ({ http }: Flow): boolean => http?.url.endsWith('/bad') === true;
  const { flow } = await scene.spike.flow(isBad);
  expect(flow.kind).toBe('http');
  expect(flow.error?.cause ?? null).toBe(row.cause);
  expect(scene.spike.ended.filter((one) => isBad(one.flow))).toHaveLength(1);
  // Spike has let go of it, unless the answer was whole and nothing came behind it.
  const mayStay = row.cause === null && row.then === 'stall';
  if (!mayStay) await scene.until(() => upstream.sides.every((side) => side.isOver));
}

describe.each(layers)('over %s, an upstream', (layer) => {
  it.each(rows.map((row) => [`${row.stage} ${row.does}`, row] as const))('%s', (_, row) => play(row, layer));
});

describe.each(layers)('over %s, on a connection that was used before, an upstream', (layer) => {
  const again: readonly [string, string, Row['then'], 'at once' | 'asked', string, FailureCause | null][] = [
    ['that closes when it is asked: a GET goes to a fresh connection', 'GET', 'close', 'asked', 'ok', null],
    ['that resets when it is asked: a GET goes to a fresh connection', 'GET', 'reset', 'asked', 'ok', null],
    ['that closes when it is asked: a POST is not sent twice', 'POST', 'close', 'asked', '502', 'upstream-closed-early'],
    ['that resets when it is asked: a POST is not sent twice', 'POST', 'reset', 'asked', '502', 'upstream-reset'],
    ['that closes while nobody asks', 'POST', 'close', 'at once', 'ok', null],
    ['that resets while nobody asks', 'POST', 'reset', 'at once', 'ok', null],
    ['that talks while nobody asks', 'POST', 'stall', 'at once', 'ok', null],
  ]; // prettier-ignore
  it.each(again)('%s', async (_, method, then, when, answer, cause) => {
    const asked: string[] = [];
    const upstream = await scene.server(layer, (side, index) => {
      let turn = 0;
      side.socket.on('data', (bytes: Buffer) => {
        asked.push(bytes.toString('latin1').split(' ', 1)[0] as string);
        turn += 1;
        if (index === 0 && turn === 2) act(side, then);
        else side.say(length(2, 'ok'));
      });
    });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`GET ${upstream.url}/1 HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.see('\r\n\r\nok');
    const [first] = upstream.sides as [HostileSide];
    if (when === 'at once') {
      if (then === 'stall') first.say(length(5, 'wrong'));
      act(first, then);
      await scene.until(() => first.isOver);
    }
    client.write(`${method} ${upstream.url}/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    await client.until((text) => text.match(/HTTP\/1\.1 /g)?.length === 2 && !text.endsWith('\r\n\r\n'));
    expect(client.text).toContain(answer === 'ok' ? 'ok\r\n'.slice(0, 2) : 'HTTP/1.1 502 ');
    expect(client.text).not.toContain('wrong');
    client.end();
    const { flow } = await scene.spike.flow(({ http }) => http?.url.endsWith('/2') === true);
    expect(flow.error?.cause ?? null).toBe(cause);
    expect(asked.filter((one) => one === 'POST').length).toBeLessThanOrEqual(1);
  });
});

describe.each(layers)('over %s, an upstream that does not read', (layer) => {
  const megabyte = Buffer.alloc(1 << 20, 'x');

  it('holds the client back, and is let go with it when it reads again', async () => {
    const upstream = await scene.server(layer, (side) => side.socket.pause());
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`POST ${upstream.url}/big HTTP/1.1\r\nHost: a\r\nContent-Length: ${200 << 20}\r\n\r\n`);
    // Until nothing more is taken: what is under way is in the buffers of the system, and not in Spike.
    const before = process.memoryUsage().arrayBuffers;
    let given = 0;
    while (given < 200 && client.socket.writableLength < 1 << 20) {
      client.write(megabyte);
      given += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(given).toBeLessThan(60);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 << 20);
    client.socket.resetAndDestroy();
    // A connection that is not read tells nothing of its end: it is learned when the upstream goes on.
    upstream.sides[0]?.socket.resume();
    expect((await scene.spike.flow()).flow.error?.cause).toBe('client-closed');
    await scene.until(() => upstream.sides[0]?.isOver === true);
  });

  it.each(['keeps its connection', 'resets'])(
    'and answers: the answer comes, whether it then %s',
    async (then) => {
      const upstream = await scene.server(layer, (side) => {
        side.socket.once('data', () => {
          side.socket.pause();
          side.say('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!');
        });
      });
      const client = await scene.peers.connect(scene.spike.proxyPort);
      client.write(`POST ${upstream.url}/big HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n`);
      client.write(megabyte);
      expect(await client.see('no!')).toMatch(/^HTTP\/1\.1 413 /);
      if (then === 'resets') upstream.sides[0]?.reset();
      expect(await client.toClose()).toMatch(/^(|ECONNRESET|EPIPE)$/);
      expect((await scene.spike.flow()).flow).toMatchObject({ http: { status: 413 }, error: null });
      upstream.sides[0]?.socket.resume();
      await scene.until(() => upstream.sides[0]?.isOver === true);
    },
  );
});

describe('in the TLS handshake, an upstream', () => {
  /** A record that begins a ServerHello of 512 octets and has four of them. */
  const half = Buffer.of(0x16, 3, 3, 2, 0, 2, 0, 1, 0xfc);
  const fatalAlert = Buffer.of(0x15, 3, 3, 0, 2, 2, 40);
  const handshakes: readonly [string, string | Buffer, Row['then'], number, FailureCause][] = [
    ['closes before a byte', '', 'close', 502, 'tls-closed'],
    ['resets before a byte', '', 'reset', 502, 'tls-closed'],
    ['stalls before a byte', '', 'stall', 504, 'upstream-connect-timeout'],
    ['closes in its hello', half, 'close', 502, 'tls-closed'],
    ['resets in its hello', half, 'reset', 502, 'tls-closed'],
    ['stalls in its hello', half, 'stall', 504, 'upstream-connect-timeout'],
    ['sends an alert', fatalAlert, 'close', 502, 'tls-handshake-failed'],
    ['answers in plain HTTP', length(2, 'ok'), 'close', 502, 'tls-not-tls'],
    ['talks SSH', 'SSH-2.0-OpenSSH_9.6\r\n', 'stall', 502, 'tls-not-tls'],
    ['sends zeros', '\0'.repeat(200), 'stall', 502, 'tls-not-tls'],
    ['sends nonsense in a record', Buffer.concat([Buffer.of(0x16, 3, 3, 0, 50), Buffer.alloc(50, 0xff)]), 'stall', 502, 'tls-handshake-failed'],
    ['sends a record that is too long', Buffer.concat([Buffer.of(0x16, 3, 3, 0xff, 0xff), Buffer.alloc(500)]), 'stall', 502, 'tls-handshake-failed'],
    ['echoes the hello', 'echo', 'stall', 502, 'tls-handshake-failed'],
  ]; // prettier-ignore
  it.each(handshakes)('%s', async (_, says, then, status, cause) => {
    const upstream = await scene.server('plain', (side) => {
      side.socket.once('data', (hello: Buffer) => {
        if (says !== '') side.say(says === 'echo' ? hello : says);
        act(side, then);
      });
    });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`GET ${upstream.url.replace('http', 'https')}/bad HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.see('\r\n\r\nSpike: ');
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'http', http: { status }, error: { cause } });
    client.write(`GET ${scene.wellUrl}/next HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.see('well');
    client.end();
    await scene.until(() => upstream.sides.every((side) => side.isOver));
  });
});
