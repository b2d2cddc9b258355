import { describe, expect, it } from 'vitest';
import { AddressCounter } from '../../../../../src-main/engine/io/address-counter.ts';
import { ClientWatch } from '../../../../../src-main/engine/io/client-watch.ts';
import type { Watched, WatchedStream } from '../../../../../src-main/engine/io/client-watch.ts';
import type { Awaited } from '../../../../../src-main/engine/proxy/ports.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

class FakeStreamWait implements WatchedStream {
  awaited: Awaited = 'body';
  progress = 0;
  readonly failures: string[] = [];
  timedOut(failure: { message: string }): void {
    this.failures.push(failure.message);
  }
}

class FakeClient implements Watched {
  awaited: Awaited = 'request';
  turn = 0;
  progress = 0;
  streams: FakeStreamWait[] = [];
  probes = 0;
  readonly failures: string[] = [];
  probe(): void {
    this.probes += 1;
  }
  timedOut(failure: { cause: string; message: string }): void {
    this.failures.push(failure.message);
    expect(failure.cause).toBe('client-timeout');
  }
}

function watching() {
  const clock = new ManualClock();
  const watch = new ClientWatch(clock, {
    headTimeoutMs: 60_000,
    idleTimeoutMs: 120_000,
    stalledTimeoutMs: 600_000,
    maxConnectionsPerAddress: 1,
    maxConnections: 1,
  });
  const client = new FakeClient();
  watch.add(client);
  return { clock, watch, client };
}

describe('clients that take too long', () => {
  it('are ended when they ask for nothing, and not before', () => {
    const { clock, client } = watching();
    clock.advance(119_000);
    expect(client.failures).toEqual([]);
    clock.advance(2000);
    expect(client.failures).toEqual(['The client asked for nothing for 120 s.']);
  });

  it('are looked after once a second, whatever they wait for', () => {
    const { clock, client } = watching();
    client.awaited = null;
    clock.advance(10_000);
    expect(client.probes).toBe(10);
  });

  it('on a stream are ended by it alone, each from when it stalled', () => {
    const { clock, client } = watching();
    const [one, other, gone] = [new FakeStreamWait(), new FakeStreamWait(), new FakeStreamWait()];
    client.awaited = null;
    client.streams = [one, other, gone];
    clock.advance(300_000);
    other.progress = 1;
    client.streams = [one, other];
    clock.advance(302_000);
    expect([one, other, gone].map(({ failures }) => failures.length)).toEqual([1, 0, 0]);
    expect(one.failures[0]).toBe(
      'The client stopped in the middle of its request: no byte of it came for 600 s.',
    );
    client.streams = [other];
    other.awaited = 'reading';
    clock.advance(599_000);
    other.awaited = null;
    clock.advance(2000);
    other.awaited = 'reading';
    clock.advance(599_000);
    expect(other.failures).toEqual([]);
    clock.advance(3000);
    expect(other.failures[0]).toContain('does not read');
    expect(client.failures).toEqual([]);
  });

  it('have the shorter time for a head, from when it began', () => {
    const { clock, client } = watching();
    clock.advance(100_000);
    client.awaited = 'head';
    clock.advance(59_000);
    expect(client.failures).toEqual([]);
    clock.advance(3000);
    expect(client.failures).toHaveLength(1);
    expect(client.failures[0]).toContain('within 60 s');
  });

  it('begin anew with each request, however short it was', () => {
    const { clock, client } = watching();
    for (let round = 0; round < 5; round++) {
      clock.advance(100_000);
      client.turn += 1;
    }
    expect(client.failures).toEqual([]);
    clock.advance(122_000);
    expect(client.failures).toHaveLength(1);
  });

  it.each([
    ['body', 'The client stopped in the middle of its request: no byte of it came for 600 s.'],
    ['reading', 'The client does not read: it took no byte of what was sent to it for 600 s.'],
  ] as const)('have time for every byte of what they have begun: %s', (awaited, message) => {
    const { clock, client } = watching();
    client.awaited = awaited;
    for (let byte = 0; byte < 5; byte++) {
      clock.advance(500_000);
      client.progress += 1;
    }
    expect(client.failures).toEqual([]);
    clock.advance(602_000);
    expect(client.failures).toEqual([message]);
  });

  it('get no more time for a head by sending it bit by bit', () => {
    const { clock, client } = watching();
    client.awaited = 'head';
    for (let byte = 0; byte < 6; byte++) {
      clock.advance(10_500);
      client.progress += 1;
    }
    expect(client.failures).toHaveLength(1);
  });

  it('have all the time while it is not their turn', () => {
    const { clock, client } = watching();
    client.awaited = null;
    clock.advance(86_400_000);
    expect(client.failures).toEqual([]);
  });

  it('share one timer, and leave none behind', () => {
    const { clock, watch, client } = watching();
    const others = Array.from({ length: 50 }, () => new FakeClient());
    for (const other of others) watch.add(other);
    clock.advance(5000);
    expect(clock.pendingTimers).toBe(1);
    for (const one of [client, ...others]) watch.remove(one);
    clock.advance(5000);
    expect(clock.pendingTimers).toBe(0);
    watch.add(client);
    watch.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('connections of an address', () => {
  it('are counted for each address by itself, and given back', () => {
    const counter = new AddressCounter(2);
    expect(['a', 'a', 'b', 'a'].map((address) => counter.take(address))).toEqual([true, true, true, false]);
    counter.giveBack('a');
    expect(counter.take('a')).toBe(true);
    expect(counter.take('a')).toBe(false);
  });
});
