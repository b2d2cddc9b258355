import { describe, expect, it } from 'vitest';
import { SettingError } from '../../../../src-main/engine/setting-error.ts';
import type { Environment } from '../../../../src-main/workspace/environment.ts';
import { parseWorkspace } from '../../../../src-main/workspace/parse-workspace.ts';
import { upstreamProxiesOf } from '../../../../src-main/workspace/upstream-proxies.ts';
import { proxyName } from '../../../../src-shared/workspace/upstream-proxy.ts';
import type { UpstreamProxies } from '../../../../src-shared/workspace/upstream-proxy.ts';

function parse(lines: string, environment: Environment = {}) {
  return parseWorkspace(`version: 1\n${lines}\n`, environment);
}

/** `line:column sentence` */
function refusal(lines: string, environment: Environment = {}): string {
  const result = parse(lines, environment);
  if (result.ok) throw new Error('was not refused');
  return `${result.defect.line}:${result.defect.column} ${result.defect.sentence}`;
}

function proxiesOf(lines: string, environment: Environment = {}): UpstreamProxies | null {
  const result = parse(lines, environment);
  if (!result.ok) throw new Error(result.defect.sentence);
  return upstreamProxiesOf(result.parsed.workspace.upstreamProxy, environment);
}

const names = (proxies: UpstreamProxies | null) => ({
  http: proxies?.http ? proxyName(proxies.http) : null,
  https: proxies?.https ? proxyName(proxies.https) : null,
});

describe('upstreamProxy', () => {
  it('is none where none is set', () => {
    expect(proxiesOf('', { HTTP_PROXY: 'http://other:1' })).toBeNull();
  });

  it('is a URL alone, or a mapping; its password may come from the environment, whatever is in it', () => {
    expect(names(proxiesOf('upstreamProxy: socks5://proxy:1'))).toEqual({
      http: 'socks5://proxy:1',
      https: 'socks5://proxy:1',
    });
    const lines = 'upstreamProxy:\n  url: http://me:${PW}@proxy:1\n  noProxy: ["*.internal", 10.0.0.0/8]';
    const proxies = proxiesOf(lines, { PW: '12#4/ @:x' });
    expect(proxies?.http?.credentials?.password).toBe('12#4/ @:x');
    expect(proxies).toMatchObject({ noProxy: ['*.internal', '10.0.0.0/8'], includeLoopback: false });
  });

  it.each([
    ['upstreamProxy: proxy:3128', '2:16 Expected a proxy as http://'],
    ['upstreamProxy:\n  url: http://me:geheim@pro xy', '3:8 Expected a proxy as http://'],
    ['upstreamProxy:\n  noProxy: []', '3:3 Expected "url" here: a text. It is missing.'],
    ['upstreamProxy:\n  url: env\n  noProxy: [a, 10.0.0.0/33]', '4:16 Expected a network such as 10.0.0.0/8'],
    ['upstreamProxy:\n  url: env\n  noproxy: []', '4:3 "noproxy" is not known here. Did you mean "noProxy"?'],
    ['upstreamProxy: 5', '2:16 Expected a mapping'],
  ])('%j is refused at its place', (lines, words) => {
    const told = refusal(lines);
    expect(told).toContain(words);
    expect(told).not.toContain('geheim');
  });

  it('env: reads the variables as curl does', () => {
    const of = (environment: Environment) => names(proxiesOf('upstreamProxy: env', environment));
    expect(of({})).toEqual({ http: null, https: null });
    expect(of({ HTTP_PROXY: 'http://a:1' })).toEqual({ http: 'http://a:1', https: null });
    expect(of({ HTTP_PROXY: 'http://a:1', http_proxy: 'b:2', HTTPS_PROXY: '' })).toEqual({
      http: 'http://b:2',
      https: null,
    });
    expect(of({ ALL_PROXY: 'socks5h://c:3', https_proxy: 'https://d:4' })).toEqual({
      http: 'socks5h://c:3',
      https: 'https://d:4',
    });
  });

  it('env: adds NO_PROXY to its own list, but for what only other programs know', () => {
    const environment = { HTTP_PROXY: 'a:1', NO_PROXY: 'localhost, .corp 10.0.0.0/8,what?ever/x,' };
    const proxies = proxiesOf('upstreamProxy: { url: env, noProxy: [db] }', environment);
    expect(proxies?.noProxy).toEqual(['db', 'localhost', '.corp', '10.0.0.0/8']);
  });

  it('env: a variable that is wrong is named, with the place of the setting', () => {
    const environment = { HTTPS_PROXY: 'ftp://me:geheim@x' };
    try {
      proxiesOf('upstreamProxy: env', environment);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      expect(error.path).toEqual(['upstreamProxy']);
      expect(error.message).toContain('HTTPS_PROXY');
      expect(error.message).not.toContain('geheim');
    }
  });
});

describe('tls.clientCertificates', () => {
  const entry = (text: string): string => `tls:\n  clientCertificates:\n    - ${text}`;

  it.each([
    '{ host: "*.bank.example", cert: a.pem, key: a.key, passphrase: "${PW}" }',
    '{ host: "api.example:8443", pkcs12: a.p12 }',
    '{ host: "[::1]:443", cert: both.pem }',
    '{ host: "10.0.0.?", cert: both.pem }',
  ])('%s is one', (text) => {
    expect(parse(entry(text), { PW: '0123' }).ok).toBe(true);
  });

  it.each([
    ['{ host: a }', '4:7 Expected "cert" and "key" (PEM files), or "pkcs12".'],
    ['{ host: a, key: b }', '4:7 Expected "cert" and "key" (PEM files), or "pkcs12".'],
    ['{ host: a, cert: b, pkcs12: c }', '4:7 Expected either "pkcs12", or "cert" and "key".'],
    ['{ cert: b }', '4:7 Expected "host" here'],
    ['{ host: "https://a/", cert: b }', '4:15 Expected a host or a glob'],
    [
      '{ host: a, pkcs12: b, passphrase: 0123 }',
      '4:41 Expected a text; one that looks like a number stands in quotes',
    ],
    ['{ host: a, cert: c, pfx: b }', '4:27 "pfx" is not known here'],
  ])('%s is refused at its place', (text, words) => {
    expect(refusal(entry(text))).toContain(words);
  });
});
