/** Frames of HTTP/2 (RFC 9113, section 4.1) by hand, for peers that break its rules. */

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { ack: 1, endStream: 1, endHeaders: 4 } as const;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

const headBytes = 9;

/** @param lengthBytes What its head says of its length. Default: the truth. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer | readonly number[] = [],
  lengthBytes: number = payload.length,
): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUIntBE(lengthBytes, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, Buffer.from(payload)]);
}

export const settings = (payload: readonly number[] = []): Buffer => frame(frameType.settings, 0, 0, payload);

export function windowUpdate(stream: number, increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return frame(frameType.windowUpdate, 0, stream, payload);
}

/** A literal without indexing and without Huffman's code (RFC 7541, section 6.2.2). */
export function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x00), text(name), text(value)]);
}

/** The same, and put into the dynamic table (section 6.2.1), whose newest entry is `newest`. */
export function indexed(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x40), text(name), text(value)]);
}

export const newest = 0x80 | 62;
/** `:method: GET`, `:scheme: http`, `:path: /`, of the static table. */
export const getRoot = Buffer.of(0x82, 0x86, 0x84);
/** `:status: 200` */
export const status200 = Buffer.of(0x88);

/** A length in the prefix of seven bits, and the bytes (section 5.2). */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left >>= 7) length.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([...length, left]), bytes]);
}

export interface ReadFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** The whole frames of what has come. */
export function framesOf(bytes: Buffer): ReadFrame[] {
  const frames: ReadFrame[] = [];
  for (let at = 0; at + headBytes <= bytes.length;) {
    const end = at + headBytes + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const payload = bytes.subarray(at + headBytes, end);
    frames.push({
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      stream: bytes.readUInt32BE(at + 5),
      payload,
    });
    at = end;
  }
  return frames;
}
