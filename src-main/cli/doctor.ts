import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { findProgram } from '../agent/find-program.ts';
import { caDirectory } from '../agent/home-directory.ts';
import { findRunningAgent, readAgentFile } from '../control/agent-file.ts';
import type { RunningAgent } from '../control/agent-file.ts';
import { certificateAuthorityFromPem } from '../engine/tls/certificate-authority.ts';
import { detectTrustPlatform, isInstalled } from '../engine/tls/system-trust.ts';
import type { Environment } from '../workspace/environment.ts';
import { readWorkspace } from '../workspace/workspace-sync.ts';
import { upstreamLines } from './doctor-upstreams.ts';
import { displayProblem } from './electron.ts';
import { neededMajor } from './find-node.mjs';
import { portOwner } from './port-owner.ts';

/** One line of `spike doctor`. A note needs no mending for Spike to work. */
export interface Examined {
  readonly state: 'ok' | 'note' | 'problem';
  readonly what: string;
  /** What to do about it. */
  readonly mend?: string;
}

export interface Surroundings {
  readonly home: string;
  readonly environment: Environment;
}

/** Looks at everything that Spike depends on; nothing is changed. */
export async function examine({ home, environment }: Surroundings): Promise<Examined[]> {
  const agent = await findRunningAgent(home).catch((error: unknown) => String(error));
  const parts = await Promise.all([
    [nodeVersion()],
    homeAndCa(home),
    [await agentLine(home, agent)],
    Promise.all([7070, 7071].map((port) => portLine(port, typeof agent === 'string' ? null : agent))),
    [await workspaceLine(environment)],
    upstreamLines(resolve('spike.yaml'), environment),
    proxyVariables(environment),
    displayLines(environment),
    runtimes(),
  ]);
  return parts.flat();
}

function nodeVersion(): Examined {
  const { node } = process.versions;
  if (Number(node.split('.')[0]) >= neededMajor) return { state: 'ok', what: `Node ${node}` };
  return {
    state: 'problem',
    what: `Node ${node} is too old`,
    mend: `Install Node ${neededMajor}, or run "npm ci" in Spike's folder.`,
  };
}

async function homeAndCa(home: string): Promise<Examined[]> {
  const facts = await stat(home).catch(() => null);
  if (facts === null)
    return [{ state: 'ok', what: `Home directory ${home}: made at the first start, and the CA with it` }];
  const open = process.platform !== 'win32' && (facts.mode & 0o077) !== 0;
  const line: Examined = open
    ? {
        state: 'problem',
        what: `Home directory ${home} is open to other users (mode ${octal(facts.mode)})`,
        mend: `chmod 700 '${home}'`,
      }
    : { state: 'ok', what: `Home directory ${home}` };
  return [line, ...(await certificateLines(caDirectory(home)))];
}

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');

async function certificateLines(directory: string): Promise<Examined[]> {
  const [certificatePath, keyPath] = [join(directory, 'ca.pem'), join(directory, 'ca-key.pem')];
  if (!existsSync(certificatePath) && !existsSync(keyPath)) {
    return [{ state: 'ok', what: 'CA: none yet; it is made at the first start' }];
  }
  try {
    const [certificatePem, privateKeyPem] = await Promise.all([
      readFile(certificatePath, 'utf8'),
      readFile(keyPath, 'utf8'),
    ]);
    const ca = certificateAuthorityFromPem({
      certificatePem,
      privateKeyPem,
      directory,
      now: Date.now(),
    });
    return [
      { state: 'ok', what: `CA ${certificatePath}, until ${ca.notAfter.toISOString().slice(0, 10)}` },
      await keyModeLine(keyPath),
      await trustLine(ca.path, certificatePem),
    ];
  } catch (error) {
    return [{ state: 'problem', what: 'CA cannot be used', mend: (error as Error).message }];
  }
}

async function keyModeLine(path: string): Promise<Examined> {
  const { mode } = await stat(path);
  if (process.platform === 'win32' || (mode & 0o077) === 0)
    return { state: 'ok', what: 'CA key is for its owner alone' };
  return {
    state: 'problem',
    what: `CA key ${path} can be read by others (mode ${octal(mode)})`,
    mend: `chmod 600 '${path}'; if somebody may have read it, move ca.pem and ca-key.pem away and start again.`,
  };
}

