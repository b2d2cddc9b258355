import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectClient } from '../../../../../../src-main/engine/proxy/upstream-proxy/connect-client.ts';
import type { ProxyConversation } from '../../../../../../src-main/engine/proxy/upstream-proxy/conversation.ts';
import {
  socks5Address,
  Socks5Client,
} from '../../../../../../src-main/engine/proxy/upstream-proxy/socks5-client.ts';
import type { FailureCause } from '../../../../../../src-shared/flow/failure-cause.ts';
import type { ProxyAddress } from '../../../../../../src-shared/workspace/upstream-proxy.ts';

const place = { host: 'orders.example', port: 443 };
const credentials = { username: 'jörg', password: 'ge:heim' };
const httpProxy: ProxyAddress = { scheme: 'http', host: 'proxy.corp', port: 3128, credentials: null };
const socksProxy: ProxyAddress = { scheme: 'socks5h', host: 'socks.corp', port: 1080, credentials: null };

interface Outcome {
  readonly sent: string;
  readonly end: 'waits' | 'open' | 'failed';
  readonly rest: string;
  readonly cause: FailureCause | null;
  readonly code: string | null;
  readonly message: string;
}

/** Feeds the pieces as they come; what comes after the end belongs to whoever took over. */
function hold(conversation: ProxyConversation, pieces: readonly Buffer[]): Outcome {
  let sent = conversation.begin().toString('latin1');
  const rest: Buffer[] = [];
  let end: Outcome['end'] = 'waits';
  let failure: { cause: FailureCause; code: string; message: string } | null = null;
  for (const piece of pieces) {
    if (end === 'failed') continue;
    if (end === 'open') rest.push(piece);
    if (end === 'open') continue;
    const step = conversation.read(piece);
    sent += step.send?.toString('latin1') ?? '';
    if (step.type !== 'more') end = step.type;
    if (step.type === 'open' && step.rest !== null) rest.push(step.rest);
    if (step.type === 'failed') failure = step.failure;
  }
  return {
    sent,
    end,
    rest: Buffer.concat(rest).toString('latin1'),
    cause: failure?.cause ?? null,
    code: failure?.code ?? null,
    message: failure?.message ?? '',
  };
}

/** The same end for the whole and for every way to cut it in two and into single bytes; gives the last. */
function heldAnyway(make: () => ProxyConversation, bytes: Buffer): Outcome {
  const single = hold(
    make(),
    Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)),
  );
  for (let at = 0; at < bytes.length; at++) {
    const cut = hold(make(), [bytes.subarray(0, at), bytes.subarray(at)]);
    expect(cut, `cut at ${at}`).toEqual(single);
  }
  return single;
}

