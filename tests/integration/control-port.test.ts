import { hostname, networkInterfaces } from 'node:os';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { useScene } from '../support/data-plane-test.ts';
import { runProgram } from '../support/run-program.ts';

const scene = useScene();
/** Stands for the control API: what reaches it is counted. */
let control: Server & { readonly port: number };
let reached: string[];

beforeEach(async () => {
  reached = [];
  control = await scene.peers.http((asked, response) => {
    reached.push(asked.url ?? '');
    response.end('the control API');
  });
  await scene.spike.configure({ forbiddenUpstreams: [`127.0.0.1:${control.port}`] });
});

/** All that leads to 127.0.0.1 on some system or other; some of them lead nowhere on this one. */
const spellings = [
  '127.0.0.1', 'localhost', 'LOCALHOST', 'localhost.', '127.0.0.2', '127.1', '127.0.1', '0.0.0.0', '0', '2130706433',
  '0x7f000001', '0x7f.1', '017700000001', '0177.0.0.1', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]',
  '[0:0:0:0:0:0:0:1]', '[0:0:0:0:0:ffff:7f00:1]', hostname(),
]; // prettier-ignore

async function say(bytes: string | Buffer, port = scene.spike.proxyPort): Promise<string> {
  const client = await scene.peers.connect(port);
  client.write(bytes).end();
  // Spike lingers after its last byte for who still speaks: nobody does.
  await Promise.race([client.toEnd(), client.toClose()]);
  client.socket.destroy();
  return client.text;
}

/** The four ways in which a client says where it wants to go. */
const ways: Readonly<Record<string, (host: string) => Promise<string>>> = {
  'a whole URL': async (host) => {
    const at = `${host}:${control.port}`;
    const text = await say(`GET http://${at}/x HTTP/1.1\r\nHost: ${at}\r\n\r\n`);
    // A spelling that is no host, or that resolves to nothing here, is refused for that.
    expect(text).toMatch(/^HTTP\/1\.1 (403|502|400) /);
    return text;
  },
  CONNECT: (host) => {
    const at = `${host}:${control.port}`;
    return say(`CONNECT ${at} HTTP/1.1\r\nHost: ${at}\r\n\r\nGET /x HTTP/1.1\r\nHost: ${at}\r\n\r\n`);
  },
  SOCKS5: (host) => {
    const name = Buffer.from(host.replace(/[[\]]/g, ''));
    const port = Buffer.of(control.port >> 8, control.port & 0xff);
    const asked = Buffer.concat([Buffer.of(5, 1, 0, 5, 1, 0, 3, name.length), name, port]);
    return say(Buffer.concat([asked, Buffer.from('GET /x HTTP/1.1\r\nHost: a\r\n\r\n')]));
  },
  'a route': async (host) => {
    const upstream = `http://${host}:${control.port}`;
    await scene.spike.configure({ routes: [{ name: 'sly', listen: '127.0.0.1:0', upstream }] });
    return say('GET /x HTTP/1.1\r\nHost: a\r\n\r\n', scene.spike.port('sly'));
  },
};

it.each(spellings)('the control API is not reached by any way as %s', async (host) => {
  for (const [way, call] of Object.entries(ways)) {
    expect(await call(host), way).not.toContain('the control API');
    expect(reached, way).toEqual([]);
  }
});

describe('the control API', () => {
  it('is what this would reach, if it were not forbidden', async () => {
    await scene.spike.configure({ forbiddenUpstreams: [] });
    const at = `2130706433:${control.port}`;
    expect(await say(`GET http://${at}/x HTTP/1.1\r\nHost: ${at}\r\n\r\n`)).toContain('the control API');
  });

  it('is not reached by a Host that says one thing and a target that says another', async () => {
    const server = await scene.peers.http((_, response) => response.end('elsewhere'));
    const own = `127.0.0.1:${control.port}`;
    const other = `127.0.0.1:${server.port}`;
    for (const [target, host] of [
      [own, other],
      [other, own],
    ] as const) {
      const text = await say(`GET http://${target}/x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(text).not.toContain('the control API');
    }
    expect(reached).toEqual([]);
  });

  it('is not reached by a client that follows a redirect to it', async () => {
    const server = await scene.peers.http((_, response) => {
      response.writeHead(302, { location: `http://localhost:${control.port}/x` }).end();
    });
    const args = [
      '-sS',
      '-L',
      '-m',
      '10',
      '-x',
      `http://${scene.spike.proxy}`,
      `http://127.0.0.1:${server.port}/`,
    ];
    expect((await runProgram('curl', args)).stdout).toContain('a port of this Spike itself');
    expect(reached).toEqual([]);
  });

  it('is not reached over a connection that was kept to another port', async () => {
    const server = await scene.peers.http((_, response) => response.end('fine'));
    const own = `127.0.0.1:${control.port}`;
    const text = await say(
      `GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\n\r\nGET http://${own}/x HTTP/1.1\r\nHost: ${own}\r\n\r\n`,
    );
    expect(text).toContain('fine');
    expect(text).toContain('HTTP/1.1 403 Forbidden');
    expect(reached).toEqual([]);
  });

  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);

  it.runIf(addresses.length > 0)('bound to all addresses, is not reached by any of the machine', async () => {
    control.closeAllConnections();
    await new Promise((resolve) => control.close(resolve));
    const { port } = await new Promise<AddressInfo>((resolve) => {
      control.listen(0, '0.0.0.0', () => resolve(control.address() as AddressInfo));
    });
    await scene.spike.configure({ forbiddenUpstreams: [`0.0.0.0:${port}`] });
    for (const address of [...addresses, '127.0.0.1', '127.3.2.1', '2130706433']) {
      const at = `${address}:${port}`;
      expect(await say(`GET http://${at}/x HTTP/1.1\r\nHost: ${at}\r\n\r\n`)).toContain('403 Forbidden');
    }
    expect(reached).toEqual([]);
  });
});
