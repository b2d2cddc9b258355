import { readFileSync } from 'node:fs';
import type { Direction } from '#shared/flow/flow.ts';
import type { MessageDraft, ProtocolDecoder } from '../../src-main/engine/proxy/decoders/decoder.ts';
import type { Passed } from './decoding-relay.ts';

/** What a decoder made of a conversation. */
export interface Decoded {
  readonly messages: readonly MessageDraft[];
  readonly isLost: boolean;
}

/** One connection of a real client with a real server, as it passed a relay. */
export interface Recorded {
  readonly name: string;
  readonly protocol: string;
  readonly passed: readonly Passed[];
}

/**
 * Shows a decoder a conversation. Each piece passes one ms after the one before, however it is split; the end comes last.
 * @param split The parts of one piece.
 */
export function decode(
  protocol: ProtocolDecoder,
  passed: readonly Passed[],
  split: (bytes: Buffer) => readonly Buffer[] = (bytes) => [bytes],
): Decoded {
  const messages: MessageDraft[] = [];
  const decoder = protocol.create((message) => messages.push(message));
  passed.forEach(({ direction, bytes }, at) => {
    for (const part of split(bytes)) {
      // What belongs to the data path is overwritten behind the decoder's back: nothing of it may have been kept.
      const lent = Buffer.from(part);
      decoder.bytes(direction, lent, at);
      lent.fill(0xaa);
    }
  });
  decoder.end(passed.length);
  return { messages, isLost: decoder.isLost };
}

export function octets(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (octet) => Buffer.of(octet));
}

export function from(direction: Direction, ...parts: (Buffer | string)[]): Passed {
  return {
    direction,
    bytes: Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))),
  };
}

/** The conversations of tests/fixtures/decoders. */
export function recorded(): Recorded[] {
  const file = new URL('../fixtures/decoders/recorded.json', import.meta.url);
  type Saved = { name: string; protocol: string; passed: { direction: Direction; base64: string }[] };
  return (JSON.parse(readFileSync(file, 'utf8')) as Saved[]).map(({ name, protocol, passed }) => ({
    name,
    protocol,
    passed: passed.map(({ direction, base64 }) => ({ direction, bytes: Buffer.from(base64, 'base64') })),
  }));
}
