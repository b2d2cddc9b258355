// The environment of `spike run` before the runtimes themselves: each makes a plain and a TLS call, and a proxy of a few lines
// writes down what came. No call leaves the machine, since the proxy answers all of them itself.
import { isUtf8 } from 'node:buffer';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { runEnvironment } from '../../src-main/cli/run-environment.ts';
import { writeTrustBundle } from '../../src-main/engine/tls/ca-bundle.ts';
import { loadOrCreateCertificateAuthority } from '../../src-main/engine/tls/certificate-authority.ts';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import type { LeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { leafSocketOptions } from '../../src-main/engine/tls/tls-options.ts';

const SERVICE = 'my orders/é';
/** Resolved by nobody but the proxy. */
const HOST = 'stock.internal';

interface Seen {
  /** The request line: in absolute form, CONNECT, or in origin form inside a tunnel. */
  readonly line: string;
  readonly user: string | null;
}

let home: string;
let issuer: LeafIssuer;
let server: Server;
let environment: Record<string, string>;
let seen: Seen[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'spike run-'));
  const log = { info() {}, warn() {} };
  const ca = await loadOrCreateCertificateAuthority({ directory: join(home, 'ca'), now: Date.now, log });
  issuer = createLeafIssuer({ ca, now: Date.now });
  const bundle = await writeTrustBundle({ directory: join(home, 'trust'), ca });
  const caPath = join(home, 'ca.pem');
  await writeFile(caPath, ca.certificatePem);
  server = createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = cleanEnvironment({ NO_PROXY: 'localhost,127.0.0.1' });
  const { set } = runEnvironment({
    ...bundle,
    proxyAddress: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    service: SERVICE,
    caPath,
    nodeHookPath: null,
    base,
    platform: process.platform,
  });
  environment = { ...base, ...set };
});
beforeEach(() => {
  seen = [];
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await rm(home, { recursive: true, force: true });
});

/** What this machine has set for itself is not what is tested. */
function cleanEnvironment(extra: Record<string, string>): Record<string, string> {
  const foreign = /_proxy$|^(?:SSL|CURL|REQUESTS|GIT|NODE|JAVA|PIP|npm)_/i;
  const kept = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !foreign.test(name),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...extra };
}

function serve(socket: Socket): void {
  sockets.add(socket);
  socket.on('error', () => undefined); // Clients go when they have what they want.
  socket.on('close', () => sockets.delete(socket));
  let head = '';
  socket.on('data', function read(chunk) {
    head += chunk.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    const line = record(head);
    head = '';
    if (!line.startsWith('CONNECT')) return void socket.end(answer);
    socket.off('data', read);
    tunnel(socket, line);
  });
}

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';

/** TLS inside is opened with a certificate of the CA; plain HTTP inside is read as it is. */
function tunnel(socket: Socket, line: string): void {
  const host = /^CONNECT \[?([^\]\s]+?)\]?:\d+ /.exec(line)?.[1] ?? '';
  socket.once('data', (first) => {
    socket.pause();
    socket.unshift(first);
    const context = first[0] === 0x16 ? issuer.contextFor(host) : null;
    if (context === null || context === undefined) {
      serve(socket);
      socket.resume();
    } else serve(new TLSSocket(socket, leafSocketOptions(context, ['http/1.1'])));
  });
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
}

function record(head: string): string {
  const line = head.slice(0, head.indexOf('\r\n'));
  const credentials = /^proxy-authorization: *basic +(\S+)/im.exec(head)?.[1];
  const user = credentials === undefined ? null : userOf(Buffer.from(credentials, 'base64'));
  seen.push({ line, user });
  return line;
}

/** RFC 7617, section 2.1: the charset is not said. curl, Node and urllib send UTF-8, requests sends latin1. */
function userOf(credentials: Buffer): string {
  return credentials.toString(isUtf8(credentials) ? 'utf8' : 'latin1').replace(/:[^:]*$/, '');
}

function run(program: string, args: string[], change: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...environment, ...change }, timeout: 25_000, cwd: home };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program}: ${error.message}\n${stdout}${stderr}`));
    });
    child.stdin?.end();
  });
}

const fails = (program: string, args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status !== 0;
function needs(context: TestContext, program: string, args: string[] = ['--version']): void {
  if (fails(program, args)) context.skip(`${program} ${args.join(' ')} does not work here`);
}

const inAbsoluteForm = { line: expect.stringMatching(`^[A-Z]+ http://${HOST}/plain`), user: SERVICE };
const connect = { line: expect.stringMatching(`^CONNECT ${HOST}:443 `), user: SERVICE };
const insideTls = { line: expect.stringMatching('^GET /tls'), user: null };
const urls = [`http://${HOST}/plain`, `https://${HOST}/tls`];

