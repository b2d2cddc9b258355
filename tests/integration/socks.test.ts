import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import type { RawClient } from '../support/network-peers.ts';
import { useTrust } from '../support/test-trust.ts';
import { runProgram } from '../support/run-program.ts';

const trust = useTrust();
const scene = useScene({}, { connectTimeoutMs: 1000 });

function curl(option: string, ...args: string[]) {
  return runProgram('curl', [
    '-sS',
    '-m',
    '20',
    option,
    scene.spike.proxy,
    '--cacert',
    trust.caFile,
    ...args,
  ]);
}

/** An HTTPS site for localhost that Spike trusts. */
async function site() {
  await scene.spike.configure({ tls: { extraRootsPem: [trust.siteCaPem] } });
  return await scene.peers.https(trust.site, (asked, response) => {
    response.end(`secret ${asked.url}`);
  });
}

/** Greets without a name and asks for a port of this machine; `behind` comes in the same packet. */
async function socksTo(port: number, behind = ''): Promise<RawClient> {
  const client = await scene.peers.connect(scene.spike.proxyPort);
  client.write(Buffer.of(5, 1, 0));
  await client.until((text) => text.length === 2);
  const address = Buffer.of(5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255);
  client.write(Buffer.concat([address, Buffer.from(behind, 'latin1')]));
  return client;
}

const greeted = '\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00';

