import { describe, expect, it } from 'vitest';
import { Destinations } from '../../../../../src-main/engine/io/destinations.ts';

function withRoutes(routes: Record<string, string>): Destinations {
  const destinations = new Destinations((host, port) => ({
    current: { name: `${host}:${port}`, resolvedBy: 'host', pid: null },
    ready: null,
  }));
  destinations.setRoutes(Object.entries(routes).map(([name, upstream]) => ({ name, upstream })));
  return destinations;
}

describe('virtual names', () => {
  const destinations = withRoutes({
    orders: 'http://127.0.0.1:8101',
    payments: 'https://pay.example:8443',
    postgres: 'tcp://db.example:5432',
  });

  it.each([
    ['http', 'orders.internal', 80, 'http', '127.0.0.1:8101'],
    ['https', 'Orders.Internal.', 443, 'http', '127.0.0.1:8101'],
    ['tcp', 'orders.internal', 443, 'tcp', '127.0.0.1:8101'],
    ['http', 'payments.internal', 9, 'https', 'pay.example:8443'],
    ['tcp', 'payments.internal', 443, 'tcp', 'pay.example:8443'],
    ['tcp', 'postgres.internal', 5432, 'tcp', 'db.example:5432'],
    ['http', 'postgres.internal', 80, 'http', 'db.example:5432'],
  ] as const)('%s to %s:%s goes to the route', (asked, host, port, scheme, place) => {
    const found = destinations.get(asked, host, port);
    expect([found.scheme, `${found.host}:${found.port}`]).toEqual([scheme, place]);
    expect(found.callee.current).toEqual({
      name: host.toLowerCase().split('.')[0],
      resolvedBy: 'route',
      pid: null,
    });
    expect(found.replacedName).toBe(
      found.host === '127.0.0.1' ? null : host.toLowerCase().replace(/\.$/, ''),
    );
  });

  it('that no route has are names like any other', () => {
    const found = destinations.get('http', 'other.internal', 80);
    expect(found).toMatchObject({ host: 'other.internal', port: 80, route: null, replacedName: null });
    expect(destinations.get('http', 'orders.internal.example', 80).host).toBe('orders.internal.example');
  });

  it('share the connections of their route, and lead elsewhere when that does', () => {
    const moving = withRoutes({ orders: 'http://127.0.0.1:1' });
    const route = { name: 'orders', upstream: 'http://127.0.0.1:1' };
    expect(moving.get('http', 'orders.internal', 80).key).toBe(moving.forRoute(route).key);
    moving.setRoutes([{ name: 'orders', upstream: 'http://127.0.0.1:2' }]);
    expect(moving.get('http', 'orders.internal', 80).port).toBe(2);
    moving.setRoutes([]);
    expect(moving.get('http', 'orders.internal', 80).host).toBe('orders.internal');
  });
});

describe('an address whose client named a server in TLS', () => {
  it('is shown by that name, and shares no connection with another name', () => {
    const destinations = withRoutes({});
    const named = destinations.get('https', '192.0.2.1', 443, 'Api.example');
    expect(named).toMatchObject({
      host: '192.0.2.1',
      origin: 'https://Api.example',
      serverName: 'Api.example',
    });
    expect(named.callee.current.name).toBe('Api.example:443');
    expect(destinations.get('https', '192.0.2.1', 443).key).not.toBe(named.key);
    expect(destinations.get('https', '192.0.2.1', 443, 'Api.example')).toBe(named);
  });
});

describe('places that speak HTTP/2 in clear text', () => {
  const destinations = withRoutes({ orders: 'h2c://127.0.0.1:8101', payments: 'http://127.0.0.1:8102' });

  it('are those of routes that say so, by whatever name they are asked for', () => {
    const route = destinations.forRoute({ name: 'orders', upstream: 'h2c://127.0.0.1:8101' });
    expect(route).toMatchObject({ scheme: 'http', origin: 'http://127.0.0.1:8101', priorKnowledge: true });
    expect(destinations.get('http', 'orders.internal', 80)).toBe(route);
    expect(destinations.get('http', '127.0.0.1', 8101)).toBe(route);
    expect(destinations.get('http', '127.0.0.1', 8102).priorKnowledge).toBe(false);
  });

  it('have a pool of their own, and their bytes pass as any', () => {
    expect(destinations.get('http', '127.0.0.1', 8101).key).not.toBe(
      withRoutes({}).get('http', '127.0.0.1', 8101).key,
    );
    expect(destinations.get('tcp', '127.0.0.1', 8101)).toMatchObject({
      scheme: 'tcp',
      priorKnowledge: false,
    });
    expect(destinations.get('tcp', 'orders.internal', 80)).toMatchObject({
      scheme: 'tcp',
      priorKnowledge: false,
    });
  });
});
