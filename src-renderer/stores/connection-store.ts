import { create } from 'zustand';
import type { AgentConnection, ConnectionState } from '../bridge/agent-connection.ts';
import type { AgentClient } from '#shared/contract/contract.ts';

interface ConnectionStore {
  state: ConnectionState;
  /** Unix ms of the last thing the agent said; null before the first. */
  lastAnswerAt: number | null;
}

export const useConnection = create<ConnectionStore>(() => ({
  state: { phase: 'connecting' },
  lastAnswerAt: null,
}));

let connection: AgentConnection | null = null;

/** Called once, by the session, before anything is drawn. */
export function setConnection(made: AgentConnection): void {
  connection = made;
}

/** The agent of this window. Calls reject while it cannot be reached. */
export function agent(): AgentClient {
  if (connection === null) throw new Error('The session was not started.');
  return connection.client;
}

export function retryConnection(): void {
  connection?.retryNow();
}
