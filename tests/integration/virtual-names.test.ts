import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { createServer } from 'node:http';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { callThrough, oneConnection } from '../support/proxy-client.ts';
import { useTrust } from '../support/test-trust.ts';
import { runProgram } from '../support/run-program.ts';

const trust = useTrust();
const scene = useScene({}, { connectTimeoutMs: 1000 });

/** A service that tells which Host and path it was asked for, with a route named `orders` to it. */
async function orders(scheme: 'http' | 'tcp' = 'http') {
  const server = await scene.peers.http((asked, response) =>
    response.end(`${asked.headers.host}${asked.url}`),
  );
  await scene.spike.configure({ routes: [routeTo(server.port, scheme, 'orders')] });
  return server;
}

/** The same over TLS, for localhost, named `payments`. */
async function payments() {
  const server = await scene.peers.https(trust.site, (asked, response) =>
    response.end(`secret ${asked.headers.host}${asked.url}`),
  );
  await scene.spike.configure({
    routes: [{ name: 'payments', listen: '127.0.0.1:0', upstream: `https://localhost:${server.port}` }],
    tls: { extraRootsPem: [trust.siteCaPem] },
  });
  return server;
}

const asCallee = { callee: { name: 'orders', resolvedBy: 'route' }, route: 'orders', error: null };

describe('the virtual name of a route', () => {
  it.each([
    ['in absolute form', []],
    ['inside CONNECT', ['--proxytunnel']],
    ['by SOCKS5', ['--proxy', 'socks5h']],
  ])('leads to its upstream %s, by curl, with any port', async (_, how) => {
    const server = await orders();
    const args = how.map((one) => (one === 'socks5h' ? `socks5h://${scene.spike.proxy}` : one));
    const { stdout } = await runProgram(
      'curl',
      curlArgs(scene.spike, ...args, 'http://orders.internal:1234/a'),
    );
    expect(stdout).toBe('orders.internal:1234/a');
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({
      ...asCallee,
      http: { url: `http://127.0.0.1:${server.port}/a` },
      upstream: { address: `127.0.0.1:${server.port}` },
    });
  });

  it('leads there by Node, in any case and with a final dot', async () => {
    await orders();
    for (const name of ['orders.internal', 'Orders.INTERNAL', 'orders.internal.']) {
      const { body } = await callThrough(scene.spike.proxy, `http://${name}/b`);
      expect(body.toLowerCase()).toBe(`${name.toLowerCase()}/b`);
    }
    const flows = await scene.spike.flows(3);
    for (const { flow } of flows) expect(flow).toMatchObject(asCallee);
    expect(flows[2]?.flow.upstream?.reused).toBe(true);
  });

  it('has a certificate: TLS inside CONNECT goes on as plain HTTP where the route says http', async () => {
    await orders();
    const args = curlArgs(scene.spike, '--cacert', trust.caFile, 'https://orders.internal/c');
    expect((await runProgram('curl', args)).stdout).toBe('orders.internal/c');
    expect((await scene.spike.flow()).flow).toMatchObject({
      ...asCallee,
      tls: { intercepted: true, sni: 'orders.internal' },
    });
  });

  it('shows that certificate for the name, to Node', async () => {
    await orders();
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write('CONNECT orders.internal:443 HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.see('\r\n\r\n');
    client.socket.removeAllListeners('data');
    const secure = connectTls({
      socket: client.socket,
      servername: 'orders.internal',
      ca: scene.spike.caPem,
    });
    scene.peers.also(() => void secure.destroy());
    await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
    expect(secure.getPeerCertificate().subjectaltname).toBe('DNS:orders.internal');
  });

  it.each(['http', 'https'])('goes on over TLS where the route says https, asked by %s', async (scheme) => {
    const server = await payments();
    const args = curlArgs(scene.spike, '--cacert', trust.caFile, `${scheme}://payments.internal/pay`);
    expect((await runProgram('curl', args)).stdout).toBe('secret payments.internal/pay');
    expect((await scene.spike.flow()).flow).toMatchObject({
      callee: { name: 'payments' },
      http: { url: `https://localhost:${server.port}/pay` },
    });
  });

  it('of a tcp route is a tunnel for bytes, and HTTP for HTTP', async () => {
    const echo = await scene.peers.tcp((socket) => {
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('end', () => socket.end());
    });
    await scene.spike.configure({ routes: [routeTo(echo.port, 'tcp', 'orders')] });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write('CONNECT orders.internal:5432 HTTP/1.1\r\nHost: a\r\n\r\n\x00raw');
    await client.see('\x00raw');
    client.end();
    await client.toClose();
    expect((await scene.spike.flow()).flow).toMatchObject({ ...asCallee, kind: 'tcp' });
    await orders('tcp');
    expect((await callThrough(scene.spike.proxy, 'http://orders.internal/t')).body).toBe('orders.internal/t');
  });

  it('leads nowhere by itself when no route has it', async () => {
    await orders();
    const answer = await callThrough(scene.spike.proxy, 'http://nobody.internal/');
    expect(answer.headers['spike-error']).toBe('upstream-dns-failed');
  });

  it('is matched by rules as the callee that it is', async () => {
    await orders();
    await scene.spike.configure({
      rules: [{ name: 'busy', match: { callee: 'orders' }, faults: [{ type: 'status', status: 503 }] }],
    });
    expect((await callThrough(scene.spike.proxy, 'http://orders.internal/')).status).toBe(503);
  });

  it('follows its route at once: a connection that was led by it ends with the call at hand', async () => {
    await orders();
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(
      'CONNECT orders.internal:80 HTTP/1.1\r\nHost: a\r\n\r\nGET /1 HTTP/1.1\r\nHost: orders.internal\r\n\r\n',
    );
    await client.see('orders.internal/1');
    const agent = oneConnection();
    scene.peers.also(() => agent.destroy());
    await callThrough(scene.spike.proxy, 'http://orders.internal/2', { agent });
    const moved = await scene.peers.http((_, response) => response.end('moved'));
    await scene.spike.configure({ routes: [routeTo(moved.port, 'http', 'orders')] });
    expect((await callThrough(scene.spike.proxy, 'http://orders.internal/3', { agent })).body).toBe('moved');
    await client.toClose();
  });
});

describe('the Host that an upstream is sent', () => {
  it("is its own when it is on another machine, and the client's where that was not the virtual name", async ({
    skip,
  }) => {
    // An address of this machine that is not its loopback stands for another machine.
    const other = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .find((one) => one.family === 'IPv4' && !one.internal)?.address;
    skip(other === undefined, 'this machine has no other address');
    const server = createServer((asked, response) => response.end(asked.headers.host));
    server.listen(0, other);
    await once(server, 'listening');
    scene.peers.also(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as { port: number };
    const upstream = `http://${other}:${port}`;
    await scene.spike.configure({ routes: [{ name: 'orders', listen: '127.0.0.1:0', upstream }] });
    expect((await callThrough(scene.spike.proxy, 'http://orders.internal/')).body).toBe(`${other}:${port}`);
    const inside = curlArgs(scene.spike, '--proxytunnel', 'http://orders.internal/');
    expect((await runProgram('curl', inside)).stdout).toBe(`${other}:${port}`);
    const named = curlArgs(scene.spike, '--proxytunnel', '-H', 'Host: shop', 'http://orders.internal/');
    expect((await runProgram('curl', named)).stdout).toBe('shop');
  });
});
