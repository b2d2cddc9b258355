import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseProxyUrl, proxyName } from '../../../../src-shared/workspace/upstream-proxy.ts';

function parsed(url: string) {
  const proxy = parseProxyUrl(url);
  if (typeof proxy === 'string') throw new Error(proxy);
  return proxy;
}

describe('the URL of an upstream proxy', () => {
  it.each([
    ['http://proxy.corp:3128', 'http', 'proxy.corp', 3128],
    ['HTTP://Proxy.Corp:3128/', 'http', 'proxy.corp', 3128],
    ['http://proxy', 'http', 'proxy', 80],
    ['https://proxy', 'https', 'proxy', 443],
    ['socks5://10.0.0.1', 'socks5', '10.0.0.1', 1080],
    ['socks5h://[fd00::1]:9050', 'socks5h', 'fd00::1', 9050],
  ])('%s', (url, scheme, host, port) => {
    expect(parsed(url)).toEqual({ scheme, host, port, credentials: null });
  });

  it.each([
    ['http://user:password@proxy:1', 'user', 'password'],
    ['http://user@proxy:1', 'user', ''],
    ['http://DOM%5Cuser:p%40ss@proxy:1', 'DOM\\user', 'p@ss'],
    ['http://user:p@s:s/w#rd?@proxy:1', 'user', 'p@s:s/w#rd?'],
    ['http://user:100%@proxy:1', 'user', '100%'],
    ['http://jörg:grüße@proxy:1', 'jörg', 'grüße'],
  ])('%s has credentials', (url, username, password) => {
    expect(parsed(url)).toMatchObject({ host: 'proxy', credentials: { username, password } });
  });

  it('takes any password as it was encoded', () => {
    const text = fc.string({ maxLength: 40 }).filter((value) => !/[\u0000-\u001f\u007f]/.test(value));
    fc.assert(
      fc.property(text, (password) => {
        const { credentials, host } = parsed(`socks5://me:${encodeURIComponent(password)}@proxy:1`);
        expect([credentials?.password, host]).toEqual([password, 'proxy']);
      }),
    );
  });

  it.each([
    'proxy:3128',
    'ftp://proxy',
    'http://',
    'http://proxy:0',
    'http://proxy:70000',
    'http://proxy/path',
    'http://pro xy',
    `http://${'u'.repeat(256)}:secret@proxy`,
    'http://a%0d%0ab:secret@proxy',
    'http://a%3Ab:secret@proxy',
    'gopher://user:secret@proxy',
  ])('%s is refused, and its password not repeated', (url) => {
    const problem = parseProxyUrl(url);
    expect(problem).toMatch(/^Expected /);
    expect(problem).not.toContain('secret');
  });

  it('is shown without its password', () => {
    expect(proxyName(parsed('https://user:secret@[::1]:8443'))).toBe('https://user@[::1]:8443');
  });
});
