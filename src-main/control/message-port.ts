import type { Control } from './control.ts';
import { createRpcServer } from './rpc-channel.ts';
import type { RpcMessage } from './rpc-channel.ts';

/** What is used of a port: Electron's `MessagePortMain` has it, and so does one of the DOM or of `node:worker_threads`. */
export type ServedPort = {
  postMessage(message: RpcMessage): void;
  start(): void;
} & (
  | { addEventListener(type: string, listener: (event: { data?: unknown }) => void): void }
  | { on(type: string, listener: (event: { data?: unknown }) => void): unknown }
);

/**
 * Serves the contract over ports. The port itself is the permission: whoever holds its other end may ask everything.
 * What was asked for over a port ends with it. A port does not say how fast it is read; what waits in it is bounded by
 * the engine, which sends ten batches of events a second at the most.
 */
export function createPortServer(control: Control): (port: ServedPort) => void {
  const open = createRpcServer(control);
  return (port) => {
    const channel = open((message) => port.postMessage(message));
    listen(port, 'message', (event) => channel.receive(event.data as RpcMessage));
    listen(port, 'close', () => channel.close());
    // Ports hold their messages back until they are started.
    port.start();
  };
}

function listen(port: ServedPort, type: string, listener: (event: { data?: unknown }) => void): void {
  if ('addEventListener' in port) port.addEventListener(type, listener);
  else port.on(type, listener);
}
