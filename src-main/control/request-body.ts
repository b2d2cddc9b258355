import type { IncomingMessage } from 'node:http';
import { SpikeError } from '#shared/contract/errors.ts';

/**
 * Reads a JSON body, at most `maxBytes` of it. undefined: there was none.
 * @throws SpikeError `too-large`, or `bad-request` for what is not JSON in UTF-8.
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return undefined;
  const type = request.headers['content-type'] ?? 'application/json';
  if (!/^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(type)) {
    throw new SpikeError('bad-request', `The body must be application/json; it came as "${type}".`);
  }
  return parseJson(bytes);
}

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    // A SyntaxError says where in the text; a TypeError is the decoder's, for bytes that are not UTF-8.
    const why = error instanceof SyntaxError ? error.message : 'it is not UTF-8';
    throw new SpikeError('bad-request', `The body is not JSON: ${why}.`);
  }
}

function tooLarge(maxBytes: number): SpikeError {
  return new SpikeError('too-large', `The body is larger than ${maxBytes} bytes.`, { maxBytes });
}
