import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import type { LeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { makeAuthority, testAuthority } from '../support/data-plane-harness.ts';
import { curlArgs, useScene } from '../support/data-plane-test.ts';
import { runProgram } from '../support/run-program.ts';

const scene = useScene();
let directory: string;
let caFile: string;
let siteCaPem: string;
let sites: LeafIssuer;
const altSvc = 'h3=":443"; ma=86400';

beforeAll(async () => {
  const siteCa = await makeAuthority();
  siteCaPem = siteCa.certificatePem;
  sites = createLeafIssuer({ ca: siteCa, now: () => Date.now() });
  directory = await mkdtemp(join(tmpdir(), 'spike-alt-svc-test-'));
  caFile = join(directory, 'ca.pem');
  await writeFile(caFile, (await testAuthority()).certificatePem);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A site that says twice where HTTP/3 is to be had. */
async function siteUrl(stripAltSvc: boolean): Promise<string> {
  await scene.spike.configure({ tls: { extraRootsPem: [siteCaPem] }, http: { stripAltSvc } });
  const leaf = sites.issue('localhost');
  const material = { key: sites.privateKeyPem, cert: leaf?.chainPem ?? '' };
  const site = await scene.peers.https(material, (_, response) => {
    response.writeHead(200, ['Alt-Svc', altSvc, 'X-Kept', 'yes', 'alt-svc', 'clear', 'Upgrade-Hint', 'none']);
    response.end('body');
  });
  return `https://localhost:${site.port}/`;
}

async function fieldsSeen(url: string, ...words: string[]): Promise<string> {
  const args = curlArgs(scene.spike, '--cacert', caFile, '-D', '-', '-o', '/dev/null', ...words, url);
  return (await runProgram('curl', args)).stdout.toLowerCase();
}

it.each(['--http1.1', '--http2'])(
  'is kept from a client whose TLS is opened, and shown: %s',
  async (version) => {
    const seen = await fieldsSeen(await siteUrl(true), version);
    expect(seen).not.toContain('alt-svc');
    expect(seen).toContain('x-kept: yes');
    expect(seen).toContain('upgrade-hint: none');
    const { flow } = await scene.spike.flow();
    const captured = flow.http?.responseHeaders.filter(([name]) => name.toLowerCase() === 'alt-svc');
    expect(captured?.map(([, value]) => value)).toEqual([altSvc, 'clear']);
  },
);

it.each(['--http1.1', '--http2'])('passes where the workspace says so: %s', async (version) => {
  expect(await fieldsSeen(await siteUrl(false), version)).toContain(`alt-svc: ${altSvc}`);
});

it('passes over plain HTTP, where nobody follows it', async () => {
  const origin = await scene.peers.http((_, response) => response.setHeader('Alt-Svc', altSvc).end());
  const args = curlArgs(scene.spike, '-i', `http://127.0.0.1:${origin.port}/`);
  expect((await runProgram('curl', args)).stdout).toContain(`Alt-Svc: ${altSvc}`);
});
