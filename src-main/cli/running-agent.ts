import type { AgentClient } from '#shared/contract/contract.ts';
import type { Status } from '#shared/contract/status.ts';
import { findRunningAgent } from '../control/agent-file.ts';
import { createRestClient } from '../control/rest-client.ts';
import { UsageError } from './exit-status.ts';
import { askAgentsDirectly } from './surrounding-environment.ts';

export interface ConnectedAgent {
  readonly client: AgentClient;
  readonly status: Status;
  readonly token: string;
}

/** The agent that runs for a home directory. Rejects with UsageError, which says how to start one. */
export async function connectToAgent(homeDirectory: string): Promise<ConnectedAgent> {
  askAgentsDirectly();
  const agent = await findRunningAgent(homeDirectory);
  if (agent === null) {
    throw new UsageError(
      `No agent is running for ${homeDirectory}. Start one with "spike start" or "spike open", or name the home of one with --home.`,
    );
  }
  const client = createRestClient({ baseUrl: agent.control, token: agent.token });
  return { client, status: await client.agent.status(), token: agent.token };
}
