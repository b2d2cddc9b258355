import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flow } from '#shared/flow/flow.ts';
import {
  endAll,
  eventually,
  spike,
  SpikeProcess,
  startedAgent,
  temporaryDirectory,
} from '../support/spike-process.ts';
import type { StartedAgent } from '../support/spike-process.ts';

let agent: StartedAgent;
let origin: Server;
let url: string;

beforeAll(async () => {
  agent = await startedAgent();
  origin = createServer((_, response) => response.end('origin'));
  await new Promise<void>((done) => origin.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await endAll();
  await new Promise((done) => origin.close(done));
});

const run = (words: string[], ...command: string[]) =>
  spike(['run', '--home', agent.home, ...words, '--', ...command]);
const node = process.execPath;

describe('spike run', () => {
  it("gives the command's exit code, and its output untouched", async () => {
    const { code, stdout, stderr } = await run(
      [],
      node,
      '-e',
      'console.log("out"); console.error("err"); process.exit(7)',
    );
    expect({ code, stdout, stderr }).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  it('gives 128 and the number for a signal', async () => {
    expect((await run([], node, '-e', 'process.kill(process.pid, "SIGKILL")')).code).toBe(128 + 9);
  });

  it('gives 127 for a program that is not there, 126 for one that cannot be run', async () => {
    const file = join(temporaryDirectory(), 'plain');
    writeFileSync(file, 'no program');
    chmodSync(file, 0o644);
    expect(await run([], 'no-such-program-here')).toMatchObject({ code: 127, stdout: '' });
    expect(await run([], file)).toMatchObject({ code: 126, stdout: '' });
  });

  it('passes signals on, and the answer back', async () => {
    const script =
      'process.on("SIGTERM", () => process.exit(42)); setInterval(() => {}, 1000); console.log("up")';
    const child = new SpikeProcess(['run', '--home', agent.home, '--', node, '-e', script]);
    await eventually(() => expect(child.stdout).toBe('up\n'));
    child.kill('SIGTERM');
    expect((await child.ended).code).toBe(42);
  });

  it('needs no -- for the options of the command', async () => {
    const { stdout } = await spike(['run', '--home', agent.home, 'echo', '--json', '--home']);
    expect(stdout).toBe('--json --home\n');
  });

  it('names the caller, whose calls pass through Spike', async () => {
    const script = `require('node:http').get('${url}/from-node', (a) => a.resume().on('end', () => console.log(a.statusCode)))`;
    const { code, stdout } = await run(['--as', 'checkout'], node, '-e', script);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '200\n' });
    await eventually(async () => {
      const { flows } = await agent.client.flows.list({ filter: 'path:/from-node' });
      expect((flows[0] as Flow | undefined)?.caller.name).toBe('checkout');
    });
  });

  it('leaves Spike itself usable within it', async () => {
    const bin = fileURLToPath(new URL('../../src-main/cli/bin.mjs', import.meta.url));
    const { code, stdout, stderr } = await run([], node, bin, 'rules', 'list', '--home', agent.home);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'There are no rules.\n', stderr: '' });
  });

  it('sets the trust for runtimes to a bundle that is there', async () => {
    const script =
      'const fs = require("fs"); console.log(fs.readFileSync(process.env.SSL_CERT_FILE, "utf8").startsWith(fs.readFileSync(process.env.NODE_EXTRA_CA_CERTS, "utf8").trim().slice(0, 200)))';
    expect((await run([], node, '-e', script)).stdout).toBe('true\n');
  });

  it('refuses a name that cannot be one, and says where there is no agent', async () => {
    expect(await run(['--as', 'a b'], 'true')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--as') as string,
    });
    const alone = await spike(['run', '--home', join(temporaryDirectory(), 'h'), '--', 'true']);
    expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining('spike start') as string });
  });
});
