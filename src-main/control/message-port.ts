import { RPCHandler } from '@orpc/server/message-port';
import type { SupportedMessagePort } from '@orpc/client/message-port';
import type { Control } from './control.ts';
import { mapErrors } from './error-mapping.ts';
import { router } from './router.ts';

/** Serves the contract over a port: Electron's `MessagePortMain`, or one of `node:worker_threads`. */
export type PortServer = (port: SupportedMessagePort & { start?(): void }) => void;

/**
 * The port itself is the permission: whoever holds its other end may ask everything. Requests end with the port.
 * A port says nothing of how fast it is read; what is sent is bounded by the engine's own rate of events.
 */
export function createPortServer(control: Control): PortServer {
  const handler = new RPCHandler(router, { clientInterceptors: [mapErrors(control.log)] });
  return (port) => {
    handler.upgrade(port, { context: control.context });
    // Ports hold their messages back until they are started; listening with addEventListener does not do it.
    port.start?.();
  };
}
