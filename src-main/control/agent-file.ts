import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { apiPrefix } from '#shared/contract/contract.ts';
import { writePrivateFile } from './private-file.ts';
import { readToken } from './token.ts';

/** Where the agent of a home directory can be reached: how `spike rules list` finds the one that runs. */
export const AgentFileSchema = z.object({
  pid: z.int().positive(),
  control: z.url().meta({ description: 'Base URL of the control API.' }),
  proxy: z.string().nullable().meta({ description: 'host:port of the proxy; null while it is not bound.' }),
  tokenPath: z.string(),
  startedAt: z.string(),
});
export type AgentFile = z.infer<typeof AgentFileSchema>;

const probeTimeoutMs = 2000;

export function agentFilePath(homeDirectory: string): string {
  return join(homeDirectory, 'agent.json');
}

/** Says that an agent runs (mode 0600). @returns what takes it back; it leaves the file of a later agent alone. */
export async function writeAgentFile(homeDirectory: string, agent: AgentFile): Promise<() => Promise<void>> {
  const path = agentFilePath(homeDirectory);
  await writePrivateFile(path, `${JSON.stringify(agent, null, 2)}\n`);
  return async () => {
    if ((await readAgentFile(homeDirectory))?.pid === agent.pid) await rm(path, { force: true });
  };
}

/** What the file says; null where there is none, or one that an agent cannot have written. */
export async function readAgentFile(homeDirectory: string): Promise<AgentFile | null> {
  let text: string;
  try {
    text = await readFile(agentFilePath(homeDirectory), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return AgentFileSchema.safeParse(jsonOrNull(text)).data ?? null;
}

export interface RunningAgent extends AgentFile {
  readonly token: string;
}

/**
 * The agent that runs for a home directory; null where none does. A file is left behind when an agent is killed, and a
 * pid is given again: only one whose process lives and which answers to the token counts.
 */
export async function findRunningAgent(homeDirectory: string): Promise<RunningAgent | null> {
  const agent = await readAgentFile(homeDirectory);
  if (agent === null || !isAlive(agent.pid)) return null;
  const token = await readToken(agent.tokenPath);
  if (token === null || !(await answers(agent.control, token))) return null;
  return { ...agent, token };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function answers(control: string, token: string): Promise<boolean> {
  try {
    const response = await fetch(`${control}${apiPrefix}/status`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(probeTimeoutMs),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false; // refused, reset or too slow: nobody who could be worked with
  }
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // half a file of an old version, or somebody's own: not one of ours
  }
}
