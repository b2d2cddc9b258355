// The first bytes of a connection, read as a TLS ClientHello (RFC 8446 section 4.1.2) before anything is answered: the server
// name chooses the leaf certificate or pass-through, ALPN chooses what is offered to the upstream. Pure: bytes in, data out.
//
// A hello may be split over several TLS records (RFC 8446 section 5.1), and each record over any number of TCP segments: the
// caller hands over everything received so far and asks again when more has come.

const RECORD_HANDSHAKE = 22;
const RECORD_HEADER_BYTES = 5;
const RECORD_MAX_BYTES = 16_384;
const HANDSHAKE_CLIENT_HELLO = 1;
const HANDSHAKE_HEADER_BYTES = 4;
/** Real hellos have 200 to 2,000 bytes, with post-quantum key shares up to 4,000. */
const DEFAULT_MAX_BYTES = 65_536;
const EXTENSION = {
  serverName: 0,
  supportedGroups: 10,
  signatureAlgorithms: 13,
  alpn: 16,
  supportedVersions: 43,
} as const;

/** Numbers are IANA's code points, in the client's order, with its GREASE values (RFC 8701) left in. */
export type ClientHello = {
  status: 'hello';
  /** As sent: not normalised, only printable ASCII for certain. Null when the client sent none, as for an address. */
  serverName: string | null;
  /** Protocol names such as `h2`, `http/1.1`; other bytes as latin1. Empty when the client sent none. */
  alpn: string[];
  /** The version field of the hello itself: 0x0303 for TLS 1.2 and 1.3. */
  legacyVersion: number;
  /** From the extension; empty before TLS 1.3. */
  supportedVersions: number[];
  cipherSuites: number[];
  /** Types of all extensions. */
  extensions: number[];
  supportedGroups: number[];
  signatureAlgorithms: number[];
  /** Bytes from the start of the input to the end of the records that held the hello. */
  sizeBytes: number;
};

export type MalformedHello =
  | 'too-large'
  | 'bad-record'
  | 'not-a-client-hello'
  | 'bad-length'
  | 'duplicate-extension'
  | 'bad-server-name';

export type ClientHelloResult =
  | ClientHello
  /**
   * A hello so far, but not all of it. It cannot be whole before the input has `neededBytes`: who asks no sooner does not read
   * the same bytes over and over when they come one at a time.
   */
  | { status: 'incomplete'; neededBytes: number }
  /** Some other protocol. */
  | { status: 'not-tls' }
  /** TLS by its first bytes, and then not what RFC 8446 allows. */
  | { status: 'malformed'; reason: MalformedHello };

/** Reads what has arrived so far. Never throws; a bound of `maxBytes` (default 64 KiB) holds for the hello with its records. */
export function parseClientHello(input: Uint8Array, maxBytes = DEFAULT_MAX_BYTES): ClientHelloResult {
  if (!mayBeTls(input)) return { status: 'not-tls' };
  const gathered = gatherHandshake(input, maxBytes);
  if ('status' in gathered) return gathered;
  try {
    return { status: 'hello', ...readHello(new Reader(gathered.body)), sizeBytes: gathered.sizeBytes };
  } catch (error) {
    if (error instanceof HelloError) return { status: 'malformed', reason: error.reason };
    throw error;
  }
}

/** A handshake record of any version up to 3.4; true while too little is there to tell. */
function mayBeTls(input: Uint8Array): boolean {
  const [type = RECORD_HANDSHAKE, major = 3, minor = 0] = input;
  return type === RECORD_HANDSHAKE && major === 3 && minor <= 4;
}

type Gathered = { body: Uint8Array; sizeBytes: number };
type Unfinished = Exclude<ClientHelloResult, ClientHello>;
const malformed = (reason: MalformedHello): Unfinished => ({ status: 'malformed', reason });

/** Joins the records until the handshake message is whole. */
function gatherHandshake(input: Uint8Array, maxBytes: number): Gathered | Unfinished {
  const fragments: Uint8Array[] = [];
  let gatheredBytes = 0;
  let wantedBytes = HANDSHAKE_HEADER_BYTES;
  let at = 0;
  while (gatheredBytes < wantedBytes) {
    const record = recordAt(input, at);
    if ('status' in record) return at + RECORD_HEADER_BYTES > maxBytes ? malformed('too-large') : record;
    fragments.push(record.fragment);
    gatheredBytes += record.fragment.length;
    at += RECORD_HEADER_BYTES + record.declaredBytes;
    const header = headerOf(fragments);
    if (header && header.type !== HANDSHAKE_CLIENT_HELLO) return malformed('not-a-client-hello');
    if (header?.bodyBytes !== undefined) wantedBytes = HANDSHAKE_HEADER_BYTES + header.bodyBytes;
    if (wantedBytes > maxBytes || at > maxBytes) return malformed('too-large');
    if (record.fragment.length < record.declaredBytes) return { status: 'incomplete', neededBytes: at };
  }
  const whole = fragments.length === 1 ? (fragments[0] as Uint8Array) : Buffer.concat(fragments);
  return { body: whole.subarray(HANDSHAKE_HEADER_BYTES, wantedBytes), sizeBytes: at };
}

