import { RPCLink } from '@orpc/client/message-port';
import { portMessageType } from '#shared/contract/bridge.ts';
import type { PortMessage, SpikeBridge } from '#shared/contract/bridge.ts';
import { AgentUnreachable } from './agent-link.ts';
import type { OpenLink } from './agent-link.ts';

const portTimeoutMs = 5000;

/** A link over a MessagePort to the agent in Electron's main process. */
export function openElectronLink(bridge: SpikeBridge): OpenLink {
  return async (signal) => {
    const port = await askForPort(bridge, signal);
    const closed = new Promise<string>((resolve) => {
      port.addEventListener('close', () => resolve('The agent ended.'), { once: true });
    });
    const rpc = new RPCLink({ port });
    port.start();
    return { rpc, closed, close: () => port.close() };
  };
}

function askForPort(bridge: SpikeBridge, signal: AbortSignal): Promise<MessagePort> {
  return new Promise((resolve, reject) => {
    const finish = (port: MessagePort | null, why = '') => {
      clearTimeout(timer);
      window.removeEventListener('message', receive);
      if (port === null) reject(new AgentUnreachable('no-answer', why));
      else resolve(port);
    };
    const receive = (event: MessageEvent<PortMessage | null>) => {
      const port = event.ports[0];
      if (event.source === window && event.data?.type === portMessageType && port) finish(port);
    };
    const timer = setTimeout(() => finish(null, 'The agent gave no port in 5 s.'), portTimeoutMs);
    signal.addEventListener('abort', () => finish(null, 'Given up.'), { once: true });
    window.addEventListener('message', receive);
    bridge.requestPort();
  });
}
