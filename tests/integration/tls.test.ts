import { once } from 'node:events';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import type { LeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { makeAuthority, testAuthority } from '../support/data-plane-harness.ts';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { RawClient } from '../support/network-peers.ts';
import { callThrough } from '../support/proxy-client.ts';
import { runProgram } from '../support/run-program.ts';

const dayMs = 86_400_000;
let directory: string;
let caFile: string;
let siteCaPem: string;
let sites: LeafIssuer;
const scene = useScene();

beforeAll(async () => {
  const siteCa = await makeAuthority();
  siteCaPem = siteCa.certificatePem;
  sites = createLeafIssuer({ ca: siteCa, now: () => Date.now() });
  directory = await mkdtemp(join(tmpdir(), 'spike-tls-test-'));
  caFile = join(directory, 'ca.pem');
  await writeFile(caFile, (await testAuthority()).certificatePem);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function certificate(issuer: LeafIssuer, name: string): { key: string; cert: string } {
  const leaf = issuer.issue(name);
  if (leaf === null) throw new Error(`no certificate for ${name}`);
  return { key: issuer.privateKeyPem, cert: leaf.chainPem };
}

/** An HTTPS site for localhost that Spike trusts. */
async function trustedSite() {
  await scene.spike.configure({ tls: { extraRootsPem: [siteCaPem] } });
  return await scene.peers.https(certificate(sites, 'localhost'), (asked, response) => {
    response.end(`secret ${asked.url}`);
  });
}

/** CONNECT, then TLS by Node's own client inside. */
async function tlsThrough(target: string, options: object = {}): Promise<TLSSocket> {
  const client = await scene.peers.connect(scene.spike.proxyPort);
  client.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  await client.see('\r\n\r\n');
  client.socket.removeAllListeners('data');
  const secure = connectTls({
    socket: client.socket,
    servername: 'localhost',
    ca: scene.spike.caPem,
    ...options,
  });
  scene.peers.also(() => void secure.destroy());
  return secure;
}

describe('TLS that is opened', () => {
  it('is trusted by curl with the CA, read, and spoken again to the upstream', async () => {
    const site = await trustedSite();
    const url = `https://localhost:${site.port}/x`;
    const args = curlArgs(scene.spike, '--cacert', caFile, '-H', 'Expect:', url, url);
    expect((await runProgram('curl', args)).stdout).toBe('secret /xsecret /x');
    const [first, second] = await scene.spike.flows(2);
    expect(first?.flow).toMatchObject({
      kind: 'http',
      tls: { intercepted: true, sni: 'localhost', alpn: 'h2' },
      http: { url, status: 200, httpVersion: '2' },
    });
    expect(first?.flow.timings.tls).toBeGreaterThan(0);
    expect(second?.flow.upstream?.reused).toBe(true);
    expect(first?.responseBody.toString()).toBe('secret /x');
  });

  it('is opened for a client that wants HTTP/1.0 alone', async () => {
    const site = await trustedSite();
    const url = `https://localhost:${site.port}/x`;
    const { stdout } = await runProgram('curl', curlArgs(scene.spike, '-0', '--cacert', caFile, url));
    expect(stdout).toBe('secret /x');
    expect((await scene.spike.flow()).flow).toMatchObject({
      kind: 'http',
      tls: { intercepted: true, alpn: 'http/1.0' },
      http: { url, status: 200, httpVersion: '1.0' },
    });
  });

  it('shows openssl a leaf for the name that it asks for', async () => {
    const site = await trustedSite();
    const { exitCode, stderr } = await runProgram('openssl', [
      's_client', '-proxy', scene.spike.proxy, '-connect', `localhost:${site.port}`, '-servername', 'other.test',
      '-CAfile', caFile, '-verify_hostname', 'other.test', '-verify_return_error', '-brief',
    ]); // prettier-ignore
    expect(stderr).toContain('Verification: OK');
    expect(exitCode).toBe(0);
  });

  it('is opened on a route to https, and plain HTTP on it becomes TLS', async () => {
    const site = await trustedSite();
    await scene.spike.configure({
      routes: [{ name: 'site', listen: '127.0.0.1:0', upstream: `https://localhost:${site.port}` }],
    });
    const address = scene.spike.address('site');
    expect((await runProgram('curl', ['-sS', `http://${address}/plain`])).stdout).toBe('secret /plain');
    const secure = ['-sS', '--cacert', caFile, `https://${address}/tls`];
    expect((await runProgram('curl', secure)).stdout).toBe('secret /tls');
  });

  it('takes a change of trust at once, also for connections that are kept', async () => {
    const site = await trustedSite();
    await scene.spike.configure({
      routes: [{ name: 'site', listen: '127.0.0.1:0', upstream: `https://localhost:${site.port}` }],
    });
    const url = `http://${scene.spike.address('site')}/`;
    expect((await runProgram('curl', ['-sS', url])).stdout).toBe('secret /');
    await scene.spike.configure({ tls: { extraRootsPem: [] } });
    expect((await runProgram('curl', ['-sS', url])).stdout).toContain('Spike: localhost:');
    await scene.spike.configure({ tls: { extraRootsPem: [siteCaPem] } });
    expect((await runProgram('curl', ['-sS', url])).stdout).toBe('secret /');
  });

  it.each(['start', 'before-head', 'mid-body'] as const)(
    'is reset by a rule with a real RST: %s',
    async (at) => {
      const site = await trustedSite();
      await scene.spike.configure({ rules: [{ name: 'cut', faults: [{ type: 'reset', at }] }] });
      const secure = await tlsThrough(`localhost:${site.port}`);
      const client = new RawClient(secure);
      client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      expect(await client.toClose()).toBe('ECONNRESET');
      expect((await scene.spike.flow()).flow.error?.cause).toBe('fault-reset');
      const args = ['--http1.1', '--cacert', caFile, `https://localhost:${site.port}/`];
      expect([35, 56]).toContain((await runProgram('curl', curlArgs(scene.spike, ...args))).exitCode);
    },
  );

  it('from a client whose hello comes byte by byte', async () => {
    const site = await trustedSite();
    const relay = await scene.peers.tcp((socket) => {
      const spike = connectTcp({ port: scene.spike.proxyPort, host: '127.0.0.1', noDelay: true });
      spike.pipe(socket);
      spike.on('error', () => socket.destroy());
      socket.on('close', () => spike.destroy());
      // Each byte is a read of its own for Spike, as far as the system lets it be one.
      const bytes: number[] = [];
      const next = (): void => {
        const byte = bytes.shift();
        if (byte === undefined) return;
        spike.write(Buffer.of(byte), () => setImmediate(next));
      };
      socket.on('data', (chunk) => {
        const isIdle = bytes.length === 0;
        bytes.push(...chunk);
        if (isIdle) next();
      });
    });
    const args = ['-sS', '-m', '20', '-x', `http://127.0.0.1:${relay.port}`, '--cacert', caFile];
    const url = `https://localhost:${site.port}/slow`;
    expect((await runProgram('curl', [...args, url])).stdout).toBe('secret /slow');
    expect((await scene.spike.flow()).flow.tls).toMatchObject({ intercepted: true, sni: 'localhost' });
  });

  it('carries WebSocket messages', async () => {
    const site = await trustedSite();
    const sockets = new WebSocketServer({ server: site });
    sockets.on('connection', (socket) =>
      socket.on('message', (data) => socket.send(`echo ${data.toString()}`)),
    );
    const secure = await tlsThrough(`localhost:${site.port}`);
    await once(secure, 'secureConnect');
    const client = new WebSocket(`wss://localhost:${site.port}/`, {
      createConnection: () => secure,
    } as object);
    const said = new Promise((resolve) => client.on('message', (data: Buffer) => resolve(data.toString())));
    client.on('open', () => client.send('hi'));
    expect(await said).toBe('echo hi');
    client.close();
    await once(client, 'close');
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'websocket', tls: { intercepted: true } });
  });

  it('lets a server speak first inside TLS', async () => {
    await scene.spike.configure({ tls: { extraRootsPem: [siteCaPem] } });
    const server = createTlsServer(certificate(sites, 'localhost'), (socket) => {
      socket.on('error', () => undefined); // The test ends when it has seen the banner.
      socket.write('220 mail over TLS\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const open = new Set<{ destroy(): void }>();
    server.on('connection', (socket) => open.add(socket));
    scene.peers.also(() => {
      for (const socket of open) socket.destroy();
      server.close();
    });
    const { port } = server.address() as { port: number };
    const secure = await tlsThrough(`localhost:${port}`);
    const [banner] = (await once(secure, 'data')) as [Buffer];
    expect(banner.toString()).toBe('220 mail over TLS\r\n');
  });
});

describe('an upstream whose certificate does not do', () => {
  const old = Date.now() - 4000 * dayMs;
  const cases: [string, string, () => Promise<{ tls: { key: string; cert: string }; roots: string[] }>][] = [
    [
      'wrong name',
      'tls-wrong-name',
      async () => ({ tls: certificate(sites, 'other.test'), roots: [siteCaPem] }),
    ],
    [
      'unknown issuer',
      'tls-untrusted-issuer',
      async () => ({ tls: certificate(sites, 'localhost'), roots: [] }),
    ],
    [
      'expired',
      'tls-expired',
      async () => {
        const ca = await makeAuthority(old);
        const issuer = createLeafIssuer({ ca, now: () => old });
        return { tls: certificate(issuer, 'localhost'), roots: [ca.certificatePem] };
      },
    ],
    ['self-signed', 'tls-self-signed', async () => ({ tls: await selfSigned(), roots: [] })],
  ];

  async function selfSigned() {
    const key = join(directory, 'self-key.pem');
    const cert = join(directory, 'self.pem');
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    await runProgram('openssl', [...args, '-subj', '/CN=localhost', '-keyout', key, '-out', cert]);
    const { readFile } = await import('node:fs/promises');
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  }

  it.each(cases)('is told: %s', async (_, cause, make) => {
    const { tls, roots } = await make();
    await scene.spike.configure({ tls: { extraRootsPem: roots } });
    const site = await scene.peers.https(tls, (_asked, response) => response.end('never'));
    const answer = await callThrough(scene.spike.proxy, `https://localhost:${site.port}/`);
    expect(answer).toMatchObject({ status: 502, headers: { 'spike-error': cause } });
    expect(answer.body).toContain(`localhost:${site.port}`);
    expect((await scene.spike.flow()).flow.error?.cause).toBe(cause);
  });

  it('is told: no TLS at all', async () => {
    const site = await scene.peers.http((_, response) => response.end('plain'));
    const answer = await callThrough(scene.spike.proxy, `https://localhost:${site.port}/`);
    expect(answer.headers['spike-error']).toBe('tls-not-tls');
  });
});

describe('a client that does not go along', () => {
  it('and rejects the CA shows as a TLS failure', async () => {
    const site = await trustedSite();
    const { exitCode } = await runProgram('curl', curlArgs(scene.spike, `https://localhost:${site.port}/`));
    expect(exitCode).toBe(60);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'tls-failure', error: { cause: 'tls-client-distrusts-ca' } });
    const call = request({ port: 1, createConnection: () => secure as never, path: '/' });
    call.on('error', () => undefined); // Refused on purpose.
    const secure = await tlsThrough(`localhost:${site.port}`, { ca: [] });
    secure.on('error', () => undefined); // Refused on purpose.
    const [, second] = await scene.spike.flows(2);
    expect(second?.flow.kind).toBe('tls-failure');
    call.destroy();
  });

  it('by its name passes through, unopened', async () => {
    const site = await trustedSite();
    await scene.spike.configure({ tls: { extraRootsPem: [], passthrough: ['local*'] } });
    const siteCaFile = join(directory, 'site.pem');
    await writeFile(siteCaFile, siteCaPem);
    const args = curlArgs(scene.spike, '--cacert', siteCaFile, `https://localhost:${site.port}/y`);
    expect((await runProgram('curl', args)).stdout).toBe('secret /y');
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'tcp', http: null, tls: { intercepted: false, sni: 'localhost' } });
  });

  it('because it wants only what Spike does not read passes through', async () => {
    const server = createTlsServer({ ...certificate(sites, 'localhost'), ALPNProtocols: ['smtp'] });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    scene.peers.also(() => void server.close());
    const { port } = server.address() as { port: number };
    const secure = await tlsThrough(`localhost:${port}`, { ca: siteCaPem, ALPNProtocols: ['smtp'] });
    await once(secure, 'secureConnect');
    expect(secure.alpnProtocol).toBe('smtp');
    secure.destroy();
    expect((await scene.spike.flow()).flow).toMatchObject({
      kind: 'tcp',
      tls: { intercepted: false, alpn: 'smtp' },
    });
  });

  it('and speaks nonsense inside TLS to a route is refused', async () => {
    const site = await trustedSite();
    await scene.spike.configure({ routes: [routeTo(site.port, 'https', 'site')] });
    const secure = connectTls({
      port: scene.spike.port('site'),
      servername: 'localhost',
      ca: scene.spike.caPem,
    });
    const client = new RawClient(secure);
    client.write('\x00nonsense\r\n\r\n');
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 400 /);
    expect((await scene.spike.flow()).flow.kind).toBe('refused');
  });
});
