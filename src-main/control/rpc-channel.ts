import { StandardRPCHandler } from '@orpc/server/standard';
import { createServerPeerHandleRequestFn } from '@orpc/server/standard-peer';
import { ServerPeer } from '@orpc/standard-server-peer';
import type { EncodedMessage } from '@orpc/standard-server-peer';
import type { Control } from './control.ts';
import { mapErrors } from './error-mapping.ts';
import { router } from './router.ts';

export type RpcMessage = EncodedMessage;

/** One connection that the contract is spoken over, in messages: a WebSocket or a port. */
export interface RpcChannel {
  /** Takes a message; one that is not understood is logged and has no answer. */
  receive(message: RpcMessage): void;
  /** The other side has gone: what it asked for is given up. */
  close(): void;
}

/**
 * @param send passes an answer on. The next event of a stream is taken once it resolves, which is what keeps events in
 * their bounded queue (event-reader.ts) where the other side reads slowly.
 */
export type OpenRpcChannel = (send: (message: RpcMessage) => Promise<void> | void) => RpcChannel;

/**
 * oRPC's own adapters for sockets and ports would do, but that a message that is none goes to the console over one and
 * ends the process over the other, and that neither waits for a send.
 */
export function createRpcServer(control: Control): OpenRpcChannel {
  const handler = new StandardRPCHandler(router, { clientInterceptors: [mapErrors(control.log)] });
  const answer = createServerPeerHandleRequestFn(handler, { context: control.context });
  return (send) => {
    const peer = new ServerPeer(send);
    return {
      receive(message) {
        peer.message(message, answer).catch((error: unknown) => {
          control.log.warn({ err: error }, 'an RPC message was not understood');
        });
      },
      close: () => peer.close(),
    };
  };
}
