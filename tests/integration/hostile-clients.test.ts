import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { FailureCause } from '#shared/flow/failure-cause.ts';
import type { Flow } from '#shared/flow/flow.ts';
import { layers, useHostileScene } from '../support/hostile-scene.ts';
import type { HostileClient, Layer } from '../support/hostile-scene.ts';

/**
 * Clients that cut off, stall, lie, reset and talk nonsense, at every stage of a request, plain and inside CONNECT and TLS,
 * and in what comes before: CONNECT, SOCKS5, the TLS handshake. Every row says what the client sees, what is recorded, and
 * whether the upstream was reached; what must hold after each is in hostile-scene.ts.
 */
const scene = useHostileScene();

type Then = 'closes' | 'resets' | 'half-closes' | 'stalls';

interface Row {
  readonly stage: string;
  readonly says: string;
  readonly then: Then;
  /** The status lines that come back; a client that is gone reads none. */
  readonly answers: readonly number[];
  /** The flow that is recorded, but for those that went well; null: none. */
  readonly recorded: { readonly kind: Flow['kind']; readonly cause: FailureCause } | null;
}

const gone = { kind: 'http', cause: 'client-closed' } as const;
const late = { kind: 'refused', cause: 'client-timeout' } as const;
const bad = { kind: 'refused', cause: 'client-malformed-request' } as const;
const badBody = { kind: 'http', cause: 'client-malformed-request' } as const;
const tooMuch = { kind: 'refused', cause: 'client-limit-exceeded' } as const;

const get = 'GET {url}/ HTTP/1.1\r\nHost: a\r\n';
const post = (framing: string): string => `POST {url}/ HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`;
const chunks = post('Transfer-Encoding: chunked');

/** Before its head is whole nothing has been asked for: an end is no failure of anything, and taking too long is one. */
function beforeTheHead(stage: string, says: string): Row[] {
  return [
    ...(['closes', 'resets', 'half-closes'] as const).map((then) => ({ stage, says, then, answers: [], recorded: null })),
    { stage, says, then: 'stalls', answers: says === '' ? [] : [408], recorded: says === '' ? null : late },
  ];
} // prettier-ignore

/** Behind its head the call is under way, and over with its client. Nobody is hurried there: see timeouts.test.ts. */
function behindTheHead(stage: string, says: string): Row[] {
  return (['closes', 'resets', 'half-closes'] as const).map((then) => ({
    stage,
    says,
    then,
    answers: [],
    recorded: gone,
  }));
}

function refused(stage: string, says: string, status: number, recorded: Row['recorded'] = bad): Row {
  return { stage, says, then: 'stalls', answers: [status], recorded };
}

function brokenOff(stage: string, says: string): Row {
  return { stage, says, then: 'stalls', answers: [400], recorded: badBody };
}

