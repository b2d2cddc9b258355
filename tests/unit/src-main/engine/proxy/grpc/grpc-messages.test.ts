import { describe, expect, it } from 'vitest';
import type { MessageDraft } from '../../../../../../src-main/engine/proxy/decoders/decoder.ts';
import { GrpcMessages } from '../../../../../../src-main/engine/proxy/grpc/grpc-messages.ts';

function message(sizeBytes: number, compressed = 0): Buffer {
  const bytes = Buffer.alloc(5 + sizeBytes, 'm');
  bytes[0] = compressed;
  bytes.writeUInt32BE(sizeBytes, 1);
  return bytes;
}

function read(...chunks: Buffer[]): { told: MessageDraft[]; isLost: boolean } {
  const told: MessageDraft[] = [];
  const messages = new GrpcMessages((draft) => told.push(draft));
  chunks.forEach((chunk, at) => messages.bytes('request', chunk, at));
  return { told, isLost: messages.isLost };
}

describe('messages of gRPC', () => {
  const stream = Buffer.concat([message(3), message(0), message(70, 1)]);
  const sizes = [
    { type: 'grpc', direction: 'request', sizeBytes: 3, compressed: false },
    { sizeBytes: 0, compressed: false },
    { sizeBytes: 70, compressed: true },
  ];

  it('are told when they are whole, wherever the bytes are cut', () => {
    expect(read(stream).told).toMatchObject(sizes);
    for (let cut = 1; cut < stream.length; cut++) {
      expect(read(stream.subarray(0, cut), stream.subarray(cut)).told).toMatchObject(sizes);
    }
    expect(read(...Array.from(stream, (_, i) => stream.subarray(i, i + 1))).told).toMatchObject(sizes);
  });

  it('have the time at which their last byte came', () => {
    expect(
      read(stream.subarray(0, 5), stream.subarray(5, 8), stream.subarray(8)).told.map(({ at }) => at),
    ).toEqual([1, 2, 2]);
  });

  it('of two directions do not mix', () => {
    const told: MessageDraft[] = [];
    const messages = new GrpcMessages((draft) => told.push(draft));
    messages.bytes('request', message(10).subarray(0, 7), 0);
    messages.bytes('response', message(4), 1);
    messages.bytes('request', message(10).subarray(7), 2);
    expect(told).toMatchObject([
      { direction: 'response', sizeBytes: 4 },
      { direction: 'request', sizeBytes: 10 },
    ]);
  });

  it('that are none are given up on', () => {
    const { told, isLost } = read(Buffer.from('<html>'), message(1));
    expect({ told, isLost }).toEqual({ told: [], isLost: true });
  });

  it('that break off are not told', () => {
    expect(read(message(10).subarray(0, 12)).told).toEqual([]);
  });
});
