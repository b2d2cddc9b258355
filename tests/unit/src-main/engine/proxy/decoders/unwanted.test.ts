import { describe, expect, it } from 'vitest';
import type { MessageDraft } from '../../../../../../src-main/engine/proxy/decoders/decoder.ts';
import { protocolDecoders } from '../../../../../../src-main/engine/proxy/decoders/registry.ts';
import { recorded } from '../../../../../support/decoded.ts';

// Conversations of real clients and servers, with all wanted, nothing wanted, and every change in between.
describe.each(recorded())('$protocol: $name', ({ protocol, passed }) => {
  const decoder = protocolDecoders.find((one) => one.protocol === protocol);

  function decode(wants: (asked: number) => boolean) {
    const told: MessageDraft[] = [];
    let skipped = 0;
    let asked = 0;
    const made = decoder?.create((message) => told.push(message), {
      wants: () => wants(asked++),
      skip: () => void (skipped += 1),
    });
    passed.forEach(({ direction, bytes }, at) => made?.bytes(direction, bytes, at));
    made?.end(passed.length);
    return { told, skipped, isLost: made?.isLost };
  }

  const all = decode(() => true);

  it('counts what is not wanted, and tells what fails', () => {
    const none = decode(() => false);
    expect(none.isLost).toBe(all.isLost);
    expect(all.skipped).toBe(0);
    expect(none.told.length + none.skipped).toBe(all.told.length);
    const errors = (told: readonly MessageDraft[]) =>
      told.map(({ error = null }) => error).filter((error) => error !== null);
    expect(errors(none.told)).toEqual(errors(all.told));
  });

  it('tells what is wanted as if all were, wherever that changes', () => {
    for (let from = 1; from < Math.min(all.told.length, 25); from++) {
      const some = decode((asked) => asked >= from);
      expect(some.told.length + some.skipped).toBe(all.told.length);
      expect(some.isLost).toBe(all.isLost);
      for (const told of some.told) if ((told.error ?? null) === null) expect(all.told).toContainEqual(told);
    }
  });
});
