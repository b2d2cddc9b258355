import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { makeAuthority, testAuthority } from './data-plane-harness.ts';

/** Both sides of an intercepted call, for all tests of a file. */
export interface TestTrust {
  /** The CA of the data plane under test, for clients. */
  readonly caFile: string;
  /** The CA of sites, which is no other's: for `tls.extraRootsPem`. */
  readonly siteCaPem: string;
  /** Of a site named `localhost`. */
  readonly site: { readonly key: string; readonly cert: string };
}

export function useTrust(): TestTrust {
  const trust = {} as { -readonly [Key in keyof TestTrust]: TestTrust[Key] };
  let directory: string;
  beforeAll(async () => {
    const ca = await makeAuthority();
    const issuer = createLeafIssuer({ ca, now: () => Date.now() });
    const leaf = issuer.issue('localhost');
    if (leaf === null) throw new Error('no certificate');
    trust.siteCaPem = ca.certificatePem;
    trust.site = { key: issuer.privateKeyPem, cert: leaf.chainPem };
    directory = await mkdtemp(join(tmpdir(), 'spike-trust-'));
    trust.caFile = join(directory, 'ca.pem');
    await writeFile(trust.caFile, (await testAuthority()).certificatePem);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return trust;
}
