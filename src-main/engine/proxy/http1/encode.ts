import { getField } from './fields.ts';

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// HTAB, SP, VCHAR, obs-text, as one latin1 octet each.
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Makes sure that a flat list can be written as field lines; what cannot would smuggle lines of its own. Throws a TypeError. */
export function assertFields(fields: readonly string[]): void {
  if (fields.length % 2 !== 0) throw new TypeError('A flat field list has a name without a value');
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (!tokenPattern.test(name)) throw new TypeError(`Not a field name: ${JSON.stringify(name)}`);
    const value = fields[i + 1] as string;
    if (!valuePattern.test(value))
      throw new TypeError(`Not a value of field ${name}: ${JSON.stringify(value)}`);
  }
}

/** Field lines, each with its CRLF, in the order given. Throws a TypeError for what cannot be written. */
export function fieldLines(fields: readonly string[]): string {
  assertFields(fields);
  let lines = '';
  for (let i = 0; i < fields.length; i += 2) lines += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return lines;
}

const CRLF = Buffer.from('\r\n');

/** One chunk, as three buffers to be written one after the other: the payload is not copied. It must not be empty. */
export function encodeChunk(data: Buffer): readonly [Buffer, Buffer, Buffer] {
  if (data.length === 0) throw new TypeError('An empty chunk would end the body: see lastChunk');
  return [Buffer.from(`${data.length.toString(16)}\r\n`, 'latin1'), data, CRLF];
}

/** The end of a chunked body, with the trailers given. */
export function lastChunk(trailers: readonly string[] = []): Buffer {
  return Buffer.from(`0\r\n${fieldLines(trailers)}\r\n`, 'latin1');
}

/**
 * A whole response of our own. Content-Length is added, except where the status allows no body or `fields` frame the
 * body themselves. To HEAD the body is measured and left out. Throws a TypeError for what cannot be written.
 */
export function buildResponse(
  status: number,
  reason: string,
  fields: readonly string[],
  body: Buffer,
  requestMethod = 'GET',
): Buffer {
  if (!Number.isInteger(status) || status < 100 || status > 999)
    throw new TypeError(`Not a status: ${status}`);
  if (!valuePattern.test(reason)) throw new TypeError(`Not a reason phrase: ${JSON.stringify(reason)}`);
  const bodiless = status < 200 || status === 204 || status === 304;
  const framed =
    getField(fields, 'content-length') !== null || getField(fields, 'transfer-encoding') !== null;
  const length = bodiless || framed ? '' : `Content-Length: ${body.length}\r\n`;
  const head = Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${fieldLines(fields)}${length}\r\n`, 'latin1');
  return bodiless || requestMethod === 'HEAD' || body.length === 0 ? head : Buffer.concat([head, body]);
}
