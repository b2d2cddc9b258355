import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  agentFilePath,
  findRunningAgent,
  readAgentFile,
  writeAgentFile,
} from '../../../../src-main/control/agent-file.ts';
import type { AgentFile } from '../../../../src-main/control/agent-file.ts';
import { startHarness, testToken } from '../../../support/control-harness.ts';
import { tokenPath } from '../../../../src-main/control/token.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'spike-home-'));
  await writeFile(tokenPath(home), testToken, { mode: 0o600 });
});
afterEach(() => rm(home, { recursive: true }));

const agent = (changes: Partial<AgentFile> = {}): AgentFile => ({
  pid: process.pid,
  control: 'http://127.0.0.1:1',
  proxy: '127.0.0.1:7070',
  tokenPath: tokenPath(home),
  startedAt: '2026-03-09T14:32:33.851Z',
  ...changes,
});

/** Above the greatest pid of every system we know: no process has it. */
const noPid = 2 ** 30;

describe('the agent file', () => {
  it('says where the agent is, to its owner alone, until the agent takes it back', async () => {
    const takeBack = await writeAgentFile(home, agent());
    expect(await readAgentFile(home)).toEqual(agent());
    expect((await stat(agentFilePath(home))).mode & 0o777).toBe(0o600);
    expect((await readdir(home)).sort()).toEqual(['agent.json', 'token']);
    await takeBack();
    expect(await readAgentFile(home)).toBeNull();
  });

  it('is left alone by an agent that another has followed', async () => {
    const takeBack = await writeAgentFile(home, agent({ pid: noPid }));
    await writeAgentFile(home, agent());
    await takeBack();
    expect(await readAgentFile(home)).toEqual(agent());
  });

  it.each(['', '{', '[]', '{"pid":-1}', 'null'])('is none when it holds %j', async (text) => {
    await writeFile(agentFilePath(home), text);
    expect(await readAgentFile(home)).toBeNull();
  });
});

describe('findRunningAgent', () => {
  it('finds the one that runs and answers to the token', async () => {
    const harness = await startHarness();
    try {
      await writeAgentFile(home, agent({ control: harness.server.url }));
      expect(await findRunningAgent(home)).toEqual({
        ...agent({ control: harness.server.url }),
        token: testToken,
      });
    } finally {
      await harness.close();
    }
  });

  it('finds none: no file, a process that is gone, a port that nobody or somebody else answers', async () => {
    expect(await findRunningAgent(home)).toBeNull();
    await writeAgentFile(home, agent({ pid: noPid }));
    expect(await findRunningAgent(home)).toBeNull();
    await writeAgentFile(home, agent());
    expect(await findRunningAgent(home)).toBeNull();
    const other = await startHarness({ http: { token: () => 'the-token-of-somebody-else-0123456789' } });
    try {
      await writeAgentFile(home, agent({ control: other.server.url }));
      expect(await findRunningAgent(home)).toBeNull();
    } finally {
      await other.close();
    }
  });
});