describe('CONNECT to an HTTP proxy', () => {
  const connect =
    (proxy = httpProxy, to = place) =>
    (): ProxyConversation =>
      new ConnectClient(proxy, to);
  const answer = (text: string, make = connect()): Outcome => heldAnyway(make, Buffer.from(text, 'latin1'));

  it('asks for host and port, and gives what comes behind the answer to the upstream', () => {
    const outcome = answer('HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nSSH-2.0-x\r\n');
    expect(outcome).toMatchObject({ end: 'open', rest: 'SSH-2.0-x\r\n' });
    expect(outcome.sent).toBe('CONNECT orders.example:443 HTTP/1.1\r\nHost: orders.example:443\r\n\r\n');
  });

  it('passes an interim answer by, takes 1.0, and reads no body from a 2xx', () => {
    const text =
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 204 \r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\nhello';
    expect(answer(text.replace('Transfer-Encoding: x\r\n', ''))).toMatchObject({
      end: 'open',
      rest: 'hello',
    });
  });

  it('writes an IPv6 address in brackets, and credentials in UTF-8', () => {
    const { sent } = hold(connect({ ...httpProxy, credentials }, { host: '2001:db8::1', port: 8443 })(), []);
    const token = Buffer.from('jörg:ge:heim').toString('base64');
    expect(sent).toBe(
      `CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\nProxy-Authorization: Basic ${token}\r\n\r\n`,
    );
  });

  it.each([
    [
      '407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="corp"',
      'upstream-proxy-credentials',
      'Basic realm="corp"',
    ],
    ['407 x\r\nProxy-Authenticate: NTLM', 'upstream-proxy-credentials', 'knows the Basic scheme only'],
    ['401 Unauthorized', 'upstream-proxy-credentials', 'HTTP_401'],
    ['403 Forbidden', 'upstream-proxy-refused', '403 Forbidden'],
    ['405 No', 'upstream-proxy-refused', '405 No'],
    ['502 Bad Gateway\r\nProxy-Status: squid; error=dns_error', 'upstream-unreachable', 'error=dns_error'],
    ['503 x\r\nX-Squid-Error: ERR_CONNECT_FAIL 111', 'upstream-unreachable', 'ERR_CONNECT_FAIL 111'],
    ['504 Gateway Timeout', 'upstream-connect-timeout', '504 Gateway Timeout'],
    ['302 Found', 'upstream-proxy-malformed', '302 Found'],
    ['101 Switching', 'upstream-proxy-malformed', '101 Switching'],
  ])('is told why by %s', (status, cause, words) => {
    const outcome = answer(`HTTP/1.1 ${status}\r\nContent-Length: 4\r\n\r\npage`);
    expect(outcome).toMatchObject({ end: 'failed', cause });
    expect(outcome.message).toContain('http://proxy.corp:3128');
    expect(outcome.message).toContain(words);
  });

  it('names the user whose credentials were not accepted, and never the password', () => {
    const make = connect({ ...httpProxy, credentials });
    const { message } = answer('HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n', make);
    expect(message).toContain('"jörg"');
    expect(message).not.toContain('heim');
  });

  it.each([
    ['SSH-2.0-OpenSSH', 'not-http'],
    ['HTTP/1.1 2OO OK\r\n\r\n', 'invalid-status'],
    ['HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n', 'invalid-field-name'],
  ])('refuses what is no answer: %j', (text, code) => {
    expect(answer(text)).toMatchObject({ end: 'failed', cause: 'upstream-proxy-malformed', code });
  });

  it('is bounded: a head that does not end is refused', () => {
    const conversation = connect()();
    conversation.begin();
    let step = conversation.read(Buffer.from('HTTP/1.1 200 OK\r\n'));
    for (let i = 0; i < 10_000 && step.type === 'more'; i++) {
      step = conversation.read(Buffer.from(`X-${i}: ${'y'.repeat(1000)}\r\n`));
    }
    expect(step.type).toBe('failed');
  });
});

