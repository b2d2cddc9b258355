import { describe, expect, it } from 'vitest';
import { Destinations } from '../../../../../../src-main/engine/io/destinations.ts';
import { requestOptions, wayOf } from '../../../../../../src-main/engine/proxy/forwarding.ts';
import type { RequestHead } from '../../../../../../src-main/engine/proxy/http1/head.ts';
import { RequestParser } from '../../../../../../src-main/engine/proxy/http1/parser.ts';
import { serializeRequestHead } from '../../../../../../src-main/engine/proxy/http1/serialize-head.ts';
import type { Destination } from '../../../../../../src-main/engine/proxy/ports.ts';
import type { UpstreamProxies } from '../../../../../../src-shared/workspace/upstream-proxy.ts';
import { fakeNetwork } from '../../../../../support/fake-network.ts';

const proxy = {
  scheme: 'http',
  host: 'proxy.corp',
  port: 3128,
  credentials: { username: 'me', password: 'x' },
} as const;
const proxies: UpstreamProxies = {
  http: proxy,
  https: proxy,
  noProxy: ['direct.corp'],
  includeLoopback: false,
};

function destinations(upstreamProxies: UpstreamProxies | null = proxies): Destinations {
  const made = new Destinations(() => ({
    current: { name: 'x', resolvedBy: 'host', pid: null },
    ready: null,
  }));
  made.setProxies(upstreamProxies);
  return made;
}

function headOf(text: string): RequestHead {
  let found: RequestHead | null = null;
  const ignore = (): void => undefined;
  const parser = new RequestParser({
    onHead: (head) => (found = head),
    onData: ignore,
    onBody: ignore,
    onTrailers: ignore,
    onComplete: ignore,
    onError: ignore,
  });
  parser.feed(Buffer.from(text));
  if (found === null) throw new Error('not a head');
  return found;
}

/** What is sent on for a request that came like this. */
function sent(text: string, destination: Destination, ownHost: string | null = null): string {
  const head = headOf(text);
  const { facts } = fakeNetwork();
  const options = requestOptions(head, { ...facts, ownHost }, wayOf(head, destination));
  return serializeRequestHead(head, options);
}

const authorization = 'Proxy-Authorization: Basic bWU6eA==\r\n\r\n';

describe('a request that a proxy forwards', () => {
  const orders = destinations().get('http', 'orders.corp', 8080);

  it('has the whole URL, one Host, and what the proxy is told', () => {
    const text = 'GET http://orders.corp:8080/a?b HTTP/1.1\r\nHost: orders.corp:8080\r\nX: y\r\n\r\n';
    expect(sent(text, orders)).toBe(
      `GET http://orders.corp:8080/a?b HTTP/1.1\r\nHost: orders.corp:8080\r\nX: y\r\n${authorization}`,
    );
  });

  it("has Spike's credentials in place of those that the client gave Spike", () => {
    const text =
      'POST /a HTTP/1.1\r\nHost: 127.0.0.1:9101\r\nProxy-Authorization: Basic eA==\r\nContent-Length: 1\r\n\r\n';
    expect(sent(text, orders, '127.0.0.1:9101')).toBe(
      `POST http://orders.corp:8080/a HTTP/1.1\r\nHost: orders.corp:8080\r\nContent-Length: 1\r\n${authorization}`,
    );
  });

  it('has the Host of its URL, whatever the client says', () => {
    const text = 'GET / HTTP/1.1\r\nHost: other.example\r\n\r\n';
    expect(sent(text, orders)).toContain('\r\nHost: orders.corp:8080\r\n');
  });

  it('has no path for OPTIONS * (RFC 9112, section 3.2.4)', () => {
    const text = 'OPTIONS * HTTP/1.1\r\nHost: orders.corp:8080\r\n\r\n';
    expect(sent(text, orders)).toMatch(/^OPTIONS http:\/\/orders\.corp:8080 HTTP\/1\.1\r\n/);
  });

  it('has no Upgrade, but for a WebSocket, which goes by a tunnel', () => {
    const upgrade = (to: string): string =>
      sent(
        `GET /a HTTP/1.1\r\nHost: orders.corp:8080\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\n\r\n`,
        orders,
      );
    expect(upgrade('h2c')).toBe(
      `GET http://orders.corp:8080/a HTTP/1.1\r\nHost: orders.corp:8080\r\n${authorization}`,
    );
    expect(upgrade('websocket')).toMatch(/^GET \/a HTTP\/1\.1\r\n.*Upgrade: websocket\r\n/s);
    expect(upgrade('websocket')).not.toContain('Proxy-Authorization');
  });
});

describe('the way to a place', () => {
  const way = (scheme: Destination['scheme'], host: string, of = destinations()): string => {
    const { via } = of.get(scheme, host, 80);
    return via === null ? 'direct' : `${via.way} ${via.proxy.scheme}`;
  };

  it('depends on what is spoken and on the proxy', () => {
    expect(way('http', 'a.corp')).toBe('forward http');
    expect(way('https', 'a.corp')).toBe('tunnel http');
    expect(way('tcp', 'a.corp')).toBe('tunnel http');
    const socks = { ...proxies, http: { ...proxy, scheme: 'socks5' as const } };
    expect(way('http', 'a.corp', destinations(socks))).toBe('tunnel socks5');
    expect(way('http', 'a.corp', destinations({ ...proxies, http: null }))).toBe('direct');
  });

  it('is direct for noProxy, and for this machine unless it is said', () => {
    expect(way('https', 'direct.corp')).toBe('direct');
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1']) {
      expect(way('http', host)).toBe('direct');
      expect(way('http', host, destinations({ ...proxies, includeLoopback: true }))).toBe('forward http');
    }
  });

  it('keeps connections of each kind, and of other settings, apart', () => {
    const of = destinations();
    const forward = of.get('http', 'a.corp', 80);
    const direct = destinations(null).get('http', 'a.corp', 80);
    expect(new Set([forward.key, forward.tunnelled?.key, direct.key]).size).toBe(3);
    of.setProxies({ ...proxies, http: { ...proxy, credentials: { username: 'me', password: 'y' } } });
    expect(of.get('http', 'a.corp', 80).key).not.toBe(forward.key);
  });
});
