import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { parseProxyUrl } from '../../src-shared/workspace/upstream-proxy.ts';
import type { UpstreamProxies } from '../../src-shared/workspace/upstream-proxy.ts';
import { testAuthority } from '../support/data-plane-harness.ts';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import type { Scene } from '../support/data-plane-test.ts';
import {
  credentials,
  installed,
  startMicrosocks,
  startSquid,
  startTinyproxy,
} from '../support/real-proxies.ts';

const run = promisify(execFile);
const page = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** Everything by one proxy, this machine too: everything here is on this machine. */
function by(url: string, more: Partial<UpstreamProxies> = {}): UpstreamProxies {
  const proxy = parseProxyUrl(url);
  if (typeof proxy === 'string') throw new Error(proxy);
  return { http: proxy, https: proxy, noProxy: [], includeLoopback: true, ...more };
}

/** By curl; its body, and its status behind a space. */
async function curl({ spike }: Scene, ...args: string[]): Promise<string> {
  const { stdout } = await run('curl', curlArgs(spike, '-w', ' %{http_code}', '-k', ...args));
  return stdout;
}

async function leafFor(name: string): Promise<{ key: string; cert: string }> {
  const issuer = createLeafIssuer({ ca: await testAuthority(), now: Date.now });
  const leaf = issuer.issue(name);
  if (leaf === null) throw new Error(`${name} cannot be certified`);
  return { key: issuer.privateKeyPem, cert: leaf.chainPem };
}

/** An HTTPS origin that Spike trusts, and what it was asked for. */
async function httpsOrigin({ peers, spike }: Scene) {
  const asked: string[] = [];
  const server = await peers.https(await leafFor('localhost'), (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('hello');
  });
  await spike.configure({ tls: { extraRootsPem: [spike.caPem] } });
  return { port: server.port, asked };
}

/** An HTTP origin; the head of each request as it came. */
async function httpOrigin({ peers }: Scene) {
  const heads: string[] = [];
  const server = await peers.http((request, response) => {
    const fields = request.rawHeaders.flatMap((name, i) =>
      i % 2 === 0 ? [`${name}: ${request.rawHeaders[i + 1]}`] : [],
    );
    heads.push([`${request.method} ${request.url}`, ...fields].join('\n'));
    response.end('hello');
  });
  return { port: server.port, heads };
}

