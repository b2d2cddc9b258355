import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRestClient } from '../../src-main/control/rest-client.ts';
import type { AgentClient } from '#shared/contract/contract.ts';
import type { WorkerStatus } from '#shared/contract/status.ts';
import type { Flow } from '#shared/flow/flow.ts';
import { SpikeProcess, endAll, eventually, spike, temporaryDirectory } from './spike-process.ts';
import type { Ended, Ready } from './spike-process.ts';

/** `spike start` with real workers, real sockets and a real store, asked as any program asks it. */
export interface RealAgent {
  readonly ready: Ready;
  readonly home: string;
  /** `http://127.0.0.1:PORT`, for clients that are told their proxy. */
  readonly proxyUrl: string;
  readonly workspacePath: string;
  readonly client: AgentClient;
  readonly process: SpikeProcess;
  /** The proxy with credentials that name the caller. */
  proxyFor(caller: string): string;
  windowUrl(view?: 'live' | 'map' | 'faults' | 'setup'): string;
  /** GET under /api/v1, with the token; the status is the caller's to judge. */
  get(path: string): Promise<Response>;
  /** What was captured and matches, newest first, whole. */
  flows(filter?: string): Promise<Flow[]>;
  workers(): Promise<WorkerStatus[]>;
  workspaceText(): string;
  /** `spike ca export`: the file that clients are given. */
  exportedCa(): Promise<string>;
  /** SIGTERM, and how it ended. */
  stop(): Promise<Ended>;
}

export interface RealAgentOptions {
  /** The text of its spike.yaml. Default: one without rules and routes. */
  readonly workspace?: string;
  /** Default 2. */
  readonly workers?: number;
  /** One that was used before; default: a new one. */
  readonly home?: string;
  readonly words?: readonly string[];
}

export async function startRealAgent(options: RealAgentOptions = {}): Promise<RealAgent> {
  const directory = temporaryDirectory();
  const { home = join(directory, 'home'), workers = 2, workspace = 'version: 1\n', words = [] } = options;
  const workspacePath = join(directory, 'spike.yaml');
  writeFileSync(workspacePath, workspace);
  const places = ['--home', home, '--proxy', '127.0.0.1:0', '--control', '127.0.0.1:0'];
  const child = new SpikeProcess(
    ['start', '--headless', '--json', ...places, '--workers', String(workers), ...words],
    { cwd: directory },
  );
  const ready = await readiness(child);
  const client = createRestClient({ baseUrl: ready.control, token: ready.token });
  const get = (path: string): Promise<Response> =>
    fetch(`${ready.control}/api/v1${path}`, { headers: { authorization: `Bearer ${ready.token}` } });
  return {
    ready,
    home,
    proxyUrl: `http://${ready.proxy}`,
    workspacePath,
    client,
    process: child,
    proxyFor: (caller) => `http://${caller}:x@${ready.proxy}`,
    windowUrl: (view) => `${ready.control}/#token=${ready.token}${view === undefined ? '' : `&view=${view}`}`,
    get,
    async flows(filter = '') {
      const answer = await get(`/flows?limit=1000&filter=${encodeURIComponent(filter)}`);
      if (!answer.ok) throw new Error(`GET /flows answered ${answer.status}: ${await answer.text()}`);
      return ((await answer.json()) as { flows: Flow[] }).flows;
    },
    workers: async () => (await client.agent.status()).workers,
    workspaceText: () => readFileSync(workspacePath, 'utf8'),
    async exportedCa() {
      const file = join(directory, 'exported.pem');
      const { code, stderr } = await spike(['ca', 'export', file, '--home', home]);
      if (code !== 0) throw new Error(`spike ca export ended with ${code}: ${stderr}`);
      return file;
    },
    stop() {
      child.kill('SIGTERM');
      return child.ended;
    },
  };
}

async function readiness(child: SpikeProcess): Promise<Ready> {
  let ended: Ended | null = null;
  void child.ended.then((end) => (ended = end));
  await eventually(() => {
    if (child.stdout.includes('\n') || ended !== null) return;
    throw new Error(`not ready: ${child.stderr}`);
  });
  if (ended !== null) throw new Error(`It ended before it was ready: ${child.stderr}`);
  return JSON.parse(child.stdout) as Ready;
}

/** Ends every agent that a test left running, and takes their directories away. */
export { endAll as endRealAgents, eventually, spike, temporaryDirectory };
