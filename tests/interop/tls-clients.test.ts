// Leaf certificates and trust files before verifiers that are not ours. Each case also shows a refusal, so that a client which
// verifies nothing cannot pass.
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { writeTrustBundle } from '../../src-main/engine/tls/ca-bundle.ts';
import type { TrustBundle } from '../../src-main/engine/tls/ca-bundle.ts';
import {
  loadOrCreateCertificateAuthority,
  spkiSha256,
} from '../../src-main/engine/tls/certificate-authority.ts';
import type { CaKeyType, CertificateAuthority } from '../../src-main/engine/tls/certificate-authority.ts';
import { describeClientTlsFailure } from '../../src-main/engine/tls/client-tls-failure.ts';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import type { LeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { ANSWER, startSniffingServer } from './tls-sniffing-server.ts';

const NAME = 'orders.internal';
const LONG_NAME = `${'a'.repeat(60)}.under_score.internal`;
const log = { info() {}, warn() {} };

let home: string;
let ca: CertificateAuthority;
let issuer: LeafIssuer;
let bundle: TrustBundle;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'spike-interop-'));
  ca = await loadOrCreateCertificateAuthority({ directory: join(home, 'ca'), now: Date.now, log });
  issuer = createLeafIssuer({ ca, now: Date.now });
  bundle = await writeTrustBundle({ directory: join(home, 'trust'), ca });
});
afterAll(() => rm(home, { recursive: true, force: true }));

type Ended = { exitCode: number | string; stdout: string; output: string };

/** Proxies of the environment are not what is tested here. */
function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/_proxy$|^(?:SSL|CURL|REQUESTS)_/i.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

function run(program: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: environment(env), timeout: 25_000, maxBuffer: 2 ** 24 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ exitCode: error?.code ?? (error ? 'killed' : 0), stdout, output: stdout + stderr });
    });
    child.stdin?.end();
  });
}

const has = (program: string): boolean =>
  spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined;

/** Runs where the program is there; elsewhere it is a skip that says why. */
function withProgram(program: string, name: string, body: (context: TestContext) => Promise<void>): void {
  test(name, async (context) => {
    if (!has(program)) skip(context, `${program} is not installed`);
    await body(context);
  });
}

/** Printed as well, since a reporter may show no more than a number. */
function skip(context: TestContext, reason: string): never {
  console.info(`skipped: ${context.task.name}: ${reason}`);
  return context.skip(reason);
}

async function hasIpv6(): Promise<boolean> {
  const server = createServer();
  server.listen(0, '::1');
  const [outcome] = await Promise.race([
    once(server, 'listening').then(() => [true]),
    once(server, 'error').then(() => [false]),
  ]);
  server.close();
  return outcome === true;
}

