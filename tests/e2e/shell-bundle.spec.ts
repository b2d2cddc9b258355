import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from './support/open-spike.ts';
import { callThrough, startOrigin } from './support/origin.ts';

// The bundles as they are packed: each process and thread starts from a file of its own.

const built = (path: string): string => fileURLToPath(new URL(`../../out/${path}`, import.meta.url));

test('every process has its bundle, and the preload is CommonJS', () => {
  for (const name of ['index', 'cli', 'worker', 'recorder-thread'])
    expect(existsSync(built(`main/${name}.js`))).toBe(true);
  const preload = readFileSync(built('preload/index.cjs'), 'utf8');
  expect(preload).toContain('require("electron")');
  expect(preload).not.toMatch(/^\s*(import|export)\b/m);
  // A sandboxed preload has no other file to take anything from.
  expect(preload.match(/require\(/g)).toHaveLength(1);
});

test('the bundled command starts an agent with workers and a recorder, and ends it', async ({ home }) => {
  const origin = await startOrigin();
  const words = ['start', '--headless', '--json', '--no-workspace', '--workers=2', '--log-level=warn'];
  const addresses = ['--proxy=127.0.0.1:0', '--control=127.0.0.1:0', `--home=${home}`];
  const agent = spawn(process.execPath, [built('main/cli.js'), ...words, ...addresses], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(agent, 'exit');
  try {
    const [line] = (await once(createInterface({ input: agent.stdout }), 'line')) as [string];
    const { proxy, control, token } = JSON.parse(line) as { proxy: string; control: string; token: string };
    expect(await callThrough(proxy, `http://${origin.address}/v1/charge/card`)).toBe(201);
    await expect
      .poll(async () => {
        const answer = await fetch(`${control}/api/v1/flows`, {
          headers: { authorization: `Bearer ${token}` },
        });
        return ((await answer.json()) as { flows: unknown[] }).flows.length;
      })
      .toBe(1);
    agent.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  } finally {
    agent.kill('SIGKILL');
    await ended;
    await origin.close();
  }
});
