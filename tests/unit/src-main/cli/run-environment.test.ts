import { describe, expect, test } from 'vitest';
import { runEnvironment } from '../../../../src-main/cli/run-environment.ts';
import type { RunEnvironmentOptions } from '../../../../src-main/cli/run-environment.ts';

const options: RunEnvironmentOptions = {
  proxyAddress: '127.0.0.1:7070',
  service: 'orders',
  caPath: '/h/ca.pem',
  bundlePath: '/h/bundle.pem',
  javaTrustStorePath: '/h/trust.p12',
  javaTrustStorePassword: 'changeit',
  nodeHookPath: null,
  base: {},
  platform: 'linux',
};
const environment = (change: Partial<RunEnvironmentOptions> = {}) =>
  runEnvironment({ ...options, ...change });

test('the whole of it', () => {
  const proxy = 'http://orders:x@127.0.0.1:7070';
  expect(environment().set).toEqual({
    SPIKE_SERVICE: 'orders',
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    ALL_PROXY: proxy,
    all_proxy: proxy,
    grpc_proxy: proxy,
    SSL_CERT_FILE: '/h/bundle.pem',
    REQUESTS_CA_BUNDLE: '/h/bundle.pem',
    CURL_CA_BUNDLE: '/h/bundle.pem',
    GIT_SSL_CAINFO: '/h/bundle.pem',
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: '/h/bundle.pem',
    AWS_CA_BUNDLE: '/h/bundle.pem',
    CARGO_HTTP_CAINFO: '/h/bundle.pem',
    PIP_CERT: '/h/bundle.pem',
    NODE_EXTRA_CA_CERTS: '/h/ca.pem',
    DENO_CERT: '/h/ca.pem',
    NODE_USE_ENV_PROXY: '1',
    JAVA_TOOL_OPTIONS:
      '-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=7070 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=7070 -Dhttp.nonProxyHosts= ' +
      '-Djavax.net.ssl.trustStore=/h/trust.p12 -Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStorePassword=changeit',
  });
});

test.each(['orders', 'my orders', 'a:b@c/d?e#f', 'käse', '%41', "it's (one)*!"])(
  'the name %s comes back from the URL',
  (service) => {
    const url = new URL(environment({ service }).set['http_proxy'] as string);
    expect(decodeURIComponent(url.username)).toBe(service);
    expect([url.password, url.host]).toEqual(['x', '127.0.0.1:7070']);
  },
);

test.each([
  ['0.0.0.0:7070', '127.0.0.1', 'http://orders:x@127.0.0.1:7070'],
  ['[::]:7070', '::1', 'http://orders:x@[::1]:7070'],
  ['[::1]:7070', '::1', 'http://orders:x@[::1]:7070'],
  ['10.0.0.7:1', '10.0.0.7', 'http://orders:x@10.0.0.7:1'],
])('a proxy at %s', (proxyAddress, host, url) => {
  const { set } = environment({ proxyAddress });
  expect(set['https_proxy']).toBe(url);
  expect(set['JAVA_TOOL_OPTIONS']).toContain(`-Dhttps.proxyHost=${host} `);
});

describe('what the user has set', () => {
  test('NO_PROXY loses what would go past Spike, keeps the rest, and both are said', () => {
    const base = { NO_PROXY: 'localhost, 127.0.0.1,::1,corp.example,.svc', no_proxy: '*' };
    const { set, notes } = environment({ base });
    expect(set).toMatchObject({ NO_PROXY: 'corp.example,.svc', no_proxy: '' });
    expect(notes.join('\n')).toMatch(/localhost, 127\.0\.0\.1, ::1, \* taken out/);
    expect(notes.join('\n')).toMatch(/corp\.example, \.svc still go past Spike/);
  });

  test.each(['127.0.0.0/8', '127.0.0.1:8080', '[::1]', '.localhost', 'a.localhost', 'LOCALHOST'])(
    '%s goes past Spike',
    (entry) => {
      expect(environment({ base: { no_proxy: entry } }).set['no_proxy']).toBe('');
    },
  );

  test('is not invented: without NO_PROXY there is none', () => {
    expect(environment().set).not.toHaveProperty('NO_PROXY');
  });

  test('a proxy is replaced, and named without its password', () => {
    const { set, notes } = environment({ base: { https_proxy: 'http://me:secret@corp:3128' } });
    expect(set['https_proxy']).toBe('http://orders:x@127.0.0.1:7070');
    expect(notes.join('\n')).toContain('http://corp:3128');
    expect(notes.join('\n')).not.toContain('secret');
  });

  test('JAVA_TOOL_OPTIONS and NODE_OPTIONS are added to', () => {
    const base = { JAVA_TOOL_OPTIONS: '-Xmx1g', NODE_OPTIONS: '--enable-source-maps' };
    const { set } = environment({ base, nodeHookPath: '/h/hook.cjs' });
    expect(set['JAVA_TOOL_OPTIONS']).toMatch(/^-Xmx1g -Dhttp\.proxyHost=/);
    expect(set['NODE_OPTIONS']).toBe('--enable-source-maps --require=/h/hook.cjs');
  });

  test('NODE_EXTRA_CA_CERTS becomes the bundle, which holds both', () => {
    expect(environment({ base: { NODE_EXTRA_CA_CERTS: '/own.pem' } }).set['NODE_EXTRA_CA_CERTS']).toBe(
      '/h/bundle.pem',
    );
  });

  test('a bundle is replaced, and said', () => {
    expect(environment({ base: { SSL_CERT_FILE: '/own.pem' } }).notes.join('\n')).toContain(
      'SSL_CERT_FILE replaced',
    );
  });
});

test('paths with spaces and quotes are one word', () => {
  const { set } = environment({ nodeHookPath: '/a "b"/hook.cjs', javaTrustStorePath: '/a b/t.p12' });
  expect(set['NODE_OPTIONS']).toBe('--require="/a \\"b\\"/hook.cjs"');
  expect(set['JAVA_TOOL_OPTIONS']).toContain('"-Djavax.net.ssl.trustStore=/a b/t.p12"');
});

test('on Windows each name stands once, and is found in any case', () => {
  const { set, notes } = environment({ platform: 'win32', base: { No_Proxy: 'localhost' } });
  const names = Object.keys(set).map((name) => name.toUpperCase());
  expect(new Set(names).size).toBe(names.length);
  expect(set['NO_PROXY']).toBe('');
  expect(notes.join('\n')).toContain('localhost taken out');
});

test('localhost in Go and Ruby is always said', () => {
  expect(environment().notes.join('\n')).toContain('localhost');
});