describe('calls pass through the proxy under the name of the service', () => {
  test('Node: fetch', async () => {
    const script = `for (const url of ${JSON.stringify(urls)}) console.log(await (await fetch(url)).text())`;
    expect(await run(process.execPath, ['--input-type=module', '-e', script])).toBe('ok\nok\n');
    expect(seen.slice(-2)).toEqual([connect, insideTls]);
    expect(seen[0]?.user).toBe(SERVICE);
    expect(seen.some(({ line }) => line.includes('/plain'))).toBe(true);
  });

  test('Node: node:http and node:https', async () => {
    const script = `const [plain, tls] = ${JSON.stringify(urls)};
      const get = (module, url) => new Promise((resolve, reject) => module.get(url, (r) => r.resume().on('end', resolve)).on('error', reject));
      await get(await import('node:http'), plain); await get(await import('node:https'), tls);`;
    await run(process.execPath, ['--input-type=module', '-e', script]);
    expect(seen).toEqual([inAbsoluteForm, connect, insideTls]);
  });

  test('Node: localhost, too', async () => {
    const script = `console.log(await (await fetch('http://localhost:8104/plain')).text())`;
    expect(await run(process.execPath, ['--input-type=module', '-e', script])).toBe('ok\n');
    expect(seen[0]).toMatchObject({ line: expect.stringContaining('localhost:8104'), user: SERVICE });
  });

  test('curl', async (context) => {
    needs(context, 'curl');
    expect(await run('curl', ['-sS', ...urls])).toBe('okok');
    expect(seen).toEqual([inAbsoluteForm, connect, insideTls]);
  });

  test('Python: urllib', async (context) => {
    needs(context, 'python3');
    const script = `import urllib.request\nfor url in ${JSON.stringify(urls)}: print(urllib.request.urlopen(url).read().decode())`;
    expect(await run('python3', ['-c', script])).toBe('ok\nok\n');
    expect(seen).toEqual([inAbsoluteForm, connect, insideTls]);
  });

  test('Python: requests', async (context) => {
    needs(context, 'python3', ['-c', 'import requests']);
    const script = `import requests\nfor url in ${JSON.stringify(urls)}: print(requests.get(url).text)`;
    expect(await run('python3', ['-c', script])).toBe('ok\nok\n');
    expect(seen).toEqual([inAbsoluteForm, connect, insideTls]);
  });

  test('Java: HttpURLConnection, without a name', async (context) => {
    needs(context, 'javac', ['-version']);
    await writeFile(
      join(home, 'Call.java'),
      `public class Call { public static void main(String[] urls) throws Exception {
        for (String url : urls) System.out.println(new String(new java.net.URL(url).openStream().readAllBytes())); } }`,
    );
    const local = 'http://localhost:1/plain';
    expect(await run('java', ['Call.java', ...urls, local])).toBe('ok\nok\nok\n');
    expect(seen).toEqual([
      { ...inAbsoluteForm, user: null },
      { ...connect, user: null },
      insideTls,
      { line: expect.stringMatching('^GET http://localhost:1/plain'), user: null },
    ]);
  });

  test('git: TLS is trusted, and what is asked for comes', async (context) => {
    needs(context, 'git');
    // The answer holds no refs; that git came this far is what is tested.
    expect(await run('git', ['ls-remote', `https://${HOST}/tls`])).toBe('');
    expect(seen[0]?.line).toMatch(`CONNECT ${HOST}:443`);
    expect(seen[1]?.line).toMatch(/^GET \/tls\/info\/refs/);
  });

  test('Go', async (context) => {
    needs(context, 'go', ['version']);
    const program = `package main
import ("io"; "net/http"; "os"; "fmt")
func main() { for _, u := range os.Args[1:] { r, e := http.Get(u); if e != nil { panic(e) }; b, _ := io.ReadAll(r.Body); fmt.Println(string(b)) } }`;
    await writeFile(join(home, 'call.go'), program);
    expect(await run('go', ['run', 'call.go', ...urls])).toBe('ok\nok\n');
    expect(seen).toEqual([inAbsoluteForm, connect, insideTls]);
  });

  test('Ruby', async (context) => {
    needs(context, 'ruby');
    const script = `require 'net/http'; ${JSON.stringify(urls)}.each { |u| puts Net::HTTP.get(URI(u)) }`;
    expect(await run('ruby', ['-e', script])).toBe('ok\nok\n');
    expect(seen).toEqual([inAbsoluteForm, connect, insideTls]);
  });
});

describe('without the trust that is set, TLS is refused', () => {
  // A runtime that verified nothing would pass all of the above.
  test.each([
    ['curl', ['-sS', urls[1] as string], { CURL_CA_BUNDLE: '', SSL_CERT_FILE: '' }],
    ['node', ['-e', `fetch('${urls[1]}').then((r) => r.text())`], { NODE_EXTRA_CA_CERTS: '' }],
    ['python3', ['-c', `import urllib.request; urllib.request.urlopen('${urls[1]}')`], { SSL_CERT_FILE: '' }],
  ])('%s', async (program, args, change) => {
    await expect(
      run(program === 'node' ? process.execPath : program, args, change as unknown as Record<string, string>),
    ).rejects.toThrow();
    expect(seen[0]).toEqual(connect);
  });
});
