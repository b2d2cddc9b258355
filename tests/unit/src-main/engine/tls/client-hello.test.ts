import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientHello } from '../../../../../src-main/engine/tls/client-hello.ts';
import type { ClientHello } from '../../../../../src-main/engine/tls/client-hello.ts';

/** The hello that OpenSSL itself writes. */
async function realHello(options: ConnectionOptions): Promise<Buffer> {
  const first = Promise.withResolvers<Buffer>();
  const transport = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      first.resolve(chunk);
      done();
    },
  });
  const socket = connect({ socket: transport, ...options });
  socket.on('error', () => {
    // The transport is cut off once the hello is there.
  });
  try {
    return await first.promise;
  } finally {
    socket.destroy();
    transport.destroy();
  }
}

function parsed(hello: Uint8Array): ClientHello {
  const result = parseClientHello(hello);
  if (result.status !== 'hello') throw new Error(JSON.stringify(result));
  return result;
}

const u16 = (value: number) => Buffer.of(value >> 8, value & 0xff);
const vector = (prefixBytes: 1 | 2, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([prefixBytes === 1 ? Buffer.of(body.length) : u16(body.length), body]);
};
const extension = (type: number, ...content: Buffer[]) => Buffer.concat([u16(type), vector(2, ...content)]);
const record = (fragment: Buffer) => Buffer.concat([Buffer.of(22, 3, 1), vector(2, fragment)]);
const sni = (...names: Buffer[]) => extension(0, vector(2, ...names));
const hostName = (name: string | Buffer) => Buffer.concat([Buffer.of(0), vector(2, Buffer.from(name))]);

function handshake(...extensions: Buffer[]): Buffer {
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 7),
    vector(1),
    vector(2, u16(0x1301), u16(0xc02b)),
    vector(1, Buffer.of(0)),
    ...(extensions.length > 0 ? [vector(2, ...extensions)] : []),
  ]);
  return Buffer.concat([Buffer.of(1, 0), u16(body.length), body]);
}

/** The handshake message of one record, cut into records of the given size. */
function fragmented(hello: Buffer, sizeBytes: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += sizeBytes)
    records.push(record(message.subarray(at, at + sizeBytes)));
  return Buffer.concat(records);
}

describe("OpenSSL's own hello", () => {
  test('gives name, ALPN, versions and what JA4 needs', async () => {
    const hello = await realHello({ servername: 'orders.internal', ALPNProtocols: ['h2', 'http/1.1'] });
    const result = parsed(hello);
    expect(result).toMatchObject({
      serverName: 'orders.internal',
      alpn: ['h2', 'http/1.1'],
      legacyVersion: 0x0303,
      supportedVersions: [0x0304, 0x0303],
      sizeBytes: hello.length,
    });
    expect(result.cipherSuites).toContain(0x1301);
    expect(result.supportedGroups).toContain(0x001d);
    expect(result.signatureAlgorithms).toContain(0x0403);
    expect(result.extensions).toEqual(expect.arrayContaining([0, 10, 13, 16, 43, 51]));
  });

  test('without a name, ALPN, or TLS 1.3', async () => {
    const result = parsed(await realHello({ servername: '', maxVersion: 'TLSv1.2' }));
    expect(result).toMatchObject({ serverName: null, alpn: [], supportedVersions: [] });
  });

  test('is incomplete at every cut, and complete with anything behind it', async () => {
    const hello = await realHello({ servername: 'a.example' });
    for (let end = 0; end < hello.length; end++) {
      expect(parseClientHello(hello.subarray(0, end)), `cut at ${end}`).toMatchObject({
        status: 'incomplete',
      });
    }
    const whole = parsed(hello);
    expect(parseClientHello(Buffer.concat([hello, Buffer.from('more')]))).toEqual(whole);
  });

  test('split over records of any size gives the same, at every cut as well', async () => {
    const hello = await realHello({ servername: 'a.example', ALPNProtocols: ['h2'] });
    const { sizeBytes: _, ...whole } = parsed(hello);
    for (const sizeBytes of [1, 2, 3, 4, 5, 7, 64, 200]) {
      const split = fragmented(hello, sizeBytes);
      expect(parseClientHello(split)).toEqual({ ...whole, sizeBytes: split.length });
      for (let end = 0; end < split.length; end += 3) {
        expect(parseClientHello(split.subarray(0, end))).toMatchObject({ status: 'incomplete' });
      }
    }
  });
});

test('asking again only when the needed bytes are there comes to the same end, once a record', async () => {
  const hello = fragmented(await realHello({ servername: 'a.example' }), 20);
  let result = parseClientHello(hello.subarray(0, 1));
  let questions = 1;
  for (; result.status === 'incomplete'; questions++) {
    expect(result.neededBytes).toBeLessThanOrEqual(hello.length);
    result = parseClientHello(hello.subarray(0, result.neededBytes));
  }
  expect(result).toEqual(parsed(hello));
  expect(questions).toBeLessThanOrEqual((hello.length / 25) * 2 + 3);
});

