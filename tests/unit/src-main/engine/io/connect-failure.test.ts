import { describe, expect, it } from 'vitest';
import {
  describeConnectFailure,
  describeTimeout,
} from '../../../../../src-main/engine/io/dial/connect-failure.ts';
import type { Phase } from '../../../../../src-main/engine/io/dial/connect-failure.ts';
import type { ProxyAddress } from '../../../../../src-shared/workspace/upstream-proxy.ts';

const place = { host: 'orders.example', port: 443 };
const proxy: ProxyAddress = {
  scheme: 'http',
  host: 'proxy.corp',
  port: 3128,
  credentials: { username: 'me', password: 'geheim' },
};
const direct = { ...place, proxy: null };
const byProxy = { host: proxy.host, port: proxy.port, proxy };

function failed(code: string, address?: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`connect ${code}`), { code, ...(address !== undefined && { address }) });
}

describe('a connection that was not made', () => {
  it.each([
    ['ECONNREFUSED', 'upstream-refused', 'upstream-proxy-unreachable'],
    ['ENOTFOUND', 'upstream-dns-failed', 'upstream-proxy-unreachable'],
    ['EAI_AGAIN', 'upstream-dns-failed', 'upstream-proxy-unreachable'],
    ['ETIMEDOUT', 'upstream-connect-timeout', 'upstream-proxy-timeout'],
    ['EHOSTUNREACH', 'upstream-unreachable', 'upstream-proxy-unreachable'],
  ])('%s is %s, and by a proxy %s', (code, cause, proxyCause) => {
    expect(describeConnectFailure(failed(code), direct)).toMatchObject({ cause, code });
    const told = describeConnectFailure(failed(code), byProxy);
    expect(told).toMatchObject({ cause: proxyCause, code });
    expect(told.message).toContain('http://me@proxy.corp:3128');
    expect(told.message).not.toContain('geheim');
  });

  it('to a name with several addresses tells each of them (RFC 8305)', () => {
    const error = new AggregateError([failed('ECONNREFUSED', '::1'), failed('ETIMEDOUT', '127.0.0.1')]);
    const told = describeConnectFailure(Object.assign(error, { code: 'ECONNREFUSED' }), direct);
    expect(told).toMatchObject({ cause: 'upstream-refused', code: 'ECONNREFUSED' });
    expect(told.message).toContain('Tried [::1] (ECONNREFUSED), 127.0.0.1 (ETIMEDOUT).');
  });

  it.each([
    ['dns', 'upstream-dns-failed', 'upstream-proxy-timeout'],
    ['connect', 'upstream-connect-timeout', 'upstream-proxy-timeout'],
    ['tls', 'upstream-connect-timeout', 'upstream-connect-timeout'],
  ] as [Phase, string, string][])(
    'in time, in the phase %s: %s, and by a proxy %s',
    (phase, cause, byProxyCause) => {
      expect(describeTimeout(phase, direct, place, 10_000).cause).toBe(cause);
      const told = describeTimeout(phase, byProxy, place, 10_000);
      expect(told.cause).toBe(byProxyCause);
      expect(told.message).toMatch(/http:\/\/me@proxy\.corp:3128.* within 10 s/);
    },
  );

  it('in time, because the proxy does not say whether it gets there', () => {
    const told = describeTimeout('proxy', byProxy, place, 500);
    expect(told.cause).toBe('upstream-proxy-timeout');
    expect(told.message).toContain('did not say within 0.5 s whether it reaches orders.example:443');
  });
});