describe.skipIf(!installed.tinyproxy)('an HTTP proxy (tinyproxy)', () => {
  const scene = useScene();

  it('carries HTTPS by CONNECT, with credentials; the flow says so', async () => {
    const { port, asked } = await httpsOrigin(scene);
    const proxy = await startTinyproxy(scene.peers, { withCredentials: true });
    await scene.spike.configure({ upstreamProxies: by(`http://${credentials}127.0.0.1:${proxy}`) });
    expect(await curl(scene, `https://localhost:${port}/a`)).toBe('hello 200');
    expect(asked).toEqual(['GET /a']);
    const { flow } = await scene.spike.flow();
    expect(flow.upstream?.address).toBe(`localhost:${port} via 127.0.0.1:${proxy}`);
    expect(flow.timings.connect).not.toBeNull();
    expect(flow.timings.tls).not.toBeNull();
    expect(JSON.stringify(flow)).not.toContain('pass.word');
  });

  it('is sent plain HTTP in absolute-form, keeps bodies, and its credentials do not go further', async () => {
    const { port, heads } = await httpOrigin(scene);
    const proxy = await startTinyproxy(scene.peers, { withCredentials: true });
    await scene.spike.configure({ upstreamProxies: by(`http://${credentials}127.0.0.1:${proxy}`) });
    expect(await curl(scene, '-d', 'x=1', `http://localhost:${port}/a?b`)).toBe('hello 200');
    expect(await curl(scene, `http://localhost:${port}/again`)).toBe('hello 200');
    expect(heads[0]).toMatch(new RegExp(`^POST /a\\?b\nHost: localhost:${port}`));
    expect(heads.join()).not.toMatch(/proxy-authorization/i);
    const { flow } = await scene.spike.flow();
    expect(flow.http?.url).toBe(`http://localhost:${port}/a?b`);
    expect(JSON.stringify(flow.http?.requestHeaders)).not.toMatch(/authorization/i);
  });

  it('that wants credentials is named: 502, for HTTPS and for HTTP', async () => {
    const { port } = await httpsOrigin(scene);
    const plain = await httpOrigin(scene);
    const proxy = await startTinyproxy(scene.peers, { withCredentials: true });
    await scene.spike.configure({ upstreamProxies: by(`http://127.0.0.1:${proxy}`) });
    for (const url of [`https://localhost:${port}/`, `http://localhost:${plain.port}/`]) {
      expect(await curl(scene, url)).toMatch(/asks for a user name and a password.* 502$/s);
    }
    await scene.spike.configure({ upstreamProxies: by(`http://me:wrong@127.0.0.1:${proxy}`) });
    expect(await curl(scene, `https://localhost:${port}/`)).toMatch(
      /not accept the credentials of "me".* 502$/s,
    );
    const refused = await scene.spike.flows(3);
    for (const { flow } of refused) expect(flow.error?.cause).toBe('upstream-proxy-credentials');
    expect(JSON.stringify(refused)).not.toContain('wrong');
    expect(plain.heads).toEqual([]);
  });

  it('that does not connect there is named: 502 with its words', async () => {
    const { port } = await httpsOrigin(scene);
    const proxy = await startTinyproxy(scene.peers, { denied: ['^localhost'] });
    await scene.spike.configure({ upstreamProxies: by(`http://127.0.0.1:${proxy}`) });
    expect(await curl(scene, `https://localhost:${port}/`)).toMatch(
      /does not connect to localhost.*403.* 502$/s,
    );
    expect((await scene.spike.flow()).flow.error?.cause).toBe('upstream-proxy-refused');
  });

  it('carries a WebSocket by a tunnel, bytes of both sides from the first', async () => {
    const proxy = await startTinyproxy(scene.peers);
    const server = await scene.peers.answering(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst',
      (socket) => socket.once('data', (bytes: Buffer) => socket.end(bytes)),
    );
    await scene.spike.configure({ upstreamProxies: by(`http://127.0.0.1:${proxy}`) });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    const at = `localhost:${server.port}`;
    client.write(
      `GET http://${at}/ws HTTP/1.1\r\nHost: ${at}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    await client.see('first');
    client.write('echo');
    await client.see('echo');
    client.end();
    const { flow } = await scene.spike.flow();
    expect([flow.kind, flow.http?.status]).toEqual(['websocket', 101]);
  });

  it('carries a TCP route whose server speaks first', async () => {
    const proxy = await startTinyproxy(scene.peers);
    const server = await scene.peers.tcp((socket) => {
      socket.write('220 ready\r\n');
      socket.on('data', (bytes) => socket.end(bytes));
    });
    await scene.spike.configure({
      upstreamProxies: by(`http://127.0.0.1:${proxy}`),
      routes: [routeTo(server.port, 'tcp')],
    });
    const client = await scene.peers.connect(scene.spike.port('service'));
    await client.see('220 ready');
    client.write('QUIT');
    expect(await client.toEnd()).toBe('220 ready\r\nQUIT');
  });

  it('is sent plain HTTP in HTTP/1.1 where the client speaks HTTP/2, and carries HTTP/2 in its tunnels', async () => {
    const { port, heads } = await httpOrigin(scene);
    const secure = await httpsOrigin(scene);
    const proxy = await startTinyproxy(scene.peers);
    await scene.spike.configure({
      upstreamProxies: by(`http://127.0.0.1:${proxy}`),
      routes: [{ name: 'plain', listen: '127.0.0.1:0', upstream: `http://localhost:${port}` }],
    });
    // Opened by Spike, which knows the name of the route; its upstream is plain HTTP.
    expect(await curl(scene, '--http2', 'https://plain.internal/a')).toBe('hello 200');
    expect(heads[0]).toMatch(/^GET \/a\n/);
    expect(heads[0]).not.toMatch(/null/);
    expect(await curl(scene, '--http2', `https://localhost:${secure.port}/b`)).toBe('hello 200');
    const flows = await scene.spike.flows(2);
    expect(
      flows.map(({ flow }) => [flow.http?.httpVersion, flow.upstream?.address.split(' via ')[1]]),
    ).toEqual([
      ['2', `127.0.0.1:${proxy}`],
      ['2', `127.0.0.1:${proxy}`],
    ]);
  });

  it('is passed by for noProxy and, unless it is said, for this machine', async () => {
    const { port } = await httpOrigin(scene);
    const nobody = by('http://127.0.0.1:9', { noProxy: [`localhost:${port}`] });
    await scene.spike.configure({ upstreamProxies: nobody });
    expect(await curl(scene, `http://localhost:${port}/`)).toBe('hello 200');
    await scene.spike.configure({ upstreamProxies: { ...nobody, noProxy: [], includeLoopback: false } });
    expect(await curl(scene, `http://127.0.0.1:${port}/`)).toBe('hello 200');
    await scene.spike.configure({ upstreamProxies: { ...nobody, noProxy: [] } });
    expect(await curl(scene, `http://localhost:${port}/`)).toMatch(/ 502$/);
  });

  it('takes effect at once: the connections from before serve no further call', async () => {
    const { port, heads } = await httpOrigin(scene);
    const proxy = await startTinyproxy(scene.peers);
    const client = await scene.peers.connect(scene.spike.proxyPort);
    const call = `GET http://localhost:${port}/ HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;
    client.write(call);
    await client.see('hello');
    await scene.spike.configure({ upstreamProxies: by(`http://127.0.0.1:${proxy}`) });
    client.write(call);
    await client.until((text) => text.split('hello').length === 3);
    expect(heads).toHaveLength(2);
    const [before, after] = await scene.spike.flows(2);
    expect(before?.flow.upstream?.address).not.toContain('via');
    expect(after?.flow.upstream).toMatchObject({ reused: false });
    expect(after?.flow.upstream?.address).toContain(`via 127.0.0.1:${proxy}`);
  });
});

