import { expect, it } from 'vitest';
import type {
  MessageDraft,
  ProtocolDecoder,
} from '../../../../../../src-main/engine/proxy/decoders/decoder.ts';
import { guarded } from '../../../../../../src-main/engine/proxy/decoders/guarded.ts';

function failing(at: 'bytes' | 'end'): ProtocolDecoder {
  const step = (here: string) => (): void => {
    if (here === at) throw new TypeError('off by one');
  };
  return {
    protocol: 'redis',
    recognise: () => 'yes',
    create: () => ({ bytes: step('bytes'), end: step('end'), isLost: false }),
  };
}

it.each(['bytes', 'end'] as const)('a decoder that throws (%s) is given up, and said to be, once', (at) => {
  const messages: MessageDraft[] = [];
  const decoder = guarded(failing(at)).create((message) => messages.push(message));
  expect(decoder.isLost).toBe(false);
  decoder.bytes('request', Buffer.from('x'), 1);
  decoder.bytes('request', Buffer.from('x'), 2);
  decoder.end(3);
  expect(decoder.isLost).toBe(true);
  expect(messages).toMatchObject(
    [{ type: 'notice', at: at === 'bytes' ? 1 : 3, text: /defect/, error: 'TypeError: off by one' }].map(
      (message) => ({ ...message, text: expect.stringMatching(message.text) }),
    ),
  );
});
