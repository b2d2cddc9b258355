import { setField, removeField, getField } from '../../proxy/http1/fields.ts';
import type { EditableHead } from './message-head.ts';
import type { MessageShape } from './stage.ts';

const lastChunk = Buffer.from('0\r\n', 'latin1');
const CRLF = Buffer.from('\r\n', 'latin1');
const emptyTrailersBytes = CRLF.length;

/** One chunk of a chunked body (RFC 9112, section 7.1), of which another size may be said. */
export function chunkOf(data: Buffer, size = data.length.toString(16)): Buffer {
  return Buffer.concat([Buffer.from(`${size}\r\n`, 'latin1'), data, CRLF]);
}

/**
 * Frames a body of known length anew: by Content-Length, or in a chunk where trailers come behind it. Changes the head.
 * @param declared The length that is said; not that of the body in a message that is to be wrong.
 * @param trailers The section as it came, with its empty line.
 * @returns The body on the wire.
 */
export function frameWhole(
  head: EditableHead,
  shape: MessageShape,
  body: Buffer,
  declared: number,
  trailers: Buffer,
): Buffer {
  if (shape.httpVersion === '2') {
    const isSaid = declared !== body.length || getField(head.fields, 'content-length') !== null;
    if (isSaid) setField(head.fields, 'content-length', String(declared));
    return body;
  }
  if (trailers.length > emptyTrailersBytes && declared === body.length) {
    return Buffer.concat(body.length === 0 ? [lastChunk, trailers] : [chunkOf(body), lastChunk, trailers]);
  }
  removeField(head.fields, 'transfer-encoding');
  removeField(head.fields, 'trailer');
  setField(head.fields, 'Content-Length', String(declared));
  return body;
}

/** The head says that the body is chunked. */
export function frameChunked(head: EditableHead): void {
  removeField(head.fields, 'content-length');
  // What is there may name another coding before it.
  if (getField(head.fields, 'transfer-encoding') === null)
    setField(head.fields, 'Transfer-Encoding', 'chunked');
}

/** Ends a chunked body; without trailers of its own if they are empty. */
export function endOfChunks(trailers: Buffer): Buffer {
  return Buffer.concat([lastChunk, trailers.length === 0 ? CRLF : trailers]);
}
