import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { makeAuthority, testAuthority } from '../support/data-plane-harness.ts';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { serveHttp2 } from '../support/http2-peers.ts';
import type { ServeStream } from '../support/http2-peers.ts';
import { runProgram } from '../support/run-program.ts';

const scene = useScene();
const hasNghttp = spawnSync('nghttp', ['--version']).status === 0;
const body = 'x'.repeat(300_000);
let directory: string;
let caFile: string;
let siteCaPem: string;
let siteTls: { key: string; cert: string };

beforeAll(async () => {
  const siteCa = await makeAuthority();
  const issuer = createLeafIssuer({ ca: siteCa, now: () => Date.now() });
  siteCaPem = siteCa.certificatePem;
  siteTls = { key: issuer.privateKeyPem, cert: issuer.issue('localhost')?.chainPem ?? '' };
  directory = await mkdtemp(join(tmpdir(), 'spike-http2-clients-'));
  caFile = join(directory, 'ca.pem');
  await writeFile(caFile, (await testAuthority()).certificatePem);
  await writeFile(join(directory, 'body'), body);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Answers with how much came, and then as much again. */
const measure: ServeStream = (stream) => {
  let sizeBytes = 0;
  stream.on('data', (chunk: Buffer) => (sizeBytes += chunk.length));
  stream.on('end', () => {
    stream.respond({ ':status': 200 });
    stream.end(`${sizeBytes} ${'y'.repeat(sizeBytes)}`);
  });
};

describe('curl', () => {
  const version = ['-w', ' %{http_version} %{http_code}'];

  it('speaks HTTP/2 inside CONNECT', async () => {
    await scene.spike.configure({ tls: { extraRootsPem: [siteCaPem] } });
    const { port } = await serveHttp2(scene.peers, measure, siteTls);
    const url = `https://localhost:${port}/`;
    const upload = ['--data-binary', `@${join(directory, 'body')}`];
    const { stdout } = await runProgram(
      'curl',
      curlArgs(scene.spike, '--http2', '--cacert', caFile, ...upload, ...version, url),
    );
    expect(stdout).toBe(`300000 ${'y'.repeat(300_000)} 2 200`);
    expect((await scene.spike.flow()).flow).toMatchObject({
      http: { httpVersion: '2' },
      sizes: { requestBody: 300_000 },
    });
  });

  it('speaks it from the first byte, on a route and inside CONNECT, and HTTP/1.1 after asking for h2c', async () => {
    const { port } = await serveHttp2(scene.peers, measure);
    await scene.spike.configure({
      routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${port}` }],
    });
    const route = `http://${scene.spike.address('service')}/`;
    const plain = ['-sS', '-m', '20', ...version];
    expect((await runProgram('curl', [...plain, '--http2-prior-knowledge', route])).stdout).toBe('0  2 200');
    expect((await runProgram('curl', [...plain, '--http2', route])).stdout).toBe('0  1.1 200');
    const inside = curlArgs(
      scene.spike,
      '-p',
      '--http2-prior-knowledge',
      ...version,
      `http://127.0.0.1:${port}/`,
    );
    expect((await runProgram('curl', inside)).stdout).toBe('0  2 200');
  });
});

describe.skipIf(!hasNghttp)('nghttp', () => {
  it('has many streams at once over one connection, to an upstream of either version', async () => {
    const { port } = await serveHttp2(scene.peers, measure, siteTls);
    const http1 = await scene.peers.http((_request, response) => response.end('one'));
    await scene.spike.configure({
      tls: { extraRootsPem: [siteCaPem] },
      routes: [
        { name: 'two', listen: '127.0.0.1:0', upstream: `https://localhost:${port}` },
        routeTo(http1.port, 'http', 'one'),
      ],
    });
    for (const url of [`https://${scene.spike.address('two')}/`, `http://${scene.spike.address('one')}/`]) {
      const { stdout, exitCode } = await runProgram('nghttp', [
        '--no-verify-peer',
        '-n',
        '-s',
        '-m',
        '30',
        url,
      ]);
      expect(exitCode).toBe(0);
      expect(stdout.match(/ 200 /g)).toHaveLength(30);
    }
    const flows = await scene.spike.flows(60);
    expect(new Set(flows.map(({ flow }) => flow.connectionId)).size).toBe(2);
  });
});
