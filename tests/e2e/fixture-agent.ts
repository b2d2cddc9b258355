import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test as base } from '@playwright/test';

/** The real control API over an engine that makes up its calls: what the window shows is asked from outside as well. */
export interface FixtureAgent {
  /** Where the window is, with its token in the fragment. */
  readonly url: string;
  readonly token: string;
  /** Asks the REST API; rejects when the status is not 2xx. */
  ask<T>(path: string, init?: RequestInit): Promise<T>;
  /** Ends the process and waits until it is gone. */
  stop(): Promise<void>;
}

interface StartOptions {
  /** Calls a second. */
  rate: number;
  /** Seconds of calls that there are at the start. Default 300. */
  history?: number;
  /** Begins without calls, until the window starts the example shop. */
  demo?: boolean;
  /** The most calls that it keeps. Default 50,000. */
  maxFlows?: number;
  /** Default: a free one. */
  port?: number;
  /** Default: one that nobody knows. */
  token?: string;
}

export async function startFixtureAgent(start: StartOptions): Promise<FixtureAgent> {
  const { rate, port = 0, history = 300, maxFlows = 50_000, demo = false, token: wanted } = start;
  const options = [
    '--port',
    String(port),
    '--rate',
    String(rate),
    '--history',
    String(history),
    '--max-flows',
    String(maxFlows),
  ];
  if (demo) options.push('--demo');
  if (wanted !== undefined) options.push('--token', wanted);
  const agent = spawn(process.execPath, ['tests/support/fixture-agent.ts', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await readUrl(agent.stdout);
  const { origin, hash } = new URL(url);
  const token = new URLSearchParams(hash.slice(1)).get('token') ?? '';
  return {
    url,
    token,
    async ask<T>(path: string, init: RequestInit = {}) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const answer = await fetch(`${origin}/api/v1${path}`, { ...init, headers });
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    async stop() {
      if (agent.exitCode !== null || agent.signalCode !== null) return;
      const gone = once(agent, 'exit');
      agent.kill('SIGKILL');
      await gone;
    },
  };
}

async function readUrl(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = /https?:\/\/\S*#token=\S+/.exec(line)?.[0];
    if (url !== undefined) return url.replace(/["}\]]+$/, '');
  }
  throw new Error('The fixture agent ended without saying its address.');
}

/** A test with an agent of its own, and a page that is open at it. */
export const test = base.extend<{ rate: number; agent: FixtureAgent }>({
  rate: [20, { option: true }],
  agent: async ({ rate, page }, use) => {
    const agent = await startFixtureAgent({ rate });
    await page.goto(agent.url);
    await use(agent);
    await agent.stop();
  },
});

export { expect } from '@playwright/test';