async function trustLine(path: string, certificatePem: string): Promise<Examined> {
  const platform = detectTrustPlatform(process.platform, (name) => findProgram(name) !== null);
  const file = { path, certificatePem, certificateDer: new X509Certificate(certificatePem).raw };
  const installed = platform === null ? null : await isInstalled(platform, file);
  if (installed === true) return { state: 'ok', what: 'This machine trusts the CA' };
  const what =
    installed === null
      ? 'Whether this machine trusts the CA cannot be told'
      : 'This machine does not trust the CA';
  return {
    state: 'note',
    what,
    mend: 'Programs under "spike run" do all the same. For all others: spike ca install',
  };
}

async function agentLine(home: string, agent: RunningAgent | null | string): Promise<Examined> {
  if (typeof agent === 'string') return { state: 'problem', what: 'The agent cannot be asked', mend: agent };
  if (agent !== null)
    return {
      state: 'ok',
      what: `Agent: process ${agent.pid}, proxy ${agent.proxy ?? 'not bound'}, ${agent.control}`,
    };
  const left = await readAgentFile(home).catch(() => null);
  const what = left === null ? 'No agent is running' : `No agent answers (the last was process ${left.pid})`;
  return { state: 'note', what, mend: 'spike start, or spike open' };
}

async function portLine(port: number, agent: RunningAgent | null): Promise<Examined> {
  const own = [agent?.proxy, agent?.control].some((address) => address?.endsWith(`:${port}`));
  if (own) return { state: 'ok', what: `Port ${port} is the agent's` };
  if (await canBind(port)) return { state: 'ok', what: `Port ${port} is free` };
  const owner = await portOwner(port);
  const who = owner === null ? 'another program' : `${owner.command} (process ${owner.pid})`;
  const option = port === 7070 ? '--proxy' : '--control';
  return {
    state: 'problem',
    what: `Port ${port} is taken by ${who}`,
    mend: `Stop it, or give another: spike start ${option} 127.0.0.1:0`,
  };
}

function canBind(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', () => settle(false)); // whatever the reason, the agent would not get it either
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => settle(true)));
  });
}

async function workspaceLine(environment: Environment): Promise<Examined> {
  const path = resolve('spike.yaml');
  if (!existsSync(path)) return { state: 'ok', what: 'No spike.yaml here: settings live in memory' };
  try {
    const { rules, routes } = await readWorkspace(path, environment);
    return { state: 'ok', what: `Workspace ${path}: ${routes.length} routes, ${rules.length} rules` };
  } catch (error) {
    return {
      state: 'problem',
      what: `Workspace ${path} cannot be used`,
      mend: (error as Error).message.split('\n')[0] ?? '',
    };
  }
}

const proxyNames = [
  'http_proxy',
  'HTTP_PROXY',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
];

function proxyVariables(environment: Environment): Examined[] {
  const set = proxyNames.filter((name) => environment[name] !== undefined && environment[name] !== '');
  if (set.length === 0) return [{ state: 'ok', what: 'No proxy is set in this environment' }];
  const values = set.map((name) => `${name}=${withoutPassword(environment[name] ?? '')}`);
  return [
    {
      state: 'note',
      what: `This environment has a proxy: ${values.join(', ')}`,
      mend: 'Programs that are not started with "spike run" use it instead of Spike.',
    },
  ];
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@');
}

function displayLines(environment: Environment): Examined[] {
  const problem = displayProblem(environment, process.platform);
  if (problem === null) return [];
  return [
    {
      state: 'note',
      what: `No window can be shown: ${problem}`,
      mend: 'The same window opens in a browser: spike open prints its URL.',
    },
  ];
}

const runtimePrograms: readonly (readonly [string, readonly string[]])[] = [
  ['node', ['--version']],
  ['curl', ['--version']],
  ['python3', ['--version']],
  ['java', ['-version']],
  ['go', ['version']],
  ['ruby', ['--version']],
  ['php', ['--version']],
  ['dotnet', ['--version']],
];
const versionTimeoutMs = 3000;

/** What `spike run` would find here. A runtime that is not there is no line. */
async function runtimes(): Promise<Examined[]> {
  const lines = await Promise.all(
    runtimePrograms.map(async ([name, words]): Promise<Examined[]> => {
      const path = findProgram(name);
      if (path === null) return [];
      return [{ state: 'ok', what: `Runtime ${name}: ${await firstLine(path, words)}` }];
    }),
  );
  return lines.flat();
}

function firstLine(path: string, words: readonly string[]): Promise<string> {
  return new Promise((settle) => {
    execFile(path, words, { timeout: versionTimeoutMs }, (error, stdout, stderr) => {
      const line = (stdout || stderr).trim().split('\n')[0] ?? '';
      settle(line === '' ? `${path}${error === null ? '' : ', which does not say its version'}` : line);
    });
  });
}
