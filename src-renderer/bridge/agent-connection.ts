import { createORPCClient } from '@orpc/client';
import type { ClientContext, ClientLink } from '@orpc/client';
import type { AgentClient } from '#shared/contract/contract.ts';
import type { AgentEvent } from '#shared/contract/events.ts';
import { AgentUnreachable } from './agent-link.ts';
import type { AgentLink, OpenLink } from './agent-link.ts';

/** Whether the agent answers, as the window must say it. Times are Unix ms. */
export type ConnectionState =
  | { phase: 'connecting' }
  | { phase: 'online' }
  | { phase: 'unreachable'; since: number; attempt: number; reason: string }
  | { phase: 'unauthorized'; reason: string };

export interface ConnectionObserver {
  onState(state: ConnectionState): void;
  /** A new link is up, before its first event: whatever was known may be out of date. */
  onLink(client: AgentClient): void;
  onEvent(event: AgentEvent): void;
}

export interface AgentConnection {
  /** Speaks over the present link; calls reject with `AgentUnreachable` while there is none. */
  readonly client: AgentClient;
  /** Tries at once, without waiting for the back-off to pass. */
  retryNow(): void;
  close(): void;
}

const firstPauseMs = 500;
const longestPauseMs = 8000;
const heartbeatMs = 3000;

/** Keeps one link to the agent alive for as long as the window lives. */
export function keepConnected(open: OpenLink, observer: ConnectionObserver): AgentConnection {
  let link: AgentLink | null = null;
  let wake = () => {};
  const ended = new AbortController();
  const rpc: ClientLink<ClientContext> = {
    call(path, input, options) {
      if (link === null) throw new AgentUnreachable('no-answer', 'The agent cannot be reached.');
      return link.rpc.call(path, input, options);
    },
  };
  const client: AgentClient = createORPCClient(rpc);

  async function run() {
    let attempt = 0;
    let since = Date.now();
    while (!ended.signal.aborted) {
      let reason: string;
      try {
        link = await open(ended.signal);
        attempt = 0;
        observer.onState({ phase: 'online' });
        observer.onLink(client);
        reason = await serveLink(client, link, observer);
        since = Date.now();
      } catch (error) {
        if (!(error instanceof AgentUnreachable)) throw error;
        reason = error.message;
        if (error.kind === 'unauthorized') return observer.onState({ phase: 'unauthorized', reason });
      }
      link?.close();
      link = null;
      if (ended.signal.aborted) return;
      attempt += 1;
      observer.onState({ phase: 'unreachable', since, attempt, reason });
      await pause(attempt);
    }
  }

  function pause(attempt: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)));
      wake = () => (clearTimeout(timer), resolve());
    });
  }

  observer.onState({ phase: 'connecting' });
  void run();
  return {
    client,
    retryNow: () => wake(),
    close() {
      ended.abort();
      link?.close();
      wake();
    },
  };
}

/** Reads events until the link is gone, and says why it went. */
async function serveLink(
  client: AgentClient,
  link: AgentLink,
  observer: ConnectionObserver,
): Promise<string> {
  const stop = new AbortController();
  try {
    return await Promise.race([
      link.closed,
      readEvents(client, observer, stop.signal),
      heartbeat(client, stop.signal),
    ]);
  } finally {
    stop.abort();
  }
}

async function readEvents(client: AgentClient, observer: ConnectionObserver, signal: AbortSignal) {
  try {
    for await (const event of await client.agent.events(undefined, { signal })) {
      if (signal.aborted) break;
      observer.onEvent(event);
    }
    return 'The agent ended the events.';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A process that hangs keeps its socket open: only an answer proves that it lives. */
async function heartbeat(client: AgentClient, stop: AbortSignal): Promise<string> {
  while (!stop.aborted) {
    await new Promise((resolve) => setTimeout(resolve, heartbeatMs));
    if (stop.aborted) break;
    try {
      await client.agent.status(undefined, { signal: AbortSignal.timeout(heartbeatMs) });
    } catch {
      return 'The agent did not answer in 3 s.';
    }
  }
  return 'Given up.';
}