const rows: readonly Row[] = [
  ...beforeTheHead('before a byte', ''),
  ...beforeTheHead('in the method', 'GE'),
  ...beforeTheHead('in the start line', 'GET {url}/'),
  ...beforeTheHead('in the head', 'GET {url}/ HTTP/1.1\r\nHos'),
  ...beforeTheHead('before the empty line', get),
  refused('with a start line that never ends', `GET {url}/${'x'.repeat(70_000)}`, 414, tooMuch),
  refused('with a head that never ends', get + 'X: 1\r\n'.repeat(15_000), 431, tooMuch),
  refused('with a field without a colon', `${get}nonsense\r\n\r\n`, 400),
  refused('with two lengths', post('Content-Length: 1\r\nContent-Length: 2'), 400),
  refused('with a length and chunks', post('Content-Length: 1\r\nTransfer-Encoding: chunked'), 400),
  refused('with a NUL', `${get}A: b\0c\r\n\r\n`, 400),
  refused('with another version', 'GET {url}/ HTTP/3.1\r\nHost: a\r\n\r\n', 505),
  ...behindTheHead('between head and body', post('Content-Length: 5')),
  ...behindTheHead('in the body', `${post('Content-Length: 10')}half`),
  ...behindTheHead('between head and chunks', chunks),
  ...behindTheHead('in a chunk size', `${chunks}3\r\nabc\r\n1`),
  ...behindTheHead('in a chunk', `${chunks}f\r\nhalf`),
  ...behindTheHead('behind a chunk', `${chunks}4\r\nhalf\r\n`),
  ...behindTheHead('in the trailers', `${chunks}0\r\nX-T: 1`),
  brokenOff('with letters for a chunk size', `${chunks}4\r\nhalf\r\nxyz\r\n`),
  brokenOff('with a chunk size that overflows', `${chunks}fffffffffffffffff\r\n`),
  brokenOff('with a chunk longer than it says', `${chunks}4\r\nhalf and more\r\n`),
  brokenOff('with a chunk extension that never ends', `${chunks}4;${'x'.repeat(20_000)}`),
{ stage: 'with trailers that never end', says: `${chunks}0\r\n${'X: 1\r\n'.repeat(4000)}`, then: 'stalls', answers: [431], recorded: { kind: 'http', cause: 'client-limit-exceeded' } },
  brokenOff('with trailers that frame the message anew', `${chunks}0\r\nContent-Length: 5\r\n\r\n`),
  { stage: 'behind the request', says: `${get}\r\n`, then: 'half-closes', answers: [200], recorded: null },
  { stage: 'behind the request', says: `${get}\r\n`, then: 'stalls', answers: [200], recorded: null },
  { stage: 'with more than its length', says: `${post('Content-Length: 2')}okay{}\r\n\r\n`, then: 'stalls', answers: [200, 400], recorded: bad },
  { stage: 'in its second head', says: `${get}\r\nGET {url}/2 HT`, then: 'half-closes', answers: [200], recorded: null },
  { stage: 'in its second head', says: `${get}\r\nGET {url}/2 HT`, then: 'stalls', answers: [200, 408], recorded: late },
  { stage: 'in its second body', says: `${get}\r\n${post('Content-Length: 9')}half`, then: 'half-closes', answers: [200], recorded: gone },
]; // prettier-ignore

function act({ side }: HostileClient, then: Then): void {
  if (then === 'resets') side.reset();
  else if (then === 'closes') side.socket.destroy();
  else if (then === 'half-closes') side.end();
}

const wellUrl = '{url}';

/** Inside TLS requests are in origin-form, for the place that CONNECT named. */
function textOf(says: string, layer: Layer, url: string): string {
  return says.replaceAll(wellUrl, layer === 'plain' ? url : '');
}

async function settled(row: Pick<Row, 'recorded'>): Promise<void> {
  await scene.until(() => scene.spike.plane.openConnections() === 0);
  const failed = (): Flow[] =>
    scene.spike.ended.map(({ flow }) => flow).filter(({ error }) => error !== null);
  if (row.recorded !== null) await scene.until(() => failed().length > 0);
  expect(failed().map(({ kind, error }) => ({ kind, cause: error?.cause }))).toEqual(
    row.recorded === null ? [] : [row.recorded],
  );
}

