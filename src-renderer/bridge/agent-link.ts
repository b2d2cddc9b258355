import type { ClientContext, ClientLink } from '@orpc/client';

/** One open way to the agent. */
export interface AgentLink {
  readonly rpc: ClientLink<ClientContext>;
  /** Settles, with the reason in words, once the link is gone; never rejects. */
  readonly closed: Promise<string>;
  close(): void;
}

/** Opens a link, or rejects with an `AgentUnreachable`. */
export type OpenLink = (signal: AbortSignal) => Promise<AgentLink>;

/** The agent could not be reached. `unauthorized`: it answered, but this window has no valid key; trying again is no use. */
export class AgentUnreachable extends Error {
  readonly kind: 'no-answer' | 'unauthorized';
  constructor(kind: 'no-answer' | 'unauthorized', message: string) {
    super(message);
    this.name = 'AgentUnreachable';
    this.kind = kind;
  }
}