describe('SOCKS5 on the proxy port', () => {
  it.each(['--socks5-hostname', '--socks5'])(
    'by curl %s: HTTP is read, the user name calls',
    async (option) => {
      const server = await scene.peers.http((asked, response) =>
        response.end(`${asked.headers.host}${asked.url}`),
      );
      const place = `localhost:${server.port}`;
      const { stdout } = await curl(
        option,
        '--proxy-user',
        'web:x',
        '-4',
        `http://${place}/a`,
        `http://${place}/b`,
      );
      expect(stdout).toBe(`${place}/a${place}/b`);
      const [first, second] = await scene.spike.flows(2);
      const host = option === '--socks5' ? '127.0.0.1' : 'localhost';
      expect(first?.flow).toMatchObject({
        kind: 'http',
        caller: { name: 'web', resolvedBy: 'proxy-user' },
        http: { url: `http://${host}:${server.port}/a`, status: 200 },
      });
      expect(second?.flow.connectionId).toBe(first?.flow.connectionId);
    },
  );

  it.each(['--socks5-hostname', '--socks5'])(
    'by curl %s: TLS is opened, and verified by name',
    async (option) => {
      const server = await site();
      const url = `https://localhost:${server.port}/x`;
      expect((await curl(option, '-4', url)).stdout).toBe('secret /x');
      const { flow } = await scene.spike.flow();
      expect(flow).toMatchObject({
        kind: 'http',
        tls: { intercepted: true, sni: 'localhost' },
        http: { url, status: 200 },
        caller: { name: 'client' },
      });
    },
  );

  it('does not take a certificate for another name than the one that the client asked for in TLS', async () => {
    const server = await site();
    const args = ['--resolve', `other.test:${server.port}:127.0.0.1`, `https://other.test:${server.port}/`];
    expect((await curl('--socks5', ...args)).stdout).toContain(
      `other.test at 127.0.0.1:${server.port} shows`,
    );
    expect((await scene.spike.flow()).flow).toMatchObject({
      http: { status: 502 },
      error: { cause: 'tls-wrong-name' },
    });
  });

  it('matches rules by the name in TLS where the client resolved it itself', async () => {
    const server = await site();
    await scene.spike.configure({
      rules: [{ name: 'teapot', match: { host: 'localhost' }, faults: [{ type: 'status', status: 418 }] }],
    });
    const url = `https://localhost:${server.port}/`;
    const { stdout } = await curl('--socks5', '-4', '-o', '/dev/null', '-w', '%{http_code}', url);
    expect(stdout).toBe('418');
  });

  it('passes other bytes, those right behind the request included, and each end by itself', async () => {
    const server = await scene.peers.tcp((socket) => {
      socket.on('data', (chunk: Buffer) => socket.write(`<${chunk.toString()}>`));
      socket.on('end', () => socket.end('bye'));
    });
    const client = await socksTo(server.port, '\x05\x01\x00');
    await client.see('<\x05\x01\x00>');
    client.end();
    expect(await client.toEnd()).toBe(`${greeted}<\x05\x01\x00>bye`);
    expect((await scene.spike.flow()).flow).toMatchObject({
      kind: 'tcp',
      error: null,
      sizes: { requestBody: 3, responseBody: 8 },
    });
  });

  it('lets a server speak first', async () => {
    const server = await scene.peers.tcp((socket) => {
      socket.write('220 mail ready\r\n');
      socket.on('end', () => socket.end());
    });
    const client = await socksTo(server.port);
    await client.see('220 mail ready');
    client.end();
    await client.toClose();
    expect((await scene.spike.flow()).flow.kind).toBe('tcp');
  });

  it('ends with a RST when nothing listens, and says why', async () => {
    const client = await socksTo(1, '\x00raw');
    expect(await client.toClose()).toBe('ECONNRESET');
    expect((await scene.spike.flow()).flow.error?.cause).toBe('upstream-refused');
  });

  it('takes one octet at a time', async () => {
    const server = await scene.peers.http((asked, response) => response.end(`slow ${asked.url}`));
    const client = await scene.peers.connect(scene.spike.proxyPort);
    const { port } = server;
    const all = Buffer.concat([
      Buffer.of(5, 2, 0, 2, 1, 3, 119, 101, 98, 1, 120),
      Buffer.of(5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255),
      Buffer.from('GET /z HTTP/1.1\r\nHost: a\r\n\r\n'),
    ]);
    for (const octet of all) {
      client.write(Buffer.of(octet));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.see('slow /z');
    expect((await scene.spike.flow()).flow.caller.name).toBe('web');
  });
});

describe('what SOCKS asks for and Spike does not do', () => {
  it.each([
    ['BIND', [5, 1, 0, 5, 2, 0, 1, 127, 0, 0, 1, 0, 80], '\x05\x00\x05\x07', 'socks-command'],
    ['UDP ASSOCIATE', [5, 1, 0, 5, 3, 0, 1, 127, 0, 0, 1, 0, 80], '\x05\x00\x05\x07', 'socks-command'],
    ['a type of address that is none', [5, 1, 0, 5, 1, 0, 9], '\x05\x00\x05\x08', 'socks-address-type'],
    ['GSSAPI alone', [5, 1, 1], '\x05\xff', 'socks-no-acceptable-method'],
    ['SOCKS4', [4, 1, 0, 80, 127, 0, 0, 1, 0], '\x00\x5b', 'socks4'],
  ])('%s is refused with its code, shown, and ended', async (_, octets, reply, code) => {
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(Buffer.from(octets));
    expect((await client.toEnd()).startsWith(reply)).toBe(true);
    await client.toClose();
    expect((await scene.spike.flow()).flow).toMatchObject({
      kind: 'refused',
      error: { cause: 'client-malformed-request', code },
    });
    expect(scene.spike.ended).toHaveLength(1);
  });

  it("a port of this Spike itself is 'not allowed'", async () => {
    const client = await socksTo(scene.spike.proxyPort);
    expect((await client.toEnd()).startsWith('\x05\x00\x05\x02')).toBe(true);
    expect((await scene.spike.flow()).flow.error?.cause).toBe('upstream-forbidden');
  });

  it('curl is told so in its own words', async () => {
    const { exitCode, stderr } = await curl('--socks4', 'http://127.0.0.1:1/');
    expect([exitCode, stderr]).toEqual([97, expect.stringContaining('request rejected or failed')]);
    expect((await scene.spike.flow()).flow.error?.message).toContain('socks5h://');
  });

  it('a client that goes away in the middle leaves nothing behind, and nothing to tell', async () => {
    const all = Buffer.of(5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0);
    for (let length = 1; length <= all.length; length++) {
      const client = await scene.peers.connect(scene.spike.proxyPort);
      client.write(all.subarray(0, length));
      if (length % 2 === 0) {
        client.end();
        await client.toClose();
      } else client.socket.resetAndDestroy();
    }
    while (scene.spike.plane.openConnections() > 0) await delay(5);
    expect(scene.spike.ended).toEqual([]);
  });

  it('a route takes no SOCKS', async () => {
    const server = await scene.peers.http();
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write(Buffer.of(5, 1, 0));
    expect(await client.toEnd()).toContain('400 Bad Request');
  });
});
