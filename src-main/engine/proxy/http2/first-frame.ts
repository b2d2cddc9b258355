const headBytes = 9;
const settings = 0x04;
const goaway = 0x07;

/**
 * Whether a server that was asked in HTTP/1.1 says something of HTTP/2: its SETTINGS, which it sends unasked (RFC 9113,
 * section 3.4), or a GOAWAY for a preface that was none. Both are of the connection, stream 0.
 */
export function beginsHttp2(bytes: Buffer): boolean {
  if (bytes.length < headBytes) return false;
  return (bytes[3] === settings || bytes[3] === goaway) && bytes[4] === 0 && bytes.readUInt32BE(5) === 0;
}