describe.skipIf(!installed.squid)('an HTTP proxy (Squid, which tunnels to one port only)', () => {
  const scene = useScene();

  it('carries plain HTTP to any port, and HTTPS', async () => {
    const plain = await httpOrigin(scene);
    const secure = await httpsOrigin(scene);
    const proxy = await startSquid(scene.peers, secure.port);
    await scene.spike.configure({ upstreamProxies: by(`http://127.0.0.1:${proxy}`) });
    expect(await curl(scene, `http://localhost:${plain.port}/a`)).toBe('hello 200');
    expect(await curl(scene, `https://localhost:${secure.port}/b`)).toBe('hello 200');
    expect(await curl(scene, `https://localhost:${plain.port}/c`)).toMatch(/does not connect.* 502$/s);
    expect(plain.heads.map((head) => head.split('\n')[0])).toEqual(['GET /a']);
  });
});

describe.skipIf(!installed.microsocks)('a SOCKS5 proxy (microsocks)', () => {
  const scene = useScene();

  it.each(['socks5', 'socks5h'])('carries HTTPS, HTTP and TCP by %s, with credentials', async (scheme) => {
    const secure = await httpsOrigin(scene);
    const plain = await httpOrigin(scene);
    const proxy = await startMicrosocks(scene.peers, true);
    await scene.spike.configure({
      upstreamProxies: by(`${scheme}://${credentials}127.0.0.1:${proxy}`),
      routes: [routeTo(plain.port, 'tcp')],
    });
    expect(await curl(scene, `https://localhost:${secure.port}/`)).toBe('hello 200');
    expect(await curl(scene, `http://localhost:${plain.port}/`)).toBe('hello 200');
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await client.toEnd()).toContain('hello');
    const flows = await scene.spike.flows(3);
    expect(flows.every(({ flow }) => flow.upstream?.address.endsWith(` via 127.0.0.1:${proxy}`))).toBe(true);
  });

  it('that wants other credentials, or finds nothing there, is told', async () => {
    const closed = await scene.peers.tcp(() => undefined);
    const port = closed.port;
    await new Promise((resolve) => closed.close(resolve));
    const proxy = await startMicrosocks(scene.peers, true);
    await scene.spike.configure({ upstreamProxies: by(`socks5h://me:wrong@127.0.0.1:${proxy}`) });
    expect(await curl(scene, `http://localhost:${port}/`)).toMatch(
      /did not accept the credentials of "me".* 502$/s,
    );
    await scene.spike.configure({ upstreamProxies: by(`socks5h://${credentials}127.0.0.1:${proxy}`) });
    expect(await curl(scene, `http://localhost:${port}/`)).toMatch(
      /was refused the connection to localhost.* 502$/s,
    );
    const causes = (await scene.spike.flows(2)).map(({ flow }) => flow.error?.cause);
    expect(causes).toEqual(['upstream-proxy-credentials', 'upstream-refused']);
  });
});

