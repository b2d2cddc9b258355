import type { ProxyAddress } from '#shared/workspace/upstream-proxy.ts';
import { waits } from './conversation.ts';
import type { ProxyConversation, ProxyStep } from './conversation.ts';
import { badAnswer, credentialsRefused, notReached, wayRefused } from './proxy-failure.ts';
import type { Place } from './proxy-failure.ts';

const version = 0x05;
const authenticationVersion = 0x01;
const connectCommand = 0x01;
const method = { none: 0x00, userName: 0x02, unacceptable: 0xff } as const;
const addressType = { ipv4: 0x01, name: 0x03, ipv6: 0x04 } as const;

/** RFC 1928, section 6. */
const replyWords: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'time to live expired',
  7: 'command not supported',
  8: 'address type not supported',
};

/** Asks a SOCKS5 proxy for a connection (RFC 1928), with a user name where there is one (RFC 1929). */
export class Socks5Client implements ProxyConversation {
  #phase: 'method' | 'authentication' | 'reply' = 'method';
  #kept: Buffer | null = null;
  readonly #proxy: ProxyAddress;
  readonly #place: Place;
  readonly #address: Buffer;

  /** @param address What to connect to, as `socks5Address` has it: a name, or the address that it was resolved to here. */
  constructor(proxy: ProxyAddress, place: Place, address: Buffer) {
    this.#proxy = proxy;
    this.#place = place;
    this.#address = address;
  }

  begin(): Buffer {
    // Offered only where there is one to give: some servers, offered both, take the stricter.
    return this.#proxy.credentials === null
      ? Buffer.of(version, 1, method.none)
      : Buffer.of(version, 2, method.none, method.userName);
  }

  read(bytes: Buffer): ProxyStep {
    let all = this.#kept === null ? bytes : Buffer.concat([this.#kept, bytes]);
    const sends: Buffer[] = [];
    for (;;) {
      const length = this.#messageLength(all);
      const isWhole = all.length >= length;
      const step = isWhole ? this.#take(all.subarray(0, length), all.subarray(length)) : waits;
      if (step.send !== null) sends.push(step.send);
      if (isWhole) all = all.subarray(length);
      if (isWhole && step.type === 'more') continue;
      this.#kept = all;
      return { ...step, send: sends.length === 0 ? null : Buffer.concat(sends) };
    }
  }

  /** How long the message at hand is, as far as its bytes tell. */
  #messageLength(bytes: Buffer): number {
    // What does not speak SOCKS is known by its first byte, and may never send another.
    const expected = this.#phase === 'authentication' ? authenticationVersion : version;
    if (bytes.length > 0 && bytes[0] !== expected) return 1;
    if (this.#phase !== 'reply') return 2;
    // A refusal is over with its code: some servers leave the address out.
    if (bytes.length < 2 || bytes[1] !== 0) return 2;
    const type = bytes[3];
    if (type === undefined) return 4;
    if (type === addressType.ipv4) return 10;
    if (type === addressType.ipv6) return 22;
    if (type !== addressType.name) return 4;
    const nameLength = bytes[4];
    return nameLength === undefined ? 5 : 7 + nameLength;
  }

  #take(message: Buffer, rest: Buffer): ProxyStep {
    if (message.length === 1) return this.#bad('not-socks5', 'did not answer in SOCKS version 5');
    const code = message[1] as number;
    if (this.#phase === 'method') return this.#methodChosen(code);
    if (this.#phase === 'authentication') {
      return code === 0 ? this.#ask() : this.#refusedCredentials('SOCKS_AUTHENTICATION_FAILED');
    }
    if (code !== 0) return this.#refused(code);
    if (message.length === 4)
      return this.#bad('socks5-address-type', 'answered with an unknown kind of address');
    return { type: 'open', rest: rest.length === 0 ? null : rest, send: null };
  }

  #methodChosen(chosen: number): ProxyStep {
    const { credentials } = this.#proxy;
    if (chosen === method.none) return this.#ask();
    if (chosen === method.userName && credentials !== null) {
      this.#phase = 'authentication';
      const name = Buffer.from(credentials.username);
      const password = Buffer.from(credentials.password);
      const lengths = [Buffer.of(authenticationVersion, name.length), Buffer.of(password.length)] as const;
      return { type: 'more', send: Buffer.concat([lengths[0], name, lengths[1], password]) };
    }
    if (chosen === method.unacceptable) return this.#refusedCredentials('SOCKS_NO_ACCEPTABLE_METHOD');
    return this.#bad('socks5-method', `chose a way to authenticate that it was not offered (${chosen})`);
  }

  #ask(): ProxyStep {
    this.#phase = 'reply';
    const port = Buffer.of(this.#place.port >> 8, this.#place.port & 0xff);
    return {
      type: 'more',
      send: Buffer.concat([Buffer.of(version, connectCommand, 0x00), this.#address, port]),
    };
  }

  #refusedCredentials(code: string): ProxyStep {
    return { type: 'failed', send: null, failure: credentialsRefused(this.#proxy, code, null) };
  }

  #refused(reply: number): ProxyStep {
    const words = replyWords[reply] ?? `reply ${reply}`;
    const [code, proxy, place] = [`SOCKS_REPLY_${reply}`, this.#proxy, this.#place];
    if (reply === 2 || reply > 6)
      return { type: 'failed', send: null, failure: wayRefused(proxy, place, code, words) };
    const cause =
      reply === 5 ? 'upstream-refused' : reply === 6 ? 'upstream-connect-timeout' : 'upstream-unreachable';
    return { type: 'failed', send: null, failure: notReached(proxy, place, cause, code, words) };
  }

  #bad(code: string, what: string): ProxyStep {
    return { type: 'failed', send: null, failure: badAnswer(this.#proxy, code, what) };
  }
}

/** Type and octets of an address, or of a name; null for a name that is longer than the protocol can say. */
export function socks5Address(host: string): Buffer | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host))
    return Buffer.of(addressType.ipv4, ...host.split('.').map(Number));
  if (host.includes(':')) return Buffer.concat([Buffer.of(addressType.ipv6), ipv6Octets(host)]);
  const name = Buffer.from(host, 'latin1');
  return name.length > 255 ? null : Buffer.concat([Buffer.of(addressType.name, name.length), name]);
}

/** Of a valid address; a zone (`%eth0`) means nothing to another machine. */
function ipv6Octets(host: string): Buffer {
  const plain = new URL(`http://[${host.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const [left = [], right = []] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const octets = Buffer.alloc(16);
  [...left, ...zeros, ...right].forEach((group, i) => octets.writeUInt16BE(parseInt(group, 16), i * 2));
  return octets;
}
