import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src-main/engine/log.ts';
import { SettingError } from '../../src-main/engine/setting-error.ts';
import { readClientCertificates } from '../../src-main/engine/tls/client-certificate-files.ts';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { UpstreamSettings } from '../../src-main/engine/upstream-settings.ts';
import type { ClientCertificateSettings } from '../../src-shared/workspace/client-certificates.ts';
import { testAuthority } from '../support/data-plane-harness.ts';
import { curlArgs, useScene } from '../support/data-plane-test.ts';
import type { Scene } from '../support/data-plane-test.ts';

const run = promisify(execFile);
const passphrase = 'grüße & 12';
let directory = '';

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
}

const self = (key: string[], name: string, days = '30'): void =>
  openssl('req', '-x509', ...key, '-nodes', '-days', days, '-subj', `/O=Corp/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`); // prettier-ignore

/** With OpenSSL: an EC and an RSA certificate, keys with passphrases, PKCS#12 in its modern and its old form. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'spike-client-certificates-'));
  self(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], 'ec');
  self(['-newkey', 'rsa:2048'], 'rsa');
  self(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], 'stranger');
  openssl('pkcs8', '-topk8', '-in', 'ec.key', '-out', 'ec.enc.key', '-passout', `pass:${passphrase}`);
  openssl('rsa', '-in', 'rsa.key', '-traditional', '-aes128', '-passout', `pass:${passphrase}`, '-out', 'rsa.enc.key'); // prettier-ignore
  for (const name of ['ec', 'rsa']) {
    const p12 = ['pkcs12', '-export', '-in', `${name}.pem`, '-inkey', `${name}.key`];
    openssl(...p12, '-out', `${name}.p12`, '-passout', `pass:${passphrase}`);
    openssl(...p12, '-out', `${name}.legacy.p12`, '-legacy', '-passout', 'pass:old');
    openssl(...p12, '-out', `${name}.open.p12`, '-passout', 'pass:');
  }
  writeFileSync(join(directory, 'both.pem'), execFileSync('cat', ['ec.key', 'ec.pem'], { cwd: directory }));
  openssl('x509', '-in', 'ec.pem', '-signkey', 'ec.key', '-days', '-1', '-out', 'expired.pem');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const entries: Record<string, Omit<ClientCertificateSettings, 'host'>> = {
  'PEM, EC': { cert: 'ec.pem', key: 'ec.key' },
  'PEM, RSA': { cert: 'rsa.pem', key: 'rsa.key' },
  'one PEM file with both': { cert: 'both.pem' },
  'an encrypted PKCS#8 key': { cert: 'ec.pem', key: 'ec.enc.key', passphrase },
  'an encrypted traditional key': { cert: 'rsa.pem', key: 'rsa.enc.key', passphrase },
  'PKCS#12, EC': { pkcs12: 'ec.p12', passphrase },
  'PKCS#12, RSA': { pkcs12: 'rsa.p12', passphrase },
  'PKCS#12 of old, EC': { pkcs12: 'ec.legacy.p12', passphrase: 'old' },
  'PKCS#12 of old, RSA': { pkcs12: 'rsa.legacy.p12', passphrase: 'old' },
  'PKCS#12 without a passphrase': { pkcs12: 'rsa.open.p12' },
};

describe('an upstream that asks for a client certificate', () => {
  const scene = useScene();

  /** Takes clients of the two certificates only; answers with who it sees. */
  async function origin(maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<number> {
    const issuer = createLeafIssuer({ ca: await testAuthority(), now: Date.now });
    const leaf = issuer.issue('localhost');
    const ca = ['ec.pem', 'rsa.pem'].map((file) => execFileSync('cat', [file], { cwd: directory }));
    const options = { key: issuer.privateKeyPem, cert: leaf?.chainPem, ca, requestCert: true, maxVersion };
    const server = createServer(options, (request, response) => {
      response.end(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    scene.peers.also(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  }

  /** The server of `openssl s_server`, which asks for a certificate of `ec` and looks at it during the handshake. */
  async function opensslOrigin(version: string): Promise<number> {
    const issuer = createLeafIssuer({ ca: await testAuthority(), now: Date.now });
    writeFileSync(join(directory, 'leaf.pem'), issuer.issue('localhost')?.chainPem ?? '');
    writeFileSync(join(directory, 'leaf.key'), issuer.privateKeyPem);
    const server = ['s_server', '-accept', '127.0.0.1:0', '-www', '-cert', 'leaf.pem', '-key', 'leaf.key'];
    const verify = ['-Verify', '1', '-verify_return_error', '-CAfile', 'ec.pem', version];
    const child = spawn('openssl', [...server, ...verify], { cwd: directory });
    scene.peers.also(async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    });
    let said = '';
    for await (const chunk of child.stdout) {
      said += String(chunk);
      const [, port] = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(said) ?? [];
      if (port === undefined) continue;
      return Number(port);
    }
    throw new Error(`openssl s_server ended: ${said}`);
  }

  async function show(...settings: ClientCertificateSettings[]): Promise<void> {
    const clientCertificates = await readClientCertificates(settings, directory);
    await scene.spike.configure({ tls: { extraRootsPem: [scene.spike.caPem], clientCertificates } });
  }

  async function curl({ spike }: Scene, port: number): Promise<string> {
    const { stdout } = await run(
      'curl',
      curlArgs(spike, '-w', ' %{http_code}', '-k', `https://localhost:${port}/`),
    );
    return stdout;
  }

  it.each(Object.entries(entries))('sees that of %s', async (_what, entry) => {
    const port = await origin();
    await show(
      { host: '*.bank.example', cert: 'stranger.pem', key: 'stranger.key' },
      { host: 'local*', ...entry },
    );
    const file = entry.cert ?? entry.pkcs12 ?? '';
    expect(await curl(scene, port)).toBe(`${/rsa/.test(file) ? 'rsa' : 'ec'} 200`);
    const seen = JSON.stringify(await scene.spike.flow());
    expect(seen).not.toContain('PRIVATE KEY');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'and sees none, is told with the setting to make (%s)',
    async (version) => {
      const port = await origin(version);
      await show();
      const answer = await curl(scene, port);
      expect(answer).toMatch(/tls\.clientCertificates in spike\.yaml.* 502$/s);
      const { flow } = await scene.spike.flow();
      expect(flow.error?.cause).toMatch(/^(tls-|upstream-(closed-early|reset))/);
    },
  );

  it.each([
    ['none', null, '-tls1_3', 'tls-client-certificate-required'],
    // The alert of TLS 1.2 does not say more.
    ['none', null, '-tls1_2', 'tls-handshake-failed'],
    ['one that it does not know', 'stranger', '-tls1_2', 'tls-client-certificate-refused'],
    ['one that it does not know', 'stranger', '-tls1_3', 'tls-client-certificate-refused'],
  ] as const)(
    'of OpenSSL, and sees %s, is told by its alert (%s, %s)',
    async (_what, shown, version, cause) => {
      const port = await opensslOrigin(version);
      await show(...(shown === null ? [] : [{ host: '*', cert: `${shown}.pem`, key: `${shown}.key` }]));
      expect(await curl(scene, port)).toMatch(/ 502$/);
      const { flow } = await scene.spike.flow();
      expect([flow.error?.cause, flow.error?.message]).toEqual([
        cause,
        expect.stringContaining('tls.clientCertificates'),
      ]);
    },
  );

  it('follows the settings: host and port, the first that fits, for the very next call', async () => {
    const port = await origin();
    const ec = { host: `localhost:${port}`, ...entries['PEM, EC'] };
    await show({ host: 'localhost:1', ...entries['PEM, RSA'] }, ec, { host: '*', ...entries['PEM, RSA'] });
    expect(await curl(scene, port)).toBe('ec 200');
    await show({ host: '*', ...entries['PEM, RSA'] }, ec);
    expect(await curl(scene, port)).toBe('rsa 200');
  });
});

describe('files of client certificates', () => {
  const refusal = async (entry: Omit<ClientCertificateSettings, 'host'>): Promise<string> => {
    const good = { host: 'a', cert: 'ec.pem', key: 'ec.key' };
    const failure = await readClientCertificates([good, { host: 'b', ...entry }], directory).then(
      () => null,
      (error: unknown) => error,
    );
    if (!(failure instanceof SettingError)) throw new Error(`not refused: ${String(failure)}`);
    expect(failure.path.slice(0, 3)).toEqual(['tls', 'clientCertificates', 1]);
    return `${failure.path.at(-1)}: ${failure.message}`;
  };

  it.each([
    [{ cert: 'none.pem', key: 'ec.key' }, /^cert: .*none\.pem cannot be read \(ENOENT\)/],
    [{ cert: 'ec.pem', key: 'none.key' }, /^key: .*none\.key cannot be read \(ENOENT\)/],
    [{ pkcs12: '.' }, /^pkcs12: .*cannot be read \(EISDIR\)/],
    [{ cert: 'ec.key', key: 'ec.key' }, /^cert: ec\.key holds no usable certificate/],
    [{ cert: 'ec.pem' }, /^cert: ec\.pem holds no private key in PEM\. Give its file as "key"/],
    [{ cert: 'ec.pem', key: 'ec.pem' }, /^key: ec\.pem holds no private key/],
    [
      { cert: 'ec.pem', key: 'rsa.key' },
      /^key: The private key in rsa\.key does not belong to the certificate in ec\.pem/,
    ],
    [
      { cert: 'ec.pem', key: 'ec.enc.key' },
      /^key: The private key in ec\.enc\.key is encrypted\. Give its "passphrase"/,
    ],
    [{ cert: 'ec.pem', key: 'ec.enc.key', passphrase: 'x' }, /^passphrase: The passphrase does not open/],
    [{ cert: 'rsa.pem', key: 'rsa.enc.key', passphrase: 'x' }, /^passphrase: The passphrase does not open/],
    [{ pkcs12: 'ec.p12', passphrase: 'x' }, /^passphrase: The passphrase does not open ec\.p12/],
    [{ pkcs12: 'ec.legacy.p12', passphrase: 'x' }, /^passphrase: The passphrase does not open/],
    [{ pkcs12: 'ec.p12' }, /^pkcs12: ec\.p12 is protected\. Give its "passphrase"/],
    [{ pkcs12: 'ec.pem' }, /^pkcs12: ec\.pem is not a PKCS#12 file/],
  ])('%j are refused in words that name the file and the setting', async (entry, words) => {
    expect(await refusal(entry)).toMatch(words);
  });

  it('cut short anywhere are refused, never misread', async () => {
    const whole = execFileSync('cat', ['ec.p12'], { cwd: directory });
    for (let length = 0; length < whole.length; length += 97) {
      writeFileSync(join(directory, 'cut.p12'), whole.subarray(0, length));
      expect(await refusal({ pkcs12: 'cut.p12', passphrase })).toMatch(/^(pkcs12|passphrase): /);
    }
  });

  it('that have expired are used, with a warning', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_facts: unknown, message: string) => void warnings.push(message) };
    const settings = { host: 'a', cert: 'expired.pem', key: 'ec.key' };
    const tls = { trust: [], clientCertificates: [settings] };
    const read = await UpstreamSettings.read(
      { tls, upstreamProxies: null, baseDirectory: directory },
      [],
      Date.now() + 86_400_000 * 2,
      log as typeof silentLog,
    );
    expect(warnings.join()).toMatch(/client certificate for a has expired/);
    const [shown] = read.status(Date.now() + 86_400_000 * 2).clientCertificates;
    expect(shown).toMatchObject({
      host: 'a',
      expired: true,
      subject: expect.stringContaining('CN=ec') as string,
    });
    expect(JSON.stringify(read.status(0))).not.toContain('PRIVATE');
  });

  it('are those of the folder of the workspace file', async () => {
    copyFileSync(join(directory, 'both.pem'), join(directory, 'moved.pem'));
    const [read] = await readClientCertificates([{ host: 'a', cert: 'moved.pem' }], directory);
    expect(read?.subject).toContain('CN=ec');
  });
});
