import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { upstreamLines } from '../../../../src-main/cli/doctor-upstreams.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spike-doctor-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function lines(text: string) {
  const path = join(directory, 'spike.yaml');
  writeFileSync(path, `version: 1\n${text}\n`);
  return upstreamLines(path, {});
}

describe('what spike doctor says of upstreams', () => {
  it('is nothing where nothing is set, and where the file is wrong', async () => {
    expect(await lines('')).toEqual([]);
    expect(await lines('upstreamProxy: 5')).toEqual([]);
  });

  it('is whether the proxy accepts, without its password', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const setting = `upstreamProxy: http://me:geheim@127.0.0.1:${port}`;
    expect(await lines(setting)).toEqual([
      { state: 'ok', what: `Upstream proxy http://me@127.0.0.1:${port} accepts connections` },
    ]);
    server.close();
    await once(server, 'close');
    const [line] = await lines(setting);
    expect(line).toMatchObject({
      state: 'problem',
      what: `Upstream proxy http://me@127.0.0.1:${port} cannot be reached (ECONNREFUSED)`,
    });
  });

  it('is which file of a client certificate cannot be used', async () => {
    const [line] = await lines('tls: { clientCertificates: [{ host: a, pkcs12: none.p12 }] }');
    expect(line?.state).toBe('problem');
    expect(line?.mend).toContain('none.p12 cannot be read (ENOENT)');
  });
});