describe('openssl', () => {
  const verify = (file: string, ...args: string[]) =>
    run('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca.path, ...args, file]);

  withProgram('openssl', 'verify, strictly, accepts names and addresses, and refuses others', async () => {
    const cases: [string, string, string][] = [
      [NAME, '-verify_hostname', 'else.internal'],
      [LONG_NAME, '-verify_hostname', 'else.internal'],
      ['127.0.0.1', '-verify_ip', '127.0.0.2'],
      ['2001:db8::1', '-verify_ip', '2001:db8::2'],
    ];
    for (const [name, option, wrong] of cases) {
      const file = join(home, 'leaf.pem');
      await writeFile(file, issuer.issue(name)?.certificatePem ?? '');
      expect(await verify(file, option, name), name).toMatchObject({ exitCode: 0 });
      expect((await verify(file, option, wrong)).exitCode, wrong).not.toBe(0);
    }
    const self = await run('openssl', ['verify', '-x509_strict', '-CAfile', ca.path, ca.path]);
    expect(self.exitCode).toBe(0);
  });

  withProgram('openssl', 'verify refuses a leaf of another CA of the same name', async () => {
    const directory = join(home, 'other');
    const other = await loadOrCreateCertificateAuthority({ directory, now: Date.now, log });
    const file = join(home, 'foreign.pem');
    await writeFile(file, createLeafIssuer({ ca: other, now: Date.now }).issue(NAME)?.certificatePem ?? '');
    expect((await verify(file)).output).toMatch(/unable to get local issuer|signature failure/);
  });

  withProgram('openssl', 'x509 shows the parts that RFC 5280 asks for', async () => {
    const file = join(home, 'leaf.pem');
    await writeFile(file, issuer.issue(NAME)?.certificatePem ?? '');
    const leaf = (await run('openssl', ['x509', '-noout', '-text', '-in', file])).stdout;
    expect(leaf).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE/);
    expect(leaf).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\n/);
    expect(leaf).toMatch(/X509v3 Extended Key Usage:\s+TLS Web Server Authentication/);
    const authority = (await run('openssl', ['x509', '-noout', '-text', '-in', ca.path])).stdout;
    expect(authority).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(authority).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign/);
    const keyId = (text: string, label: string) =>
      new RegExp(`X509v3 ${label} Key Identifier:\\s+([0-9A-F:]+)`).exec(text)?.[1];
    expect(keyId(leaf, 'Authority')).toBe(keyId(authority, 'Subject'));
    expect(keyId(leaf, 'Authority')).toMatch(/^[0-9A-F:]{59}$/);
  });

  withProgram('openssl', 's_client in TLS 1.2 and 1.3, and refused for a wrong name', async () => {
    await using server = await startSniffingServer(issuer);
    await using wrong = await startSniffingServer(issuer, { certifyAs: 'else.internal' });
    const connect = (port: number, version: string) =>
      run('openssl', [
        ...['s_client', version, '-connect', `127.0.0.1:${port}`, '-servername', NAME],
        ...['-CAfile', ca.path, '-verify_return_error', '-verify_hostname', NAME],
      ]);
    for (const version of ['-tls1_2', '-tls1_3']) {
      expect((await connect(server.port, version)).output).toContain('Verify return code: 0 (ok)');
      expect((await connect(wrong.port, version)).output).toContain('hostname mismatch');
    }
    expect(server.hellos.map(({ supportedVersions }) => supportedVersions.includes(0x0304))).toEqual([
      false,
      true,
    ]);
  });

  withProgram('openssl', 'pkcs12 reads the Java trust store, and its MAC', async () => {
    const args = ['pkcs12', '-in', bundle.javaTrustStorePath, '-nokeys', '-passin'];
    const read = await run('openssl', [...args, `pass:${bundle.javaTrustStorePassword}`]);
    expect(read.stdout.match(/BEGIN CERTIFICATE/g)).toHaveLength(bundle.certificateCount);
    expect((await run('openssl', [...args, 'pass:wrong'])).exitCode).not.toBe(0);
  });
});

