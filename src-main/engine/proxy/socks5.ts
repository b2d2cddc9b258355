import { parseAuthority } from './http1/target.ts';

/**
 * SOCKS version 5, the server's side of what comes before the bytes that are carried (RFC 1928, RFC 1929):
 *
 *     client  05 n methods…              greeting
 *     server  05 method                  02 if it is offered, for the name; else 00
 *     client  01 n user n password       with method 02 only
 *     server  01 00                      any password will do
 *     client  05 command 00 type address port
 *     server  05 code 00 01 0.0.0.0:0
 *
 * Bytes in, replies and findings out. The answer to a request that can be served is left to whoever connects.
 */

/** Replies to a request (RFC 1928, section 6), as far as Spike has a use for them. */
export const socks5Reply = {
  succeeded: 0x00,
  failure: 0x01,
  notAllowed: 0x02,
  commandNotSupported: 0x07,
  addressTypeNotSupported: 0x08,
} as const;

export type Socks5RefusalCode =
  | 'socks-no-acceptable-method'
  | 'socks-bad-authentication'
  | 'socks-bad-version'
  | 'socks-command'
  | 'socks-address-type'
  | 'socks-bad-address';

/** Where the client wants to go. */
export interface Socks5Request {
  /** A name, left to Spike to resolve, or an address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

export interface Socks5Refusal {
  readonly code: Socks5RefusalCode;
  /** A sentence for a person: what came, and what to do. */
  readonly message: string;
}

/** What came of some bytes. */
export interface Socks5Step {
  /** To be written to the client at once; empty for nothing. A refusal's reply is its last one. */
  readonly reply: Buffer;
  /** Set once, last: what is asked for. */
  readonly request: Socks5Request | null;
  /** Set once, last: the connection is over. */
  readonly refusal: Socks5Refusal | null;
  /** With `request`: what came behind it, which belongs to what is carried. */
  readonly rest: Buffer | null;
}

const version = 0x05;
const authenticationVersion = 0x01;
const method = { none: 0x00, userName: 0x02, unacceptable: 0xff };
const connectCommand = 0x01;
const addressType = { ipv4: 0x01, name: 0x03, ipv6: 0x04 };

const commandNames: Readonly<Record<number, string>> = { 2: 'BIND', 3: 'UDP ASSOCIATE' };

const none = Buffer.alloc(0);

/** One client's conversation up to its request. Holds at most one message: 513 octets, the longest authentication. */
export class Socks5Handshake {
  /** From the user name of RFC 1929; null when none was given. */
  userName: string | null = null;
  #phase: 'greeting' | 'authentication' | 'request' | 'over' = 'greeting';
  /** What has come of a message that is not whole. */
  #partial: Buffer = none;

  /** Takes what came from the client. After a request or a refusal nothing is taken any more. */
  feed(bytes: Buffer): Socks5Step {
    const input = this.#partial.length === 0 ? bytes : Buffer.concat([this.#partial, bytes]);
    const replies: Buffer[] = [];
    let at = 0;
    while (this.#phase !== 'over') {
      const message = input.subarray(at);
      const length = this.#lengthOf(message);
      if (length > message.length) {
        this.#partial = message;
        return { reply: Buffer.concat(replies), request: null, refusal: null, rest: null };
      }
      const found = this.#read(message.subarray(0, length));
      at += length;
      replies.push(found.reply);
      if (found.request === null && found.refusal === null) continue;
      this.#phase = 'over';
      this.#partial = none;
      const rest = found.request !== null && at < input.length ? input.subarray(at) : null;
      return { ...found, reply: Buffer.concat(replies), rest };
    }
    return { reply: none, request: null, refusal: null, rest: null };
  }

