import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import type { NameSource } from '../data-plane.ts';
import type { Log } from '../log.ts';
import type { NameHolder } from '../proxy/ports.ts';

export function createSocketNames(_options: { clock: Clock; log: Log }): NameSource {
  const holder = (name: string, resolvedBy: 'proxy-user' | 'address' | 'host'): NameHolder => ({
    current: { name, resolvedBy, pid: null },
    ready: null,
  });
  return {
    caller: (socket: Socket, user) =>
      user === null ? holder(socket.remoteAddress ?? 'unknown', 'address') : holder(user, 'proxy-user'),
    callee: (host, port) => holder(`${host}:${port}`, 'host'),
    close: () => undefined,
  };
}
