import { MessageChannel } from 'node:worker_threads';
import { createORPCClient } from '@orpc/client';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import { RPCLink as SocketLink } from '@orpc/client/websocket';
import type { AgentClient } from '#shared/contract/contract.ts';
import { createPortServer } from '../../src-main/control/message-port.ts';
import { createRestClient } from '../../src-main/control/rest-client.ts';
import type { ControlHarness } from '../support/control-harness.ts';
import { testToken } from '../support/control-harness.ts';

export interface Connected {
  readonly client: AgentClient;
  close(): Promise<void>;
}

/** Every way to an agent. A new transport is a line here, and the whole suite runs over it. */
export const transports: Readonly<Record<string, (harness: ControlHarness) => Promise<Connected>>> = {
  REST: async ({ server }) => ({
    client: createRestClient({ baseUrl: server.url, token: testToken }),
    close: async () => undefined,
  }),

  'RPC over WebSocket': async ({ server }) => {
    const url = `${server.url.replace('http', 'ws')}/api/v1/rpc`;
    const socket = new WebSocket(url, ['spike.v1', `token.${testToken}`]);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve(), { once: true });
      socket.addEventListener('error', () => reject(new Error(`cannot open ${url}`)), { once: true });
    });
    const closed = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()));
    return {
      client: createORPCClient(new SocketLink({ websocket: socket })),
      close: () => (socket.close(), closed),
    };
  },

  MessagePort: async ({ control }) => {
    const { port1, port2 } = new MessageChannel();
    createPortServer(control)(port1);
    port2.start();
    return {
      client: createORPCClient(new PortLink({ port: port2 })),
      close: async () => port2.close(),
    };
  },
};