  /** How long the message is, as far as its beginning tells: one more octet than there are while it does not. */
  #lengthOf(message: Buffer): number {
    const first = message[0];
    if (first === undefined) return 1;
    // What has the wrong version is refused by its first octet: its length means nothing.
    if (first !== (this.#phase === 'authentication' ? authenticationVersion : version)) return 1;
    if (this.#phase === 'greeting') return message.length < 2 ? 2 : 2 + (message[1] as number);
    if (this.#phase === 'authentication') return authenticationLength(message);
    return requestLength(message);
  }

  #read(message: Buffer): Omit<Socks5Step, 'rest'> {
    if (this.#phase === 'greeting') return this.#readGreeting(message);
    if (this.#phase === 'authentication') return this.#readAuthentication(message);
    return readRequest(message);
  }

  #readGreeting(message: Buffer): Omit<Socks5Step, 'rest'> {
    const offered = message.subarray(2);
    // A client that has a user name offers both: only by taking the second is the name learned.
    const chosen = [method.userName, method.none].find(
      (one) => message[0] === version && offered.includes(one),
    );
    if (chosen === undefined) {
      return refuse(
        Buffer.of(version, method.unacceptable),
        'socks-no-acceptable-method',
        'The SOCKS client offers no way in that Spike knows: it takes clients without authentication, or with a user name.',
      );
    }
    this.#phase = chosen === method.userName ? 'authentication' : 'request';
    return { reply: Buffer.of(version, chosen), request: null, refusal: null };
  }

  /** Any password is right: who reaches the port may call, and the name says who it is. */
  #readAuthentication(message: Buffer): Omit<Socks5Step, 'rest'> {
    if (message[0] !== authenticationVersion) {
      return refuse(
        Buffer.of(authenticationVersion, 0x01),
        'socks-bad-authentication',
        'The SOCKS client was asked for a user name and sent something else (RFC 1929).',
      );
    }
    const name = message.toString('utf8', 2, 2 + (message[1] as number));
    this.userName = name === '' ? null : name;
    this.#phase = 'request';
    return { reply: Buffer.of(authenticationVersion, 0x00), request: null, refusal: null };
  }
}

/** The reply to a request. What Spike's own end of the connection is, is not known then, and of no use to a client. */
export function socks5ReplyBytes(code: number): Buffer {
  return Buffer.of(version, code, 0x00, addressType.ipv4, 0, 0, 0, 0, 0, 0);
}

/** "Request rejected or failed" of SOCKS4, the one reply that it has for everything. */
export const socks4Refusal = Buffer.of(0x00, 0x5b, 0, 0, 0, 0, 0, 0);

function authenticationLength(message: Buffer): number {
  const nameLength = message[1];
  if (nameLength === undefined) return 2;
  const passwordLength = message[2 + nameLength];
  return passwordLength === undefined ? 3 + nameLength : 3 + nameLength + passwordLength;
}

function requestLength(message: Buffer): number {
  const type = message[3];
  if (type === undefined) return message.length + 1;
  if (type === addressType.ipv4) return 10;
  if (type === addressType.ipv6) return 22;
  // Of an unknown type nothing more is known than that it is unknown.
  if (type !== addressType.name) return 4;
  const nameLength = message[4];
  return nameLength === undefined ? 5 : 7 + nameLength;
}

function readRequest(message: Buffer): Omit<Socks5Step, 'rest'> {
  if (message[0] !== version) {
    return refuseRequest(
      socks5Reply.failure,
      'socks-bad-version',
      'The SOCKS request does not begin with version 5.',
    );
  }
  const command = message[1] as number;
  const type = message[3] as number;
  if (command !== connectCommand) {
    const what = commandNames[command] ?? `command ${command}`;
    return refuseRequest(
      socks5Reply.commandNotSupported,
      'socks-command',
      `Spike carries connections that a client opens (CONNECT); the SOCKS client asked for ${what}.`,
    );
  }
  if (message.length === 4) {
    return refuseRequest(
      socks5Reply.addressTypeNotSupported,
      'socks-address-type',
      `The SOCKS client asked for an address of type ${type}, which RFC 1928 does not have.`,
    );
  }
  const host = readAddress(type, message.subarray(4, -2));
  const port = message.readUInt16BE(message.length - 2);
  if (host === null || port === 0) {
    return refuseRequest(
      socks5Reply.failure,
      'socks-bad-address',
      'The SOCKS client asked for a name or a port that cannot be called.',
    );
  }
  return { reply: none, request: { host, port }, refusal: null };
}

function readAddress(type: number, octets: Buffer): string | null {
  if (type === addressType.ipv4) return octets.join('.');
  if (type === addressType.ipv6) {
    const groups = Array.from({ length: 8 }, (_, group) => octets.readUInt16BE(group * 2).toString(16));
    // In the form that everything else writes it in (RFC 5952).
    return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
  }
  const name = octets.toString('latin1', 1);
  // Some clients send an IPv6 address as a name. The same names are callable as by CONNECT, and a port is no part of one.
  const authority = parseAuthority(name.includes(':') ? `[${name}]` : name);
  return authority === null || authority.port !== null ? null : authority.host;
}

function refuseRequest(reply: number, code: Socks5RefusalCode, message: string): Omit<Socks5Step, 'rest'> {
  return refuse(socks5ReplyBytes(reply), code, message);
}

function refuse(reply: Buffer, code: Socks5RefusalCode, message: string): Omit<Socks5Step, 'rest'> {
  return { reply, request: null, refusal: { code, message } };
}