describe('curl', () => {
  const call = (url: string, ...args: string[]) => run('curl', ['-sS', '--noproxy', '*', ...args, url]);
  /** curl's exit code for a certificate that it does not accept. */
  const REFUSED = 60;

  withProgram('curl', 'by name, and refused for a wrong name or an unknown CA', async () => {
    await using server = await startSniffingServer(issuer);
    await using wrong = await startSniffingServer(issuer, { certifyAs: 'else.internal' });
    const to = (port: number, name = NAME) =>
      [`https://${name}:${port}/`, '--resolve', `${name}:${port}:127.0.0.1`] as const;
    expect(await call(...to(server.port), '--cacert', ca.path)).toMatchObject({ stdout: ANSWER });
    expect(await call(...to(server.port, LONG_NAME), '--cacert', ca.path)).toMatchObject({ stdout: ANSWER });
    expect(await call(...to(wrong.port), '--cacert', ca.path)).toMatchObject({ exitCode: REFUSED });
    expect(await call(...to(server.port))).toMatchObject({ exitCode: REFUSED });
    expect(server.hellos[0]).toMatchObject({ serverName: NAME, alpn: ['h2', 'http/1.1'] });
  });

  withProgram('curl', 'by IPv4 address, and refused for another', async () => {
    await using server = await startSniffingServer(issuer);
    await using wrong = await startSniffingServer(issuer, { certifyAs: '127.0.0.2' });
    expect(await call(`https://127.0.0.1:${server.port}/`, '--cacert', ca.path)).toMatchObject({
      stdout: ANSWER,
    });
    expect((await call(`https://127.0.0.1:${wrong.port}/`, '--cacert', ca.path)).exitCode).toBe(REFUSED);
    expect(server.hellos[0]?.serverName).toBeNull();
  });

  withProgram('curl', 'by IPv6 address', async (context) => {
    if (!(await hasIpv6())) skip(context, 'this machine has no IPv6 loopback');
    await using server = await startSniffingServer(issuer, { host: '::1' });
    const answered = await call(`https://[::1]:${server.port}/`, '--cacert', ca.path);
    expect(answered).toMatchObject({ stdout: ANSWER });
  });

  withProgram('curl', 'that refuses says why, and it is understood', async () => {
    for (const version of ['1.2', '1.3']) {
      await using server = await startSniffingServer(issuer);
      await call(`https://127.0.0.1:${server.port}/`, '--tls-max', version);
      await expect.poll(() => server.failures.length).toBe(1);
      const failure = describeClientTlsFailure(server.failures[0], 'curl', '127.0.0.1');
      expect(failure).toMatchObject({
        cause: 'tls-client-distrusts-ca',
        code: expect.stringContaining('UNKNOWN_CA'),
      });
    }
  });

  withProgram('curl', 'with the bundle through its environment variable', async () => {
    await using server = await startSniffingServer(issuer);
    const args = ['-sS', '--noproxy', '*', `https://127.0.0.1:${server.port}/`];
    expect(await run('curl', args, { CURL_CA_BUNDLE: bundle.bundlePath })).toMatchObject({ stdout: ANSWER });
  });

  withProgram('curl', 'under an RSA CA, also where elliptic curves are not known', async () => {
    const keyType: CaKeyType = 'rsa-2048';
    const rsa = await loadOrCreateCertificateAuthority({
      directory: join(home, 'rsa'),
      now: Date.now,
      keyType,
      log,
    });
    await using server = await startSniffingServer(createLeafIssuer({ ca: rsa, now: Date.now }));
    const url = `https://127.0.0.1:${server.port}/`;
    const old = ['--tls-max', '1.2', '--ciphers', 'AES128-GCM-SHA256'];
    expect(await call(url, '--cacert', rsa.path)).toMatchObject({ stdout: ANSWER });
    expect(await call(url, '--cacert', rsa.path, ...old)).toMatchObject({ stdout: ANSWER });
    expect((await call(url, '--cacert', ca.path)).exitCode).toBe(REFUSED);
  });
});

describe('Python', () => {
  const SCRIPT = `import socket, ssl, sys
port, name = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context()
context.verify_flags |= ssl.VERIFY_X509_STRICT
with socket.create_connection(("127.0.0.1", port)) as tcp, context.wrap_socket(tcp, server_hostname=name) as tls:
    print(tls.version(), tls.getpeercert()["subjectAltName"][0])`;

  withProgram(
    'python3',
    'verifies strictly, with the bundle as SSL_CERT_FILE, and refuses a wrong name',
    async () => {
      await using server = await startSniffingServer(issuer);
      await using wrong = await startSniffingServer(issuer, { certifyAs: 'else.internal' });
      const trust = { SSL_CERT_FILE: bundle.bundlePath };
      const call = (port: number, name: string) => run('python3', ['-c', SCRIPT, String(port), name], trust);
      expect((await call(server.port, NAME)).stdout.trim()).toBe(`TLSv1.3 ('DNS', '${NAME}')`);
      expect((await call(server.port, '127.0.0.1')).stdout.trim()).toBe(
        "TLSv1.3 ('IP Address', '127.0.0.1')",
      );
      expect((await call(wrong.port, NAME)).output).toContain('Hostname mismatch');
    },
  );
});

