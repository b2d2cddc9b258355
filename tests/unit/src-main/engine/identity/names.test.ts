import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { createSystemClock } from '../../../../../src-main/engine/clock.ts';
import type { Clock } from '../../../../../src-main/engine/clock.ts';
import { calleeName } from '../../../../../src-main/engine/identity/callee-name.ts';
import { createCalleeResolver } from '../../../../../src-main/engine/identity/callee-resolver.ts';
import { createCallerResolver } from '../../../../../src-main/engine/identity/caller-resolver.ts';
import type { OwningProcess, ProcessLookup } from '../../../../../src-main/engine/identity/process-lookup.ts';
import { silentLog } from '../../../../../src-main/engine/log.ts';

const clock = createSystemClock();

function lookupOf(answer: OwningProcess | null) {
  const asked: unknown[] = [];
  const lookup: ProcessLookup = {
    ownerOf: async (end) => (asked.push(end), answer),
    listenerOf: async (port) => (asked.push(port), answer),
    close: () => undefined,
  };
  return { asked, lookup };
}

describe('a caller', () => {
  const orders: OwningProcess = { pid: 7, name: 'orders', resolvedBy: 'run' };
  const connection = {
    clientAddress: '127.0.0.1',
    clientPort: 50_000,
    localPort: 7070,
    proxyUser: null,
    listenerCaller: null,
  };
  const resolver = (answer: OwningProcess | null) => {
    const { asked, lookup } = lookupOf(answer);
    return { asked, resolve: createCallerResolver({ lookup, clock, log: silentLog }).resolve };
  };

  test('is named by its listener before all, then by its credentials, and nothing is looked up', () => {
    const { resolve, asked } = resolver(orders);
    const both = resolve({ ...connection, listenerCaller: 'web', proxyUser: 'checkout' });
    expect(both).toEqual({ current: { name: 'web', resolvedBy: 'listener', pid: null }, ready: null });
    expect(resolve({ ...connection, proxyUser: ' checkout\n' }).current).toEqual({
      name: 'checkout',
      resolvedBy: 'proxy-user',
      pid: null,
    });
    expect(asked).toEqual([]);
  });

  test('is its address until its process is known', async () => {
    const handle = resolver(orders).resolve({ ...connection, clientAddress: '::ffff:127.0.0.1' });
    expect(handle.current).toEqual({ name: '127.0.0.1', resolvedBy: 'address', pid: null });
    await handle.ready;
    expect(handle).toEqual({ current: { name: 'orders', resolvedBy: 'run', pid: 7 }, ready: null });
  });

  test('stays its address when no process is found, or credentials are empty', async () => {
    const handle = resolver(null).resolve({ ...connection, proxyUser: '' });
    await handle.ready;
    expect(handle).toEqual({ current: { name: '127.0.0.1', resolvedBy: 'address', pid: null }, ready: null });
  });

  test('of another machine is not looked up, of this one by its own address it is', () => {
    const { resolve, asked } = resolver(orders);
    expect(resolve({ ...connection, clientAddress: '192.0.2.7' }).ready).toBeNull();
    expect(asked).toEqual([]);
    const own = Object.values(networkInterfaces())
      .flat()
      .find((entry) => entry !== undefined && !entry.internal);
    if (own !== undefined)
      expect(resolve({ ...connection, clientAddress: own.address }).ready).not.toBeNull();
  });

  test('of the same name is the same object', async () => {
    const { resolve } = resolver(orders);
    const [one, two] = [resolve(connection), resolve({ ...connection, clientPort: 50_001 })];
    await Promise.all([one.ready, two.ready]);
    expect(one.current).toBe(two.current);
  });

  test('with a name of any length gets one of a bounded length', () => {
    expect(
      resolver(null).resolve({ ...connection, proxyUser: 'x'.repeat(10_000) }).current.name,
    ).toHaveLength(100);
  });
});

describe('a callee', () => {
  const place = { route: null, virtualName: null, host: 'orders.internal', port: 80 };
  test.each([
    [{ ...place, route: 'stock' }, 'stock', 'route'],
    [{ ...place, virtualName: 'orders.internal' }, 'orders', 'host'],
    [place, 'orders', 'host'],
    [{ ...place, host: 'API.example.com.', port: 443 }, 'api.example.com', 'host'],
    [{ ...place, host: '10.0.0.7', port: 8101 }, '10.0.0.7:8101', 'address'],
    [{ ...place, host: 'fd00::7', port: 8101 }, '[fd00::7]:8101', 'address'],
    [{ ...place, host: 'localhost', port: 8104 }, 'localhost:8104', 'host'],
    [{ ...place, host: '127.0.0.1', port: 8104 }, '127.0.0.1:8104', 'address'],
  ])('at %o is %s by %s', (called, name, resolvedBy) => {
    expect(calleeName(called)).toEqual({ name, resolvedBy, pid: null });
  });

  test.each(['localhost', '127.0.0.1', '127.9.9.9', '::1', 'orders.localhost'])(
    'on %s is the process that listens there',
    async (host) => {
      const { lookup, asked } = lookupOf({ pid: 9, name: 'payments', resolvedBy: 'process' });
      const resolver = createCalleeResolver({ lookup, clock });
      const handle = resolver.resolve({ ...place, host, port: 8104 });
      await handle.ready;
      expect(handle.current).toEqual({ name: 'payments', resolvedBy: 'process', pid: 9 });
      expect(resolver.resolve({ ...place, host, port: 8104 })).toBe(handle);
      expect(asked).toEqual([8104]);
    },
  );

  test('is looked up again when what was known is old', async () => {
    let now = 0;
    const manual: Clock = { now: () => now, setTimer: () => ({ cancel: () => undefined }) };
    const { lookup, asked } = lookupOf({ pid: 9, name: 'payments', resolvedBy: 'process' });
    const resolver = createCalleeResolver({ lookup, clock: manual });
    const here = { ...place, host: 'localhost', port: 8104 };
    await resolver.resolve(here).ready;
    now = 9_999;
    expect(resolver.resolve(here).ready).toBeNull();
    now = 10_000;
    expect(resolver.resolve(here).ready, 'it has a name: nobody waits for the next').toBeNull();
    expect(asked).toHaveLength(2);
  });

  test('elsewhere, by route or by virtual name is not looked up, nor is what only passes on', async () => {
    const { lookup, asked } = lookupOf({ pid: 9, name: 'docker-proxy', resolvedBy: 'process' });
    const resolver = createCalleeResolver({ lookup, clock });
    for (const called of [
      place,
      { ...place, host: 'localhost', route: 'r' },
      { ...place, host: 'localhost', virtualName: 'o' },
    ]) {
      expect(resolver.resolve(called).ready).toBeNull();
    }
    expect(asked).toEqual([]);
    const forwarded = resolver.resolve({ ...place, host: 'localhost', port: 5432 });
    await forwarded.ready;
    expect(forwarded.current.name).toBe('localhost:5432');
  });
});