describe.each(layers)('over %s, a client', (layer) => {
  // What has not said by then what it speaks is bytes behind CONNECT, inside TLS as well: nobody is hurried.
  const here = rows.filter(
    ({ stage, then }) => layer === 'plain' || stage !== 'in the method' || then !== 'stalls',
  );
  it.each(here.map((row) => [`${row.stage} ${row.then}`, row] as const))('%s', async (_, row) => {
    const upstream = await scene.server(layer, (side) => {
      side.socket.on('end', () => side.end());
      // An answer for whole requests without a body, and for those of two octets.
      side.socket.on('data', (bytes: Buffer) => {
        side.received += bytes.toString('latin1');
        if (/^GET .*\r\n\r\n$/s.test(side.received) || /\r\n\r\nok$/.test(side.received)) {
          side.received = '';
          side.say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        }
      });
    });
    const client = await scene.client(layer, upstream.authority);
    const text = textOf(row.says, layer, upstream.url);
    client.raw.write(text);
    if (row.then === 'closes' || row.then === 'resets') {
      // The upstream has its part, where it gets one: what comes too early to be read is no stage.
      if (row.recorded === gone)
        await scene.until(() => upstream.sides[0]?.received.includes('\r\n\r\n') === true);
      act(client, row.then);
    } else {
      if (row.answers[0] === 200) await client.raw.see('\r\n\r\nok');
      act(client, row.then);
      await client.raw.toClose();
    }
    if (row.then !== 'closes' && row.then !== 'resets') {
      const statuses = client.raw.text.match(/HTTP\/1\.1 [2-5]\d\d /g) ?? [];
      expect(statuses.map((one) => Number(one.split(' ')[1]))).toEqual(row.answers);
    }
    await settled(row);
    // Whoever was reached for a call that failed has been let go.
    if (row.recorded === gone || row.recorded === badBody) {
      await scene.until(() => upstream.sides.every((side) => side.isOver));
    }
  });
});