describe('a proxy that fails', () => {
  const scene = useScene({}, { connectTimeoutMs: 400 });

  it.each([
    ['closes', (socket: Socket) => socket.end(), 'upstream-proxy-malformed', 502],
    ['resets', (socket: Socket) => socket.resetAndDestroy(), 'upstream-proxy-malformed', 502],
    ['says nothing', () => undefined, 'upstream-proxy-timeout', 504],
    [
      'speaks something else',
      (socket: Socket) => void socket.write('SSH-2.0-x\r\n'),
      'upstream-proxy-malformed',
      502,
    ],
  ])('because it %s is told from a failing upstream', async (_what, serve, cause, status) => {
    const proxy = await scene.peers.tcp((socket) => socket.once('data', () => serve(socket)));
    await scene.spike.configure({ upstreamProxies: by(`http://127.0.0.1:${proxy.port}`) });
    const answer = await curl(scene, 'https://orders.example/');
    expect(answer).toContain(`http://127.0.0.1:${proxy.port}`);
    expect(answer).toMatch(new RegExp(` ${status}$`));
    expect((await scene.spike.flow()).flow.error?.cause).toBe(cause);
  });

  it('because nothing listens there, or its name is unknown', async () => {
    const closed = await scene.peers.tcp(() => undefined);
    await new Promise((resolve) => closed.close(resolve));
    await scene.spike.configure({ upstreamProxies: by(`http://127.0.0.1:${closed.port}`) });
    expect(await curl(scene, 'http://orders.example/')).toMatch(
      /Nothing listens on the upstream proxy.* 502$/s,
    );
    await scene.spike.configure({ upstreamProxies: by('socks5://no-such-proxy.invalid:1') });
    expect(await curl(scene, 'http://orders.example/')).toMatch(/name of the upstream proxy.* 50[24]$/s);
  });

  it('because it is Spike itself, the proxy port or a route', async () => {
    const plain = await httpOrigin(scene);
    await scene.spike.configure({ routes: [routeTo(plain.port)] });
    for (const port of [scene.spike.proxyPort, scene.spike.port('service')]) {
      await scene.spike.configure({ upstreamProxies: by(`http://127.0.0.1:${port}`) });
      expect(await curl(scene, 'http://orders.example/')).toMatch(/is a port of this Spike itself.* 508$/s);
    }
    const flows = await scene.spike.flows(2);
    expect(flows.map(({ flow }) => flow.error?.cause)).toEqual(['upstream-loop', 'upstream-loop']);
  });

  it('because its answer to CONNECT has bytes of a TLS server that was not asked yet', async () => {
    const proxy = await scene.peers.answering('HTTP/1.1 200 OK\r\n\r\nextra', () => undefined);
    await scene.spike.configure({ upstreamProxies: by(`http://127.0.0.1:${proxy.port}`) });
    expect(await curl(scene, 'https://orders.example/')).toMatch(/sent bytes behind its answer.* 502$/s);
  });
});

describe('a proxy that is reached by TLS', () => {
  const scene = useScene();

  /** A CONNECT proxy behind TLS, for the name `localhost`. */
  async function tlsProxy(): Promise<number> {
    const server = createTlsServer(await leafFor('localhost'), (client) => {
      client.on('error', () => undefined);
      client.once('data', (bytes: Buffer) => {
        const [, port] = /^CONNECT localhost:(\d+) /.exec(bytes.toString('latin1')) ?? [];
        if (port === undefined) return void client.end(page);
        const upstream = connect(Number(port), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
        upstream.on('error', () => client.destroy());
        client.pipe(upstream).pipe(client);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    scene.peers.also(async () => {
      await new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as { port: number }).port;
  }

  it('carries HTTPS in it, and plain HTTP', async () => {
    const { port } = await httpsOrigin(scene);
    const proxy = await tlsProxy();
    await scene.spike.configure({ upstreamProxies: by(`https://localhost:${proxy}`) });
    expect(await curl(scene, `https://localhost:${port}/`)).toBe('hello 200');
    expect(await curl(scene, 'http://orders.example/')).toBe('hello 200');
    await scene.spike.configure({ upstreamProxies: null });
  });

  it('and is not trusted, is told as the one that is not', async () => {
    const proxy = await tlsProxy();
    await scene.spike.configure({
      upstreamProxies: by(`https://localhost:${proxy}`),
      tls: { extraRootsPem: [] },
    });
    expect(await curl(scene, 'https://orders.example/')).toMatch(
      /The upstream proxy https:.*nothing here trusts.* 502$/s,
    );
  });
});
