import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import type { LeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { makeAuthority, testAuthority } from '../support/data-plane-harness.ts';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { runProgram } from '../support/run-program.ts';

const scene = useScene();
let directory: string;
let siteCaFile: string;
let spikeCaFile: string;
let siteCaPem: string;
let sites: LeafIssuer;

beforeAll(async () => {
  const siteCa = await makeAuthority();
  siteCaPem = siteCa.certificatePem;
  sites = createLeafIssuer({ ca: siteCa, now: () => Date.now() });
  directory = await mkdtemp(join(tmpdir(), 'spike-passthrough-test-'));
  siteCaFile = join(directory, 'site.pem');
  spikeCaFile = join(directory, 'spike.pem');
  await writeFile(siteCaFile, siteCaPem);
  await writeFile(spikeCaFile, (await testAuthority()).certificatePem);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A site that clients with the site's CA trust; automatic pass-through is on. */
async function siteUrl(): Promise<string> {
  await scene.spike.configure({ tls: { extraRootsPem: [siteCaPem], autoPassthrough: true } });
  const leaf = sites.issue('localhost');
  if (leaf === null) throw new Error('localhost can be certified');
  const site = await scene.peers.https({ key: sites.privateKeyPem, cert: leaf.chainPem }, (_, response) =>
    response.end('from the site'),
  );
  return `https://localhost:${site.port}/`;
}

function curl(url: string, caFile: string, user = 'checkout') {
  return runProgram('curl', curlArgs(scene.spike, '--proxy-user', `${user}:`, '--cacert', caFile, url));
}

/** CONNECT and TLS by Node, which verifies when the handshake is over and hangs up without an alert. */
async function nodeHandshake(url: string, ca: string): Promise<string | null> {
  const { host } = new URL(url);
  const client = await scene.peers.connect(scene.spike.proxyPort);
  client.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await client.see('\r\n\r\n');
  client.socket.removeAllListeners('data');
  const secure = connectTls({ socket: client.socket, servername: 'localhost', ca });
  scene.peers.also(() => void secure.destroy());
  const refused = new Promise<string>((resolve) =>
    secure.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)),
  );
  const accepted = once(secure, 'secureConnect').then(() => null);
  accepted.catch(() => undefined); // The refusal is what is waited for then.
  return await Promise.race([refused, accepted]);
}

const isRemembered = () => scene.spike.distrust.list().length > 0;

describe('a client that says that it does not trust the certificate', () => {
  it('fails once, and is passed through to that name from then on', async () => {
    const url = await siteUrl();
    expect((await curl(url, siteCaFile)).exitCode).toBe(60);
    const { flow: failed } = await scene.spike.flow();
    expect(failed).toMatchObject({ kind: 'tls-failure', error: { cause: 'tls-client-distrusts-ca' } });
    expect(failed.error?.message).toContain('tls.autoPassthrough');
    await scene.spike.until(isRemembered);
    // With the site's own certificate, which is all that this client trusts.
    expect((await curl(url, siteCaFile)).stdout).toBe('from the site');
    const { flow } = await scene.spike.flow(({ kind }) => kind === 'tcp');
    expect(flow.tls).toMatchObject({ intercepted: false, sni: 'localhost' });
    expect(flow.tls?.note).toMatch(
      /^Passed through: .+ does not trust Spike's CA \(unknown_ca, at \d\d:\d\d:\d\d UTC\)\.$/,
    );
    expect(flow.tls?.hello?.ja4).toMatch(/^t13d\d{4}(h2|h1)_[0-9a-f]{12}_[0-9a-f]{12}$/);
    expect(flow.tls?.hello?.ja4).toBe(failed.tls?.hello?.ja4);
    expect(flow.tls?.hello?.versions).toContain('TLSv1.3');
  });

  it('is no reason to leave another client alone', async () => {
    const url = await siteUrl();
    await curl(url, siteCaFile, 'checkout');
    await scene.spike.until(isRemembered);
    expect((await curl(url, spikeCaFile, 'orders')).stdout).toBe('from the site');
    const { flow } = await scene.spike.flow(({ kind }) => kind === 'http');
    expect(flow.tls).toMatchObject({ intercepted: true, note: null });
  });

  it('is shown the certificate again when it is forgotten', async () => {
    const url = await siteUrl();
    await curl(url, siteCaFile);
    await scene.spike.until(isRemembered);
    const [entry] = scene.spike.distrust.list();
    expect(entry).toMatchObject({ name: 'localhost', reason: 'unknown_ca' });
    expect(scene.spike.distrust.forget(entry?.id ?? '')).toBe(true);
    await scene.spike.configure({});
    expect((await curl(url, spikeCaFile)).stdout).toBe('from the site');
    expect((await scene.spike.flow(({ kind }) => kind === 'http')).flow.tls?.intercepted).toBe(true);
  });

  it('fails every time where it is not wanted otherwise', async () => {
    const url = await siteUrl();
    await scene.spike.configure({ tls: { extraRootsPem: [siteCaPem], autoPassthrough: false } });
    expect((await curl(url, siteCaFile)).exitCode).toBe(60);
    expect((await curl(url, siteCaFile)).exitCode).toBe(60);
    const flows = await scene.spike.flows(2, ({ kind }) => kind === 'tls-failure');
    expect(flows[0]?.flow.error?.message).not.toContain('tls.autoPassthrough');
    expect(isRemembered()).toBe(false);
  });

  it('is not passed through on a route to plain HTTP, which could not read its TLS', async () => {
    await scene.spike.configure({ tls: { autoPassthrough: true } });
    const origin = await scene.peers.http((_, response) => response.end('plain'));
    await scene.spike.configure({ routes: [routeTo(origin.port)] });
    const url = `https://${scene.spike.address('service')}/`;
    expect((await runProgram('curl', ['-sS', url])).exitCode).toBe(60);
    await scene.spike.flow(({ kind }) => kind === 'tls-failure');
    expect((await runProgram('curl', ['-sS', '--cacert', spikeCaFile, url])).stdout).toBe('plain');
    expect(isRemembered()).toBe(false);
  });

  it('by OpenSSL as well', async () => {
    const url = await siteUrl();
    const { host } = new URL(url);
    const args = [
      's_client', '-proxy', scene.spike.proxy, '-connect', host, '-servername', 'localhost', '-CAfile', siteCaFile,
      '-verify_return_error', '-brief',
    ]; // prettier-ignore
    expect((await runProgram('openssl', args)).exitCode).not.toBe(0);
    await scene.spike.until(isRemembered);
    expect((await runProgram('openssl', args)).stderr).toContain('Verification: OK');
  });
});

describe('a client that hangs up without a word', () => {
  it('is passed through after three times in a row', async () => {
    const url = await siteUrl();
    for (let count = 1; count <= 3; count += 1) {
      expect(await nodeHandshake(url, siteCaPem)).toBe('SELF_SIGNED_CERT_IN_CHAIN');
      await scene.spike.flows(count, ({ kind }) => kind === 'tls-failure');
      expect(isRemembered()).toBe(count === 3);
    }
    expect(await nodeHandshake(url, siteCaPem)).toBe(null);
  });

  it('and has gone on with the certificate before is only one that went away', async () => {
    const url = await siteUrl();
    expect((await curl(url, spikeCaFile, 'node')).stdout).toBe('from the site');
    for (let count = 1; count <= 4; count += 1) {
      const client = await scene.peers.connect(scene.spike.proxyPort);
      const { host } = new URL(url);
      const user = Buffer.from('node:').toString('base64');
      client.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\nProxy-Authorization: Basic ${user}\r\n\r\n`);
      await client.see('\r\n\r\n');
      client.socket.removeAllListeners('data');
      const secure = connectTls({ socket: client.socket, servername: 'localhost', ca: scene.spike.caPem });
      await once(secure, 'secureConnect');
      secure.destroy();
      await scene.spike.flows(count, ({ kind }) => kind === 'tls-failure');
    }
    expect(isRemembered()).toBe(false);
  });
});