describe('Chromium', () => {
  const open = async (port: number, spki: string) => {
    const profile = await mkdtemp(join(home, 'chromium-'));
    return run('chromium', [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-dev-shm-usage'],
      ...[`--user-data-dir=${profile}`, '--no-proxy-server', '--host-resolver-rules=MAP * 127.0.0.1'],
      ...[`--ignore-certificate-errors-spki-list=${spki}`, '--dump-dom', `https://${NAME}:${port}/`],
    ]);
  };

  withProgram('chromium', "opens a page by the CA's SPKI hash, and not by another", async () => {
    await using server = await startSniffingServer(issuer);
    expect((await open(server.port, spkiSha256(ca))).stdout).toContain(ANSWER);
    expect(server.hellos[0]?.serverName).toBe(NAME);
    const refused = await open(server.port, Buffer.alloc(32, 1).toString('base64'));
    expect(refused.stdout).not.toContain(ANSWER);
  });
});

describe('Java', () => {
  withProgram('keytool', 'lists every certificate of the trust store as trusted', async () => {
    const args = ['-list', '-storetype', 'PKCS12', '-keystore', bundle.javaTrustStorePath, '-storepass'];
    const list = await run('keytool', [...args, bundle.javaTrustStorePassword]);
    expect(list.stdout.match(/trustedCertEntry/g)).toHaveLength(bundle.certificateCount);
    expect(list.stdout).toContain(ca.fingerprint256);
    expect((await run('keytool', [...args, 'wrong-one'])).exitCode).not.toBe(0);
  });

  const SOURCE = `import java.net.Socket; import javax.net.ssl.*;
    public class Probe { public static void main(String[] args) throws Exception {
      var factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
      var tcp = new Socket("127.0.0.1", Integer.parseInt(args[0]));
      try (var tls = (SSLSocket) factory.createSocket(tcp, args[1], tcp.getPort(), true)) {
        var parameters = tls.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        System.out.println(tls.getSession().getProtocol());
      } } }`;
  const hasCompiler = () =>
    /^jdk\.compiler/m.test(spawnSync('java', ['--list-modules']).stdout?.toString() ?? '');

  withProgram('java', 'verifies with the trust store, and refuses a wrong name', async (context) => {
    if (!hasCompiler()) skip(context, 'no JDK is installed, only a runtime');
    await using server = await startSniffingServer(issuer);
    await using wrong = await startSniffingServer(issuer, { certifyAs: 'else.internal' });
    const source = join(home, 'Probe.java');
    await writeFile(source, SOURCE);
    const trust = [
      `-Djavax.net.ssl.trustStore=${bundle.javaTrustStorePath}`,
      `-Djavax.net.ssl.trustStorePassword=${bundle.javaTrustStorePassword}`,
    ];
    const call = (port: number, args: string[]) => run('java', [...args, source, String(port), NAME]);
    expect((await call(server.port, trust)).stdout.trim()).toBe('TLSv1.3');
    expect((await call(wrong.port, trust)).output).toContain('No subject alternative DNS name matching');
    expect((await call(server.port, [])).output).toContain('unable to find valid certification path');
    const failures = [...wrong.failures, ...server.failures];
    const causes = failures.map((error) => describeClientTlsFailure(error, 'java', NAME).cause);
    expect(causes).toEqual(['tls-client-distrusts-ca', 'tls-client-distrusts-ca']);
  });
});

describe('Go', () => {
  const SOURCE = `package main
import ("crypto/tls"; "fmt"; "os")
func main() {
  connection, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[1], &tls.Config{ServerName: os.Args[2]})
  if err != nil { fmt.Println("refused:", err); os.Exit(1) }
  fmt.Println("verified", len(connection.ConnectionState().VerifiedChains))
}`;

  withProgram('go', 'verifies with the bundle as SSL_CERT_FILE, and refuses a wrong name', async () => {
    await using server = await startSniffingServer(issuer);
    const source = join(home, 'probe.go');
    await writeFile(source, SOURCE);
    const call = (name: string) =>
      run('go', ['run', source, String(server.port), name], { SSL_CERT_FILE: bundle.bundlePath });
    expect((await call(NAME)).stdout).toContain('verified 1');
    await using wrong = await startSniffingServer(issuer, { certifyAs: 'else.internal' });
    const refused = await run('go', ['run', source, String(wrong.port), NAME], {
      SSL_CERT_FILE: bundle.bundlePath,
    });
    expect(refused.output).toContain('refused:');
  });
});
