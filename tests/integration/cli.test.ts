import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  endAll,
  eventually,
  spike,
  SpikeProcess,
  startedAgent,
  temporaryDirectory,
} from '../support/spike-process.ts';
import { runProgram } from '../support/run-program.ts';

const servers: Server[] = [];
afterEach(async () => {
  await endAll();
  await Promise.all(
    servers.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    }),
  );
});

async function listening(): Promise<number> {
  const server = createServer((_, response) => response.end('origin\n'));
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true; // ESRCH
  }
};

describe('compiled code', () => {
  it('lies with the packages, for the next start, unless the environment names another place', async () => {
    const bin = fileURLToPath(new URL('../../src-main/cli/main.ts', import.meta.url));
    const place = join(temporaryDirectory(), 'compiled');
    const named = await runProgram(process.execPath, [bin, '--version'], { NODE_COMPILE_CACHE: place });
    expect(named).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readdirSync(place)).toHaveLength(1);
    const own = await runProgram(process.execPath, ['-e', wherefrom(bin)]);
    expect(own).toMatchObject({ exitCode: 0, stderr: '' });
    expect(dirname(own.stdout)).toBe(
      fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)),
    );
  });
});

/** A program that loads the command line without running it, and says where compiled code lies then. */
function wherefrom(path: string): string {
  const url = JSON.stringify(pathToFileURL(path).href);
  return `import(${url}).then(() => process.stdout.write(require('node:module').getCompileCacheDir() ?? ''))`;
}