describe.each(layers)('over %s, a client that does not read its answer', (layer) => {
  it('holds the upstream back, and is over when it resets', async () => {
    const block = Buffer.alloc(1 << 20, 'x');
    let given = 0;
    const upstream = await scene.server(layer, (side) => {
      const pour = (): void => {
        while (given < 200 && side.socket.write(block)) given += 1;
      };
      side.socket.on('drain', () => {
        given += 1;
        pour();
      });
      side.socket.once('data', () => {
        side.say(`HTTP/1.1 200 OK\r\nContent-Length: ${200 << 20}\r\n\r\n`);
        pour();
      });
    });
    const client = await scene.client(layer, upstream.authority);
    client.side.socket.pause();
    client.raw.write(textOf(`${get}\r\n`, layer, upstream.url));
    let before = -1;
    await scene.until(() => given > 0);
    for (let same = 0; same < 20; same = given === before ? same + 1 : 0) {
      before = given;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(given).toBeLessThan(60);
    client.side.reset();
    await settled({ recorded: gone });
    await scene.until(() => upstream.sides[0]?.isOver === true);
  });
});

describe('in the TLS handshake, a client', () => {
  const record = (...octets: number[]): Buffer =>
    Buffer.of(0x16, 3, 1, octets.length >> 8, octets.length & 255, ...octets);
  const hello = async (): Promise<Buffer> => {
    const { port } = await scene.peers.tcp((socket) => void socket.once('data', (bytes) => helloCame(bytes)));
    let helloCame: (bytes: Buffer) => void = () => undefined;
    return await new Promise<Buffer>((resolve) => {
      helloCame = resolve;
      const secure = connectTls({ port, servername: 'localhost' }).on('error', () => undefined);
      scene.peers.also(() => void secure.destroy());
    });
  };
  const late: Row['recorded'] = { kind: 'tls-failure', cause: 'client-timeout' };
  const closed: Row['recorded'] = { kind: 'tls-failure', cause: 'tls-client-closed' };
  const failed: Row['recorded'] = { kind: 'tls-failure', cause: 'tls-client-handshake-failed' };
  const stages: readonly [string, (whole: Buffer) => Buffer, Then, Row['recorded']][] = [
    ['in its hello', (whole) => whole.subarray(0, 100), 'closes', null],
    ['in its hello', (whole) => whole.subarray(0, 100), 'resets', null],
    ['in its hello', (whole) => whole.subarray(0, 100), 'stalls', late],
    ['behind its hello', (whole) => whole, 'closes', closed],
    ['behind its hello', (whole) => whole, 'resets', closed],
    ['behind its hello', (whole) => whole, 'stalls', late],
    ['with nonsense behind its hello', (whole) => Buffer.concat([whole, Buffer.alloc(64, 0xff)]), 'stalls', failed],
    ['with its hello twice', (whole) => Buffer.concat([whole, whole]), 'stalls', failed],
    ['with a plain request behind its hello', (whole) => Buffer.concat([whole, Buffer.from('GET / HTTP/1.1\r\n\r\n')]), 'stalls', failed],
    ['with a hello for SSL 3 alone', () => record(1, 0, 0, 41, 3, 0, ...new Array<number>(32).fill(7), 0, 0, 2, 0, 0x2f, 1, 0), 'stalls', { kind: 'tls-failure', cause: 'tls-client-version-refused' }],
  ]; // prettier-ignore
  it.each(stages)('%s %#', async (_, says, then, recorded) => {
    const bytes = says(await hello());
    const client = await scene.client('plain', '');
    client.raw.write(`CONNECT localhost:${scene.well.port} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.raw.see('\r\n\r\n');
    client.side.say(bytes);
    if (then === 'stalls') await client.raw.toClose();
    else {
      // Behind a whole hello, until Spike has answered it.
      if (recorded !== null) await client.raw.until((text) => text.length > 200);
      act(client, then);
    }
    await settled({ recorded });
  });
});

describe('in CONNECT, a client', () => {
  const connect = 'CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n';
  const resetBy = (cause: FailureCause) => ({ kind: 'tcp', cause }) as const;
  const stages: readonly [string, string, Then, number | null, Row['recorded'], string][] = [
    ['in its head', 'CONNECT {target} HT', 'closes', null, null, ''],
    ['in its head', 'CONNECT {target} HT', 'resets', null, null, ''],
    ['without a port', 'CONNECT localhost HTTP/1.1\r\n\r\n', 'stalls', 400, bad, ''],
    ['with a path', 'CONNECT {target}/x HTTP/1.1\r\nHost: a\r\n\r\n', 'stalls', 400, bad, ''],
    ['with a body', 'CONNECT {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc', 'stalls', 400, bad, ''],
    ['behind its head', connect, 'closes', 200, null, ''],
    ['behind its head', connect, 'resets', 200, null, ''],
    ['behind its first octets', `${connect}\0\x01`, 'closes', 200, null, '\0\x01'],
    ['behind its first octets', `${connect}\0\x01`, 'resets', 200, resetBy('client-closed'), '\0\x01'],
    ['behind its first octets', `${connect}\0\x01`, 'half-closes', 200, null, '\0\x01'],
    ['inside, in a request', `${connect}GET / HT`, 'closes', 200, null, ''],
  ]; // prettier-ignore
  it.each(stages)('%s %#', async (_, says, then, status, recorded, arrives) => {
    const upstream = await scene.server('plain', (side) => {
      side.socket.on('data', (bytes: Buffer) => (side.received += bytes.toString('latin1')));
      side.socket.on('end', () => side.end());
    });
    const client = await scene.client('plain', '');
    client.raw.write(says.replaceAll('{target}', upstream.authority));
    if (status !== null) await client.raw.see(`HTTP/1.1 ${status} `);
    await scene.until(() => (upstream.sides[0]?.received ?? '') === arrives);
    act(client, then);
    if (then === 'stalls' || then === 'half-closes') await client.raw.toClose();
    await settled({ recorded });
    await scene.until(() => upstream.sides.every((side) => side.isOver));
  });
});

describe('in SOCKS5, a client', () => {
  const greeting = '\x05\x01\x00';
  const stages: readonly [string, string, string][] = [
    ['in its greeting', '\x05\x03', ''],
    ['behind its greeting', greeting, '\x05\x00'],
    ['in its name', '\x05\x01\x02\x01\x05ab', '\x05\x02'],
    ['in its request', `${greeting}\x05\x01\x00\x03\x09local`, '\x05\x00'],
  ];
  const thens: readonly Then[] = ['closes', 'resets', 'half-closes', 'stalls'];
  it.each(stages.flatMap(([stage, says, hears]) => thens.map((then) => [stage, then, says, hears] as const)))(
    '%s %s',
    async (_, then, says, hears) => {
      const client = await scene.client('plain', '');
      client.raw.write(says);
      await client.raw.until((text) => text.startsWith(hears));
      act(client, then);
      if (then === 'stalls' || then === 'half-closes') await client.raw.toClose();
      if (then === 'stalls') expect(client.raw.text).toBe(`${hears}\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00`);
      await settled({ recorded: then === 'stalls' ? late : null });
    },
  );

  it.each([
    ['no way in', '\x05\x01\x09', '\x05\xff'],
    ['a wrong version in its request', `${greeting}\x04\x01\x00\x01`, '\x05\x00\x05\x01'],
    ['an unknown address type', `${greeting}\x05\x01\x00\x09zzzz`, '\x05\x00\x05\x08'],
    ['a name that is none', `${greeting}\x05\x01\x00\x03\x03a/b\x00\x50`, '\x05\x00\x05\x01'],
    ['port 0', `${greeting}\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x00`, '\x05\x00\x05\x01'],
    ['nonsense for a name', '\x05\x01\x02GET', '\x05\x02\x01\x01'],
  ])('with %s is refused, and shown', async (_, says, hears) => {
    const client = await scene.client('plain', '');
    client.raw.write(says);
    await client.raw.toClose();
    expect(client.raw.text.startsWith(hears)).toBe(true);
    await settled({ recorded: bad });
  });
});

describe('first bytes', () => {
  const nonsense = '\0\x01 nonsense\r\n\r\n';
  const says: readonly [string, string, number, Row['recorded']][] = [
    ['a method in lower case', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', 200, null],
    ['an empty line and a request', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 200, null],
    ['nonsense', nonsense, 400, bad],
  ];

  async function answering(layer: Layer) {
    return await scene.server(layer, (side) => {
      side.socket.on('end', () => side.end());
      side.socket.on('data', (bytes: Buffer) => {
        side.received += bytes.toString('latin1');
        if (side.received.endsWith('\r\n\r\n')) side.say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
  }

  it.each(says)('that are %s are HTTP where TLS has agreed on it', async (_, text, status, recorded) => {
    const upstream = await answering('TLS');
    const client = await scene.client('TLS', upstream.authority, ['http/1.1']);
    client.raw.write(text);
    await client.raw.see(`HTTP/1.1 ${status} `);
    client.side.end();
    await client.raw.toClose();
    await settled({ recorded });
    expect((await scene.spike.flow()).flow.kind).toBe(recorded?.kind ?? 'http');
  });

  it.each(says)('that are %s are HTTP on a route to an http upstream', async (_, text, status, recorded) => {
    const upstream = await answering('plain');
    await scene.spike.configure({
      routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: upstream.url }],
    });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write(text);
    await client.see(`HTTP/1.1 ${status} `);
    client.end();
    await client.toClose();
    await settled({ recorded });
  });

  it('that are nonsense are bytes where TLS has agreed on nothing', async () => {
    const upstream = await answering('TLS');
    const client = await scene.client('TLS', upstream.authority);
    client.raw.write(nonsense);
    await client.raw.see('\r\n\r\nok');
    expect(upstream.sides[0]?.received).toBe(nonsense);
    client.side.end();
    await client.raw.toClose();
    await settled({ recorded: null });
  });

  it('are waited for as those of HTTP where TLS has agreed on it: no upstream is asked to speak first', async () => {
    const upstream = await answering('TLS');
    const client = await scene.client('TLS', upstream.authority, ['http/1.1']);
    client.raw.write('G');
    // Longer than a server is given to speak first.
    expect(await client.raw.see('408 Request Timeout')).toContain('spike-error: client-timeout');
    await client.raw.toClose();
    expect(upstream.sides).toHaveLength(0);
    await settled({ recorded: late });
  });
});