/** The record at an offset: its fragment as far as it has arrived, and how long it will be. */
function recordAt(
  input: Uint8Array,
  at: number,
): { fragment: Uint8Array; declaredBytes: number } | Unfinished {
  if (!mayBeTls(input.subarray(at))) return malformed('bad-record');
  const neededBytes = at + RECORD_HEADER_BYTES;
  if (input.length < neededBytes) return { status: 'incomplete', neededBytes };
  const declaredBytes = ((input[at + 3] ?? 0) << 8) | (input[at + 4] ?? 0);
  // RFC 8446 section 5.1: no zero-length handshake fragments; and nothing is encrypted yet, so no expansion either.
  if (declaredBytes === 0 || declaredBytes > RECORD_MAX_BYTES) return malformed('bad-record');
  return { fragment: input.subarray(neededBytes, neededBytes + declaredBytes), declaredBytes };
}

/** Type and length of the handshake message, whose four bytes may themselves lie in several records. */
function headerOf(fragments: Uint8Array[]): { type: number; bodyBytes?: number } | null {
  const header: number[] = [];
  for (const fragment of fragments) {
    for (const byte of fragment.subarray(0, HANDSHAKE_HEADER_BYTES - header.length)) header.push(byte);
    if (header.length === HANDSHAKE_HEADER_BYTES) break;
  }
  const [type, high, middle, low] = header;
  if (type === undefined) return null;
  if (high === undefined || middle === undefined || low === undefined) return { type };
  return { type, bodyBytes: (high << 16) | (middle << 8) | low };
}

class HelloError extends Error {
  readonly reason: MalformedHello;
  constructor(reason: MalformedHello) {
    super(reason);
    this.reason = reason;
  }
}

/** Reads numbers and length-prefixed vectors; running over the end is a HelloError. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  bytes(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw new HelloError('bad-length');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  number(sizeBytes: 1 | 2): number {
    return this.bytes(sizeBytes).reduce((value, byte) => (value << 8) | byte, 0);
  }

  vector(prefixBytes: 1 | 2): Reader {
    return new Reader(this.bytes(this.number(prefixBytes)));
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** Everything left, as 16-bit numbers. */
  numbers(): number[] {
    const values: number[] = [];
    while (!this.isAtEnd) values.push(this.number(2));
    return values;
  }

  end(): void {
    if (!this.isAtEnd) throw new HelloError('bad-length');
  }
}

function readHello(hello: Reader): Omit<ClientHello, 'status' | 'sizeBytes'> {
  const legacyVersion = hello.number(2);
  hello.bytes(32); // random
  hello.vector(1); // session id
  const cipherSuites = hello.vector(2).numbers();
  hello.vector(1); // compression methods
  // Before TLS 1.3 a hello may end here (RFC 5246 section 7.4.1.2).
  const extensions = hello.isAtEnd ? new Map<number, Uint8Array>() : readExtensions(hello.vector(2));
  hello.end();
  return {
    serverName: readExtension(extensions, EXTENSION.serverName, readServerName) ?? null,
    alpn: readExtension(extensions, EXTENSION.alpn, readAlpn) ?? [],
    legacyVersion,
    supportedVersions: readExtension(extensions, EXTENSION.supportedVersions, (it) => numbersIn(it, 1)) ?? [],
    cipherSuites,
    extensions: [...extensions.keys()],
    supportedGroups: readExtension(extensions, EXTENSION.supportedGroups, (it) => numbersIn(it, 2)) ?? [],
    signatureAlgorithms:
      readExtension(extensions, EXTENSION.signatureAlgorithms, (it) => numbersIn(it, 2)) ?? [],
  };
}

function readExtensions(list: Reader): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  while (!list.isAtEnd) {
    const type = list.number(2);
    // RFC 8446 section 4.2; two server names would be read in two ways.
    if (found.has(type)) throw new HelloError('duplicate-extension');
    found.set(type, list.vector(2).rest());
  }
  return found;
}

function readExtension<T>(
  extensions: Map<number, Uint8Array>,
  type: number,
  read: (content: Reader) => T,
): T | undefined {
  const content = extensions.get(type);
  if (!content) return undefined;
  const reader = new Reader(content);
  const value = read(reader);
  reader.end();
  return value;
}

function numbersIn(content: Reader, prefixBytes: 1 | 2): number[] {
  return content.vector(prefixBytes).numbers();
}

/** RFC 6066 section 3: a list with at most one name of each type, and host_name (0) the only type there is. */
function readServerName(content: Reader): string | null {
  const list = content.vector(2);
  let serverName: string | null = null;
  while (!list.isAtEnd) {
    const type = list.number(1);
    const name = list.vector(2).rest();
    if (type !== 0) continue;
    if (serverName !== null || name.length === 0 || !name.every(isPrintable)) {
      throw new HelloError('bad-server-name');
    }
    serverName = latin1(name);
  }
  return serverName;
}

const isPrintable = (byte: number): boolean => byte > 0x20 && byte < 0x7f;

/** RFC 7301 section 3.1: names of at least one byte. */
function readAlpn(content: Reader): string[] {
  const list = content.vector(2);
  const names: string[] = [];
  while (!list.isAtEnd) {
    const name = list.vector(1).rest();
    if (name.length === 0) throw new HelloError('bad-length');
    names.push(latin1(name));
  }
  return names;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