describe('spike start --json', () => {
  it('prints one line when ready, and its home is for its owner alone', async () => {
    const { process: agent, ready, home, client } = await startedAgent();
    expect(Object.keys(ready)).toEqual(['event', 'proxy', 'control', 'token', 'caPath', 'routes']);
    expect(ready.proxy).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect((await client.agent.status()).workspace).toMatchObject({ state: 'none', path: null });
    agent.kill('SIGTERM');
    const { code, stdout } = await agent.ended;
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
  });

  it('ends on SIGINT as well, with its workers', async () => {
    const { process: agent, client } = await startedAgent();
    const pids = (await client.agent.status()).workers.map(({ pid }) => pid ?? 0);
    expect(pids).toHaveLength(1);
    agent.kill('SIGINT');
    expect((await agent.ended).code).toBe(0);
    await eventually(() => expect(pids.every(isGone)).toBe(true));
  });

  it('ends at once on a second signal', async () => {
    const held = createServer(() => undefined); // never answers: the drain has something to wait for
    servers.push(held);
    await new Promise<void>((done) => held.listen(0, '127.0.0.1', done));
    const { process: agent, ready } = await startedAgent();
    const { port } = held.address() as AddressInfo;
    const [host, proxyPort] = ready.proxy.split(':');
    const { connect } = await import('node:net');
    const client = connect(Number(proxyPort), host);
    client.on('error', () => undefined); // cut, as is expected
    client.write(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    await eventually(async () => {
      const count = await new Promise<number>((done) => held.getConnections((_, n) => done(n)));
      expect(count).toBe(1);
    });
    agent.kill('SIGTERM');
    await eventually(() => expect(agent.stderr).toContain('Ending'));
    agent.kill('SIGTERM');
    const { code } = await agent.ended;
    client.destroy();
    held.closeAllConnections();
    expect(code).toBe(128 + 15);
  });

  it('takes SPIKE_HOME, and the agent file away when it ends', async () => {
    const home = join(temporaryDirectory(), 'h');
    const agent = new SpikeProcess(
      ['start', '--json', '--proxy', '127.0.0.1:0', '--control', '127.0.0.1:0', '--workers', '1'],
      {
        env: { SPIKE_HOME: home },
      },
    );
    await eventually(() => expect(agent.stdout).toContain(home));
    expect(statSync(join(home, 'agent.json')).mode & 0o777).toBe(0o600);
    agent.kill('SIGTERM');
    await agent.ended;
    expect(() => statSync(join(home, 'agent.json'))).toThrow('ENOENT');
  });

  it('a home is for one agent: the second is told who the first is', async () => {
    const { process: first, home } = await startedAgent();
    const second = await spike([
      'start',
      '--proxy',
      '127.0.0.1:0',
      '--control',
      '127.0.0.1:0',
      '--home',
      home,
    ]);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(`(process ${first.pid})`);
    first.kill('SIGKILL'); // nothing is left behind that would keep a third one out
    await first.ended;
    const third = await startedAgent(['--home', home]);
    third.process.kill('SIGTERM');
    expect((await third.process.ended).code).toBe(0);
  });
});

describe('wrong usage and configuration end with 2 and say what to do', () => {
  it.each([
    [['strat'], /unknown command 'strat'[\s\S]*start/],
    [['start', '--jsn'], /unknown option '--jsn'[\s\S]*--json/],
    [['start', '--proxy', '70'], /127\.0\.0\.1:9101/],
    [['start', '--workers', '0'], /whole number from 1/],
    [['start', '--workspace', 'absent.yaml'], /absent\.yaml: There is no such file/],
    [['capture', 'export', 'x', '--format', 'pcapng'], /not available in this version/],
    [['rules', 'enable'], /missing required argument/],
    [['run', '--as', 'a b', '--', 'true'], /No agent is running|no name for a service/],
  ])('%j', async (words, message) => {
    const { code, stdout, stderr } = await spike(words, {
      env: { SPIKE_HOME: join(temporaryDirectory(), 'h') },
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('a workspace file that is wrong: file, line, column, what was expected', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(
      join(cwd, 'spike.yaml'),
      'version: 1\nroutes:\n  - { name: a, listen: 127.0.0.1:x, upstream: "http://b" }\n',
    );
    const home = join(cwd, 'home');
    const { code, stderr } = await spike(['start', '--home', home], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(`${join(cwd, 'spike.yaml')}:3:24: Expected an address and a port`);
    expect(() => statSync(join(home, 'ca'))).toThrow('ENOENT'); // nothing was made on its behalf
  });

  it.each(['--proxy', '--control'])('a port that is taken (%s)', async (option) => {
    const port = await listening();
    const words = [
      'start',
      '--home',
      join(temporaryDirectory(), 'h'),
      '--proxy',
      '127.0.0.1:0',
      '--control',
      '127.0.0.1:0',
    ];
    const { code, stderr } = await spike([...words, option, `127.0.0.1:${port}`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`127.0.0.1:${port} is taken`);
    expect(stderr).toContain(option);
    if (process.platform === 'linux') expect(stderr).toContain(`(process ${process.pid})`);
  });

  it('a CA file that is corrupt: its name', async () => {
    const home = join(temporaryDirectory(), 'h');
    expect((await spike(['ca', 'path', '--home', home])).code).toBe(0);
    const file = join(home, 'ca', 'ca.pem');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 200));
    const { code, stderr } = await spike([
      'start',
      '--home',
      home,
      '--proxy',
      '127.0.0.1:0',
      '--control',
      '127.0.0.1:0',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${file} is not a certificate in PEM`);
  });

  it('a home directory that is a file', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const { code, stderr } = await spike(['start', '--home', file]);
    expect(code).toBe(2);
    expect(stderr).toContain('a file is in its way');
  });
});

describe('spike ca', () => {
  it('makes one CA, gives its path, exports the certificate without its key', async () => {
    const home = join(temporaryDirectory(), 'h');
    const path = (await spike(['ca', 'path', '--home', home])).stdout.trim();
    const target = join(temporaryDirectory(), 'out.pem');
    expect((await spike(['ca', 'export', target, '--home', home])).code).toBe(0);
    expect(readFileSync(target, 'utf8')).toBe(readFileSync(path, 'utf8'));
    expect((await spike(['ca', 'export', '-', '--home', home])).stdout).not.toContain('PRIVATE');
    const refused = await spike(['ca', 'export', join(target, 'below'), '--home', home]);
    expect(refused.code).toBe(1);
  });
});

describe('with a running agent', () => {
  it('rules are listed, turned on and off, and stopped', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(
      join(cwd, 'spike.yaml'),
      'version: 1\nrules:\n  - name: slow\n    faults:\n      - { type: hang }\n',
    );
    const { home, client } = await startedAgent([], { cwd });
    const rules = (words: string[]) => spike(['rules', ...words, '--home', home]);
    expect((await rules(['list'])).stdout).toMatch(/^ID .*\nslow +off +0 /);
    expect((await rules(['enable', 'slow'])).stdout).toContain('slow is on');
    expect((await client.rules.get({ id: 'slow' })).enabled).toBe(true);
    expect(JSON.parse((await rules(['list', '--json'])).stdout)).toMatchObject([
      { id: 'slow', enabled: true },
    ]);
    expect((await rules(['clear'])).stdout).toContain('1 turned off: slow');
    const unknown = await rules(['enable', 'nothing']);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('nothing');
  });

  it('rules are imported, moved and exported, and the file has them', async () => {
    const cwd = temporaryDirectory();
    const workspace = join(cwd, 'spike.yaml');
    writeFileSync(workspace, 'version: 1\nrules:\n  - name: slow\n    faults:\n      - { type: hang }\n');
    const given = join(cwd, 'given.yaml');
    writeFileSync(
      given,
      '- { name: slow, enabled: true, faults: [{ type: hang }] }\n- { name: fails, faults: [{ type: status, status: 503 }] }\n',
    );
    const { home, client } = await startedAgent([], { cwd });
    const rules = (words: string[]) => spike(['rules', ...words, '--home', home]);
    const ids = async () => (await client.rules.list()).map(({ id }) => id);
    const taken = await rules(['import', given]);
    expect(taken.code).toBe(2);
    expect(taken.stderr).toContain('"slow"');
    expect((await rules(['import', given, '--rename', '--dry-run'])).stdout).toContain('slow 2');
    expect(await ids()).toEqual(['slow']);
    const imported = await rules(['import', given, '--rename']);
    expect(imported.stdout).toMatch(/slow 2 .*\nfails /);
    expect(imported.stderr).toContain('line 1, [0].enabled: It is on there, and off as it is added here.');
    expect((await rules(['move', 'fails', 'slow'])).stdout).toBe('fails\nslow\nslow-2\n');
    const own = (await rules(['export', '--rule', 'fails', '--rule', 'slow-2'])).stdout;
    expect(own).toContain('name: fails');
    expect(own).not.toContain('name: slow\n');
    const istio = join(cwd, 'istio.yaml');
    expect((await rules(['export', '--format', 'istio', istio])).code).toBe(0);
    expect(readFileSync(istio, 'utf8')).toContain('VirtualServices of Istio');
    expect((await rules(['export', '--rule', 'x'])).stderr).toContain('There is no rule with the id "x".');
    expect((await rules(['import', join(cwd, 'none.yaml')])).stderr).toContain('cannot be read: ENOENT');
    await vi.waitFor(
      () => expect(readFileSync(workspace, 'utf8')).toMatch(/name: fails[^]*name: slow[^]*name: slow 2/),
      { timeout: 4000 },
    );
  });

  it('captured calls are exported', async () => {
    const port = await listening();
    const { home, ready, client } = await startedAgent();
    const [host = '', proxyPort] = ready.proxy.split(':');
    const { request } = await import('node:http');
    await new Promise((done, fail) => {
      const path = `http://127.0.0.1:${port}/exported`;
      request(
        { host, port: proxyPort, path, headers: { authorization: 'secret-of-mine' }, agent: false },
        (answer) => answer.resume().on('end', done),
      )
        .on('error', fail)
        .end();
    });
    await eventually(async () => expect((await client.flows.count({ filter: '' })).total).toBe(1));
    const file = join(temporaryDirectory(), 'calls.har');
    expect((await spike(['capture', 'export', file, '--home', home])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('/exported');
    expect(readFileSync(file, 'utf8')).not.toContain('secret-of-mine');
    const open = await spike(['capture', 'export', '-', '--no-redact', '--home', home]);
    expect(open.stdout).toContain('secret-of-mine');
    expect((await spike(['capture', 'list', '--home', home])).stdout).toMatch(/current +1 /);
  });

  it('doctor finds it, and says so', async () => {
    const { home, process: agent } = await startedAgent();
    const { stdout } = await spike(['doctor', '--home', home]);
    expect(stdout).toContain(`Agent: process ${agent.pid}`);
    expect(stdout).toContain('CA key is for its owner alone');
  });
});

describe('spike doctor', () => {
  it('ends with 1 where something has to be mended, and says how', async () => {
    const home = join(temporaryDirectory(), 'h');
    await spike(['ca', 'path', '--home', home]);
    chmodSync(join(home, 'ca', 'ca-key.pem'), 0o644);
    const { code, stdout } = await spike(['doctor', '--home', home]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/problem +CA key .* can be read by others[\s\S]*chmod 600/);
  });
});

describe('spike open, without a display', () => {
  it('says so in one line and gives the URL of the same window', async () => {
    const home = join(temporaryDirectory(), 'h');
    const words = ['--proxy', '127.0.0.1:0', '--control', '127.0.0.1:0', '--workers', '1', '--home', home];
    const app = new SpikeProcess(words, {
      env: { DISPLAY: '', WAYLAND_DISPLAY: '', SPIKE_NO_ELECTRON: '1' },
    });
    await eventually(() => expect(app.stdout).toContain('Open the URL'));
    expect(app.stderr.trim().split('\n')[0]).toBe(
      'No Electron window: SPIKE_NO_ELECTRON is set. The same window runs in a browser.',
    );
    expect(app.stdout).toMatch(/window +http:\/\/127\.0\.0\.1:\d+\/#token=\S+\n/);
    app.kill('SIGTERM');
    expect((await app.ended).code).toBe(0);
  });
});

describe('the command under npm', () => {
  it('is found through the link that npm makes', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'bin'));
    const { default: path } = await import('node:path');
    symlinkSync(path.resolve('src-main/cli/bin.mjs'), join(directory, 'bin', 'spike'));
    const { execFile } = await import('node:child_process');
    const output = await new Promise<string>((done, fail) => {
      execFile(process.execPath, [join(directory, 'bin', 'spike'), '--version'], (error, stdout) =>
        error ? fail(error) : done(stdout),
      );
    });
    expect(output.trim()).toBe(
      (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version,
    );
  });
});
