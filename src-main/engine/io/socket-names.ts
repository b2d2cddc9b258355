import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import type { NameSource } from '../data-plane.ts';
import { createCalleeResolver } from '../identity/callee-resolver.ts';
import { createCallerResolver } from '../identity/caller-resolver.ts';
import { createProcessLookup } from '../identity/process-lookup.ts';
import type { Log } from '../log.ts';

/** A service that was started anew on its port gets its new name within this, without a look-up for each call. */
const renewEveryMs = 5000;
const mostRenewed = 500;

/** Names from sockets: the client's address and port for callers, host and port for callees. */
export function createSocketNames({ clock, log }: { clock: Clock; log: Log }): NameSource {
  const lookup = createProcessLookup({ clock, log });
  const callers = createCallerResolver({ lookup, clock, log });
  const callees = createCalleeResolver({ lookup, clock });
  const places = new Map<string, { host: string; port: number }>();
  let timer: Timer | null = null;

  const resolve = (host: string, port: number) =>
    callees.resolve({ route: null, virtualName: null, host, port });
  const renewLater = (): void => {
    timer = clock.setTimer(
      renewEveryMs,
      () => {
        for (const { host, port } of places.values()) resolve(host, port);
        renewLater();
      },
      true,
    );
  };
  renewLater();

  return {
    caller: (client: Socket, proxyUser) =>
      callers.resolve({
        clientAddress: client.remoteAddress ?? '',
        clientPort: client.remotePort ?? 0,
        localPort: client.localPort ?? 0,
        proxyUser,
        listenerCaller: null,
      }),
    callee(host, port) {
      if (places.size < mostRenewed) places.set(`${host}:${port}`, { host, port });
      return resolve(host, port);
    },
    close() {
      timer?.cancel();
      lookup.close();
    },
  };
}
