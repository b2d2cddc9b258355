import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodedProtocols } from '#shared/flow/flow.ts';
import {
  protocolDecoders,
  recognisableWithin,
  recogniseProtocol,
} from '../../../../../../src-main/engine/proxy/decoders/registry.ts';

it('has a decoder for each protocol that a flow may have, once', () => {
  expect(protocolDecoders.map(({ protocol }) => protocol).sort()).toEqual([...decodedProtocols].sort());
});

it('knows within its bound whose bytes any are, and does not change its mind', () => {
  const alphabet = fc.constantFrom(...'*$\r\n019\0\x03P '.split(''));
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 80 }), fc.constantFrom(1, 5432, 6379), (letters, port) => {
      const bytes = Buffer.from(letters.join(''), 'latin1');
      let known: ReturnType<typeof recogniseProtocol> = 'more';
      for (let length = 0; length <= bytes.length; length++) {
        const answer = recogniseProtocol(bytes.subarray(0, length), port);
        if (known !== 'more') expect(answer).toBe(known);
        known = answer;
      }
      if (bytes.length >= recognisableWithin) expect(known).not.toBe('more');
    }),
    { numRuns: 500 },
  );
});
