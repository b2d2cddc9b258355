import type { ProtocolDecoder } from './decoder.ts';
import { guarded } from './guarded.ts';
import { postgresql } from './postgresql.ts';
import { redis } from './redis.ts';

/**
 * In the order in which they are asked: those whose first bytes can be nothing else come first. None of them throws,
 * whatever passes.
 */
export const protocolDecoders: readonly ProtocolDecoder[] = [postgresql, redis].map(guarded);

/** Octets within which every decoder knows whether they are its own: nobody has to keep more of them to ask again. */
export const recognisableWithin = 64;

/**
 * Whose bytes these are.
 * @param first The first bytes of the client, from its very first one on.
 * @param port The port of the upstream.
 * @returns `more`: ask again with more bytes; null: nobody's.
 */
export function recogniseProtocol(first: Buffer, port: number): ProtocolDecoder | 'more' | null {
  let undecided = false;
  for (const decoder of protocolDecoders) {
    const answer = decoder.recognise(first, port);
    if (answer === 'yes') return decoder;
    undecided ||= answer === 'more';
  }
  return undecided && first.length < recognisableWithin ? 'more' : null;
}