describe('what is not a hello', () => {
  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH')],
    ['an SSLv2 hello', Buffer.of(0x80, 0x2e, 1, 3, 1)],
    ['another record type', Buffer.of(23, 3, 3, 0, 5)],
    ['another major version', Buffer.of(22, 4)],
    ['PostgreSQL', Buffer.of(0, 0, 0, 8, 4, 210, 22, 47)],
  ])('%s is not TLS', (_, bytes) => {
    expect(parseClientHello(bytes)).toEqual({ status: 'not-tls' });
  });

  const good = handshake(sni(hostName('a.example')));
  const withByte = (bytes: Buffer, at: number, value: number) => {
    const copy = Buffer.from(bytes);
    copy[at] = value;
    return copy;
  };
  test.each([
    ['bad-record', Buffer.of(22, 3, 1, 0, 0)],
    ['bad-record', Buffer.of(22, 3, 1, 0x40, 1)],
    ['bad-record', Buffer.concat([record(good.subarray(0, 9)), Buffer.of(21, 3, 1, 0, 2, 1, 0)])],
    ['not-a-client-hello', Buffer.of(22, 3, 1, 0, 5, 2)],
    ['too-large', Buffer.of(22, 3, 1, 0, 5, 1, 0xff, 0, 0)],
    ['bad-length', record(withByte(good, 38, 200))],
    ['bad-length', record(Buffer.of(1, 0, 0, 1, 3))],
    ['bad-length', record(handshake(extension(16, vector(2, vector(1)))))],
    ['bad-length', record(handshake(extension(43, Buffer.of(3, 3, 4, 3))))],
    ['bad-length', record(handshake(extension(10, Buffer.concat([vector(2, u16(29)), Buffer.of(1)]))))],
    ['duplicate-extension', record(handshake(sni(hostName('a')), sni(hostName('b'))))],
    ['bad-server-name', record(handshake(sni(hostName('a'), hostName('b'))))],
    ['bad-server-name', record(handshake(sni(hostName(''))))],
    ['bad-server-name', record(handshake(sni(hostName('a\0b'))))],
    ['bad-server-name', record(handshake(sni(hostName(Buffer.of(0xff)))))],
  ])('%s (%#)', (reason, bytes) => {
    expect(parseClientHello(bytes)).toEqual({ status: 'malformed', reason });
  });

  test('a hello of TLS 1.0 without extensions is one', () => {
    expect(parsed(record(handshake()))).toMatchObject({ serverName: null, cipherSuites: [0x1301, 0xc02b] });
  });

  test('the bound holds for the records as well as for the message', () => {
    const split = fragmented(record(good), 1);
    expect(parseClientHello(split, 100)).toEqual({ status: 'malformed', reason: 'too-large' });
    expect(parseClientHello(split, split.length)).toMatchObject({ status: 'hello' });
  });
});

describe('hostile bytes', () => {
  const outcomes = ['hello', 'incomplete', 'not-tls', 'malformed'];

  test('mutated, cut and extended hellos give declared outcomes only', async () => {
    const seeds = [
      await realHello({ servername: 'a.example', ALPNProtocols: ['h2'] }),
      record(handshake(sni(hostName('a.example')), extension(16, vector(2, vector(1, Buffer.from('h2')))))),
    ];
    const mutation = fc.record({
      seed: fc.constantFrom(...seeds),
      edits: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
      cut: fc.nat(600),
      tail: fc.uint8Array({ maxLength: 40 }),
      recordBytes: fc.integer({ min: 1, max: 400 }),
    });
    fc.assert(
      fc.property(mutation, ({ seed, edits, cut, tail, recordBytes }) => {
        const bytes = Buffer.concat([fragmented(seed, recordBytes).subarray(0, cut), tail]);
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        expect(outcomes).toContain(parseClientHello(bytes).status);
      }),
      { numRuns: 2_000 },
    );
  });

  test('random bytes behind a record header do no more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
        const bytes = Buffer.concat([Buffer.of(22, 3, 1, 1, 0, 1, 0, 0, 252), tail]);
        expect(outcomes).toContain(parseClientHello(bytes).status);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a verdict once given is not changed by more bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 80 }), (head, tail) => {
        const bytes = Buffer.concat([Buffer.of(22, 3, 1, 0, 60, 1, 0, 0, 56), head]);
        const early = parseClientHello(bytes);
        if (early.status === 'incomplete') return;
        expect(parseClientHello(Buffer.concat([bytes, tail]))).toEqual(early);
      }),
      { numRuns: 2_000 },
    );
  });
});
