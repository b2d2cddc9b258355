// `spike run --as orders`: programs that know nothing of Spike call as `orders`, trust its CA, and end as they end.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSite } from '../support/https-site.ts';
import type { Site } from '../support/https-site.ts';
import {
  endRealAgents,
  eventually,
  spike,
  startRealAgent,
  temporaryDirectory,
} from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { cleanEnvironment, isInstalled } from '../support/run-program.ts';

let agent: RealAgent;
let sites: { http: Site; https: Site };
beforeAll(async () => {
  sites = { http: await startSite(null), https: await startSite(temporaryDirectory()) };
  agent = await startRealAgent({ workspace: `version: 1\ntls:\n  trust: [${sites.https.caPath}]\n` });
});
afterAll(async () => {
  await endRealAgents();
  for (const site of Object.values(sites)) await site[Symbol.asyncDispose]();
});

const runAs = (service: string, ...command: string[]) =>
  spike(['run', '--home', agent.home, '--as', service, '--', ...command], { env: cleanEnvironment() });

const programs: [string, string, (urls: string[]) => string[]][] = [
  ['curl', 'curl', (urls) => ['-sS', ...urls]],
  [
    'node',
    process.execPath,
    (urls) => [
      '--input-type=module',
      '-e',
      `for (const url of ${JSON.stringify(urls)}) process.stdout.write(await (await fetch(url)).text());`,
    ],
  ],
  [
    'python',
    'python3',
    (urls) => [
      '-c',
      `import sys, urllib.request\nfor url in ${JSON.stringify(urls)}: sys.stdout.write(urllib.request.urlopen(url).read().decode())`,
    ],
  ],
];

describe('the caller has the name that was given', () => {
  for (const [name, program, args] of programs) {
    it.skipIf(!isInstalled(program))(name, async () => {
      const service = `orders-${name}`;
      const urls = [`${sites.http.origin}/${name}`, `${sites.https.origin}/${name}`];
      const { code, stdout, stderr } = await runAs(service, program, ...args(urls));
      expect({ code, stdout }, stderr).toMatchObject({ code: 0, stdout: 'finefine' });
      const flows = await eventually(async () => {
        const found = await agent.flows(`caller:${service}`);
        expect(found.map(({ http }) => http?.url).sort()).toEqual(urls);
        return found;
      });
      for (const flow of flows) expect(flow).toMatchObject({ http: { status: 200 }, error: null });
      expect(sites.http.requests).toContain(`GET /${name}`);
      expect(sites.https.requests).toContain(`GET /${name}`);
    });
  }
});

describe('it ends as its command ends', () => {
  it.each([
    [0, ['-e', '']],
    [7, ['-e', 'process.exit(7)']],
    [143, ['-e', 'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 10_000)']],
  ])('%i', async (code, args) => {
    expect((await runAs('orders', process.execPath, ...args)).code).toBe(code);
  });

  it('127 for what is not there, with its name', async () => {
    const { code, stderr } = await runAs('orders', 'no-such-program-here');
    expect(code).toBe(127);
    expect(stderr).toContain('no-such-program-here');
  });

  it('what the command prints is left alone, on both streams', async () => {
    const script = 'process.stdout.write("out"); process.stderr.write("err")';
    expect(await runAs('orders', process.execPath, '-e', script)).toMatchObject({
      stdout: 'out',
      stderr: 'err',
    });
  });

  it('without an agent: 1, and what to start', async () => {
    const { code, stderr } = await spike(['run', '--home', temporaryDirectory(), '--', 'true']);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/spike start|No agent is running/);
  });
});