describe('SOCKS5 to a proxy', () => {
  const withUser: ProxyAddress = { ...socksProxy, credentials };
  const socks =
    (proxy = socksProxy, host = place.host) =>
    (): ProxyConversation =>
      new Socks5Client(proxy, place, socks5Address(host) as Buffer);
  const answer = (hex: string, make = socks()): Outcome =>
    heldAnyway(make, Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
  const request = `05010003${hex('\x0eorders.example')}01bb`;

  it('asks without credentials, and gives what comes behind the reply to the upstream', () => {
    const outcome = answer(`0500 05000001 7f000001 1f90 ${hex('hello')}`);
    expect(outcome).toMatchObject({ end: 'open', rest: 'hello' });
    expect(hex(outcome.sent)).toBe(`050100${request}`);
  });

  it('gives its user name and password where they are asked for', () => {
    const outcome = answer('0502 0100 05000003 03 612e62 0050', socks(withUser));
    expect(outcome.end).toBe('open');
    const user = Buffer.from('jörg').toString('hex');
    expect(hex(outcome.sent)).toBe(`05020002 0105${user}07${hex('ge:heim')}${request}`.replaceAll(' ', ''));
  });

  it('asks for its place as well where the proxy has said all at once, before it was asked', () => {
    const all = Buffer.from(`0500 05000001 7f000001 1f90 ${hex('hello')}`.replaceAll(' ', ''), 'hex');
    const step = socks()().read(all);
    expect(step).toMatchObject({ type: 'open', rest: Buffer.from('hello') });
    expect(step.send?.toString('hex')).toBe(request);
  });

  it('keeps them where they are not', () => {
    const outcome = answer(`0500 05000004 ${'00'.repeat(16)} 0050`, socks(withUser));
    expect(outcome.end).toBe('open');
    expect(hex(outcome.sent)).toBe(`05020002${request}`);
  });

  it.each([
    ['10.0.0.1', '010a000001'],
    ['2001:db8::1', '0420010db8000000000000000000000001'],
    ['::', `04${'00'.repeat(16)}`],
    ['1:2:3:4:5:6:7:8', '0400010002000300040005000600070008'],
    ['fe80::1%eth0', '04fe800000000000000000000000000001'],
    ['::ffff:10.0.0.1', '0400000000000000000000ffff0a000001'],
  ])('asks for the address %s as one', (host, expected) => {
    expect(hex(hold(socks(socksProxy, host)(), [Buffer.of(5, 0)]).sent)).toBe(`050100050100${expected}01bb`);
  });

  it('cannot say a name of more than 255 octets', () => {
    expect(socks5Address('a'.repeat(256))).toBeNull();
    expect(socks5Address('a'.repeat(255))).toHaveLength(257);
  });

  it.each([
    ['05ff', 'upstream-proxy-credentials', 'asks for a user name'],
    ['0500 0502', 'upstream-proxy-refused', 'not allowed by its rules'],
    ['0500 0501', 'upstream-unreachable', 'general failure'],
    ['0500 0504 00 01 00000000 0000', 'upstream-unreachable', 'host unreachable'],
    ['0500 0505', 'upstream-refused', 'connection refused'],
    ['0500 0506', 'upstream-connect-timeout', 'time to live expired'],
    ['0500 0508', 'upstream-proxy-refused', 'address type'],
    ['0500 05a0', 'upstream-proxy-refused', 'reply 160'],
    ['0501', 'upstream-proxy-malformed', 'was not offered'],
    ['0502', 'upstream-proxy-malformed', 'was not offered'],
    ['0500 05000009', 'upstream-proxy-malformed', 'unknown kind of address'],
    [hex('HTTP/1.1 400'), 'upstream-proxy-malformed', 'did not answer in SOCKS version 5'],
    ['0500 04', 'upstream-proxy-malformed', 'did not answer in SOCKS version 5'],
  ])('is told why by %s', (bytes, cause, words) => {
    const outcome = answer(bytes);
    expect(outcome).toMatchObject({ end: 'failed', cause });
    expect(outcome.message).toContain('socks5h://socks.corp:1080');
    expect(outcome.message).toContain(words);
  });

  it('names the user whose password was refused', () => {
    const { cause, message } = answer('0502 0101', socks(withUser));
    expect(cause).toBe('upstream-proxy-credentials');
    expect(message).toContain('"jörg"');
    expect(message).not.toContain('heim');
  });
});

/** SPIKE_FUZZ_SECONDS=600 goes on for that long. */
const seconds = Number(process.env['SPIKE_FUZZ_SECONDS'] ?? 0);
const effort =
  seconds > 0 ? { numRuns: Infinity, interruptAfterTimeLimit: seconds * 1000 } : { numRuns: 3000 };

describe('whatever a proxy sends', () => {
  const valid = [
    '0500050000017f0000010050',
    '05020100050000030161',
    Buffer.from('HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest').toString('hex'),
    Buffer.from('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n').toString('hex'),
  ].map((text) => Buffer.from(text, 'hex'));
  const mutated = fc
    .tuple(fc.constantFrom(...valid), fc.nat(40), fc.uint8Array({ maxLength: 12 }), fc.nat(12))
    .map(([bytes, at, insert, cut]) =>
      Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + cut)]),
    );

  it(
    'a conversation waits, opens or fails with one of its causes, the same however it is cut',
    () => {
      const causes = ['upstream-proxy-credentials', 'upstream-proxy-refused', 'upstream-proxy-malformed'];
      causes.push('upstream-unreachable', 'upstream-refused', 'upstream-connect-timeout');
      const address = socks5Address(place.host) as Buffer;
      const makers = [
        () => new ConnectClient(httpProxy, place),
        () => new Socks5Client({ ...socksProxy, credentials }, place, address),
      ];
      fc.assert(
        fc.property(mutated, fc.constantFrom(...makers), fc.array(fc.nat(60)), (bytes, make, cuts) => {
          const edges = [
            0,
            ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
            bytes.length,
          ];
          const pieces = edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
          const whole = hold(make(), [bytes]);
          expect(hold(make(), pieces)).toEqual(whole);
          if (whole.end === 'failed') expect(causes).toContain(whole.cause);
        }),
        effort,
      );
    },
    60_000 + seconds * 1000,
  );
});
