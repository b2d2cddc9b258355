import { RPCLink } from '@orpc/client/websocket';
import { apiPrefix } from '#shared/contract/contract.ts';
import { AgentUnreachable } from './agent-link.ts';
import type { OpenLink } from './agent-link.ts';

const openTimeoutMs = 5000;

/** A link over WebSocket. A browser cannot set headers there, so the token goes as a subprotocol (design: interface). */
export function openBrowserLink(token: string): OpenLink {
  return async (signal) => {
    const socket = new WebSocket(socketUrl(), ['spike.v1', `token.${token}`]);
    try {
      await opened(socket, signal);
    } catch (error) {
      socket.close();
      throw (await isRefused(token)) ? noKey() : error;
    }
    return {
      rpc: new RPCLink({ websocket: socket }),
      closed: new Promise((resolve) => {
        socket.addEventListener('close', (event) => resolve(event.reason || `closed with ${event.code}`), {
          once: true,
        });
      }),
      close: () => socket.close(1000),
    };
  };
}

export function noKey(): AgentUnreachable {
  return new AgentUnreachable('unauthorized', 'This window has no valid key to the agent.');
}

function socketUrl(): string {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${location.host}${apiPrefix}/rpc`;
}

function opened(socket: WebSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new AgentUnreachable('no-answer', why));
    const timer = setTimeout(() => fail('The agent did not answer in 5 s.'), openTimeoutMs);
    const settle = () => clearTimeout(timer);
    socket.addEventListener('open', () => (settle(), resolve()), { once: true });
    socket.addEventListener('close', () => (settle(), fail('The agent cannot be reached.')), { once: true });
    signal.addEventListener('abort', () => (settle(), fail('Given up.')), { once: true });
  });
}

/** A WebSocket that fails does not say why: an ordinary request tells a wrong key from a missing agent. */
async function isRefused(token: string): Promise<boolean> {
  try {
    const answer = await fetch(`${apiPrefix}/status`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(openTimeoutMs),
    });
    return answer.status === 401;
  } catch {
    return false; // no answer at all: the agent is away, which is not a refusal
  }
}
