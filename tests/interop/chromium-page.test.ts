// Chromium with Spike as its proxy opens a page of a local HTTPS site: everything that the page needs passes and is seen.
import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { spkiSha256 } from '../../src-main/engine/tls/certificate-authority.ts';
import { startSite } from '../support/https-site.ts';
import type { Site } from '../support/https-site.ts';
import { endRealAgents, eventually, startRealAgent, temporaryDirectory } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { isInstalled, runProgram } from '../support/run-program.ts';

let agent: RealAgent;
let site: Site;
beforeAll(async () => {
  site = await startSite(temporaryDirectory());
  agent = await startRealAgent({ workspace: `version: 1\ntls:\n  trust: [${site.caPath}]\n` });
});
afterAll(async () => {
  await endRealAgents();
  await site[Symbol.asyncDispose]();
});

const open = (spki: string) =>
  runProgram('chromium', [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-dev-shm-usage'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    `--user-data-dir=${temporaryDirectory()}`,
    ...[`--proxy-server=${agent.ready.proxy}`, '--proxy-bypass-list=<-loopback>'],
    `--ignore-certificate-errors-spki-list=${spki}`,
    ...['--virtual-time-budget=10000', '--dump-dom', `${site.origin}/`],
  ]);
const chromium = it.skipIf(!isInstalled('chromium'));
const paths = async () =>
  (await agent.flows(`host:127.0.0.1`))
    .filter(({ http }) => http?.url.startsWith(site.origin))
    .map(({ http }) => `${http?.method} ${new URL(http?.url ?? '').pathname} ${http?.status}`)
    .sort();

chromium('loads a page with a style sheet, a script, an image and the calls of its script', async () => {
  const { ready } = agent;
  const { raw } = new X509Certificate(readFileSync(ready.caPath));
  const { stdout } = await open(spkiSha256({ certificateDer: raw }));
  expect(stdout).toContain('<p id="said">A-1 A-1</p>');
  expect(stdout).toContain('<title>all loaded</title>');
  await eventually(async () =>
    expect(await paths()).toEqual(
      expect.arrayContaining([
        'GET / 200',
        'GET /data.gzip 200',
        'GET /image.png 200',
        'GET /script.js 200',
        'GET /style.css 200',
        'POST /data.br 200',
      ]),
    ),
  );
  const flows = (await agent.flows()).filter(({ http }) => http?.url.startsWith(site.origin));
  expect(flows.every(({ tls, error }) => tls?.intercepted === true && error === null)).toBe(true);
  // Its key share for post-quantum agreement makes the hello larger than a segment.
  for (const { tls } of flows) {
    expect(tls?.hello?.sizeBytes).toBeGreaterThan(1400);
    expect(tls?.hello?.versions).toEqual(['TLSv1.3', 'TLSv1.2']);
    expect(tls?.hello?.alpn).toEqual(['h2', 'http/1.1']);
    expect(tls?.hello?.ja4).toMatch(/^t13i\d{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$/);
  }
  expect(await agent.flows('kind:tls-failure host:127.0.0.1')).toEqual([]);
});

chromium('that trusts another CA shows its own error page, and the flow says why', async () => {
  const { stdout } = await open(Buffer.alloc(32, 1).toString('base64'));
  expect(stdout).not.toContain('id="said"');
  await eventually(async () => {
    const refused = (await agent.flows()).filter(({ kind }) => kind === 'tls-failure');
    expect(refused.map(({ error }) => error?.cause)).toContain('tls-client-distrusts-ca');
  });
});
