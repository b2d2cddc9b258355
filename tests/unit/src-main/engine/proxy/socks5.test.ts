import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Socks5Handshake } from '../../../../../src-main/engine/proxy/socks5.ts';
import type { Socks5Refusal, Socks5Request } from '../../../../../src-main/engine/proxy/socks5.ts';

interface Outcome {
  /** Hexadecimal. */
  readonly replies: string;
  readonly request: Socks5Request | null;
  readonly refusal: Socks5Refusal | null;
  readonly rest: string;
  readonly userName: string | null;
}

/** Feeds the pieces as they come; what comes after the end goes to whoever took over. */
function converse(pieces: readonly Buffer[]): Outcome {
  const handshake = new Socks5Handshake();
  const replies: Buffer[] = [];
  let request: Socks5Request | null = null;
  let refusal: Socks5Refusal | null = null;
  const rest: Buffer[] = [];
  for (const piece of pieces) {
    if (request !== null) rest.push(piece);
    if (request !== null || refusal !== null) continue;
    const step = handshake.feed(piece);
    replies.push(step.reply);
    request = step.request;
    refusal = step.refusal;
    if (step.rest !== null) rest.push(step.rest);
  }
  return {
    replies: Buffer.concat(replies).toString('hex'),
    request,
    refusal,
    rest: Buffer.concat(rest).toString('latin1'),
    userName: handshake.userName,
  };
}

function named(name: string, port = 443, command = 1): Buffer {
  return Buffer.concat([
    Buffer.of(5, command, 0, 3, name.length),
    Buffer.from(name, 'latin1'),
    Buffer.of(port >> 8, port & 255),
  ]);
}

function user(name: string, password: string): Buffer {
  const [nameBytes, passwordBytes] = [Buffer.from(name), Buffer.from(password)];
  return Buffer.concat([
    Buffer.of(1, nameBytes.length),
    nameBytes,
    Buffer.of(passwordBytes.length),
    passwordBytes,
  ]);
}

const open = Buffer.of(5, 1, 0);
const both = Buffer.of(5, 2, 0, 2);
const ipv6 = (tail: readonly number[]): number[] => [...Array<number>(16 - tail.length).fill(0), ...tail];

describe('a SOCKS5 client', () => {
  it.each([
    ['a name', [open, named('orders.internal', 80)], 'orders.internal', 80],
    ['an IPv4 address', [open, Buffer.of(5, 1, 0, 1, 127, 0, 0, 1, 0x1f, 0x90)], '127.0.0.1', 8080],
    ['an IPv6 address', [open, Buffer.of(5, 1, 0, 4, ...ipv6([1]), 0, 80)], '::1', 80],
    ['an address as a name', [open, named('2001:db8::7', 5432)], '2001:db8::7', 5432],
  ])('asks for %s', (_, messages, host, port) => {
    expect(converse(messages)).toEqual({
      replies: '0500',
      request: { host, port },
      refusal: null,
      rest: '',
      userName: null,
    });
  });

  it('that offers its name is asked for it, and any password is right', () => {
    expect(converse([both, user('zahlung-ü', ''), named('a')])).toMatchObject({
      replies: '05020100',
      userName: 'zahlung-ü',
      request: { host: 'a' },
    });
    expect(converse([both, user('', 'x'), named('a')])).toMatchObject({ userName: null });
  });

  it('may say everything at once; what is behind belongs to what is carried', () => {
    const all = Buffer.concat([both, user('web', 'x'), named('a', 7), Buffer.from('\x05\x01GET /')]);
    expect(converse([all])).toMatchObject({ request: { host: 'a', port: 7 }, rest: '\x05\x01GET /' });
  });

  it.each([
    ['methods that are not known', [Buffer.of(5, 1, 1)], '05ff', 'socks-no-acceptable-method'],
    ['no method', [Buffer.of(5, 0)], '05ff', 'socks-no-acceptable-method'],
    ['another version of RFC 1929', [both, Buffer.of(2, 1, 65, 0)], '05020101', 'socks-bad-authentication'],
    ['another version', [open, Buffer.of(4, 1, 0, 80)], '050005010001000000000000', 'socks-bad-version'],
    ['BIND', [open, named('a', 80, 2)], '050005070001000000000000', 'socks-command'],
    ['UDP ASSOCIATE', [open, named('a', 80, 3)], '050005070001000000000000', 'socks-command'],
    ['type 2', [open, Buffer.of(5, 1, 0, 2, 0, 0)], '050005080001000000000000', 'socks-address-type'],
    ['no name', [open, named('')], '050005010001000000000000', 'socks-bad-address'],
    ['what is no name', [open, named('a b')], '050005010001000000000000', 'socks-bad-address'],
    ['a port in the name', [open, named('a:80')], '050005010001000000000000', 'socks-bad-address'],
    ['port 0', [open, named('a', 0)], '050005010001000000000000', 'socks-bad-address'],
  ])('that sends %s is refused with the right code', (_, messages, replies, code) => {
    const outcome = converse(messages);
    expect(outcome.replies).toBe(replies);
    expect(outcome.refusal?.code).toBe(code);
    expect(outcome.request).toBeNull();
  });
});

describe('however the bytes are cut', () => {
  const conversation = fc
    .record({
      methods: fc.uint8Array({ maxLength: 4 }),
      name: fc.string({ unit: fc.constantFrom('a', 'B', '-', '.', '1', ':', ' ', 'é'), maxLength: 12 }),
      port: fc.nat(65_535),
      command: fc.constantFrom(1, 1, 1, 2, 9),
      who: fc.string({ maxLength: 5 }),
      rest: fc.uint8Array({ maxLength: 8 }),
      wrong: fc.option(fc.record({ at: fc.nat(40), octet: fc.nat(255) })),
    })
    .map(({ methods, name, port, command, who, rest, wrong }) => {
      const asks = [...methods].includes(2) ? [user(who, 'x')] : [];
      const all = Buffer.concat([
        Buffer.of(5, methods.length, ...methods),
        ...asks,
        named(name, port, command),
        rest,
      ]);
      if (wrong !== null) all[wrong.at % all.length] = wrong.octet;
      return all;
    });
  const anything = fc.oneof(
    { weight: 3, arbitrary: conversation },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)) },
  );

  it('they mean the same, at every single cut and octet by octet', () => {
    fc.assert(
      fc.property(anything, (all) => {
        const whole = converse([all]);
        expect(converse([...all].map((octet) => Buffer.of(octet)))).toEqual(whole);
        for (let cut = 1; cut < Math.min(all.length, 80); cut++) {
          expect(converse([all.subarray(0, cut), all.subarray(cut)]), `cut at ${cut}`).toEqual(whole);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('they end in a request that can be called, a declared refusal, or a wait that is bounded', () => {
    fc.assert(
      fc.property(anything, (all) => {
        const { request, refusal } = converse([all]);
        expect(request !== null && refusal !== null).toBe(false);
        if (request !== null) {
          expect(request.host).toMatch(/^([\w.~-]+|[0-9A-Fa-f:.]+)$/);
          expect(request.port).toBeGreaterThan(0);
        }
        if (refusal !== null) expect(refusal.code).toMatch(/^socks-[a-z-]+$/);
        // Greeting, authentication and request at their longest.
        if (request === null && refusal === null) expect(all.length).toBeLessThan(257 + 513 + 262);
      }),
      { numRuns: 2000 },
    );
  });
});
