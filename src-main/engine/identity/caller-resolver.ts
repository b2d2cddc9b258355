// Who is calling, in the order of how well an observation knows it: the listener's own name, the user name of the proxy
// credentials, SPIKE_SERVICE of the process that owns the client's port, that process itself, the address.
import { networkInterfaces } from 'node:os';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { ServiceName } from '#shared/flow/flow.ts';
import { normalAddress } from './proc-net-tcp.ts';
import type { ClientEnd, OwningProcess, ProcessLookup } from './process-lookup.ts';

export interface ClientConnection extends ClientEnd {
  /** The user name of the proxy credentials, decoded; null before or without them. */
  readonly proxyUser: string | null;
  /** The name that the listener gives to all that connect to it; null for none. */
  readonly listenerCaller: string | null;
}

/** A caller that may become better known while its connection is open: read `current` when it is used, not before. */
export interface CallerHandle {
  readonly current: ServiceName;
  /** Settles when looking up is over; null when it is over already. Never rejects. */
  readonly ready: Promise<void> | null;
}

export interface CallerResolver {
  /** To be called when a connection is accepted, and again when credentials come on it. Never throws. */
  resolve(connection: ClientConnection): CallerHandle;
}

export interface CallerResolverOptions {
  readonly lookup: ProcessLookup;
  readonly clock: Clock;
  readonly log: Log;
}

/** Names come from strangers: their number and length are bounded. */
const MAX_NAMES = 2_000;
const MAX_NAME_LENGTH = 100;
const INTERFACES_KNOWN_FOR_MS = 10_000;

export function createCallerResolver({ lookup, clock, log }: CallerResolverOptions): CallerResolver {
  const shared = createSharedNames();
  const isLocal = createLocalAddresses(clock);
  return {
    resolve(connection) {
      const listener = cleanName(connection.listenerCaller);
      if (listener !== '') return { current: shared.of(listener, 'listener', null), ready: null };
      const user = cleanName(connection.proxyUser);
      if (user !== '') return { current: shared.of(user, 'proxy-user', null), ready: null };
      const address = normalAddress(connection.clientAddress);
      const byAddress = shared.of(address, 'address', null);
      if (!isLocal(address)) return { current: byAddress, ready: null };
      const handle: { current: ServiceName; ready: Promise<void> | null } = {
        current: byAddress,
        ready: null,
      };
      handle.ready = lookup.ownerOf(connection).then((owner) => {
        if (owner !== null) handle.current = shared.ofProcess(owner);
        else
          log.debug({ client: `${address}:${connection.clientPort}` }, 'No process was found for a caller.');
        handle.ready = null;
      });
      return handle;
    },
  };
}

/** Printable, without space around it, of bounded length; '' for none. */
function cleanName(name: string | null): string {
  // what came from a stranger ends in logs and on the map
  return (name ?? '')
    .replace(/[\x00-\x1f\x7f]/g, '')
    .trim()
    .slice(0, MAX_NAME_LENGTH);
}

/** One object a name: records share them, and so do the messages that carry records. */
function createSharedNames() {
  const names = new Map<string, ServiceName>();
  return {
    of(name: string, resolvedBy: ServiceName['resolvedBy'], pid: number | null): ServiceName {
      const key = `${resolvedBy} ${pid} ${name}`;
      const known = names.get(key);
      if (known !== undefined) return known;
      const made: ServiceName = { name, resolvedBy, pid };
      names.set(key, made);
      if (names.size > MAX_NAMES) names.delete(names.keys().next().value as string);
      return made;
    },
    ofProcess({ name, resolvedBy, pid }: OwningProcess): ServiceName {
      return this.of(name, resolvedBy, pid);
    },
  };
}

/** Other machines' processes cannot be looked up. */
function createLocalAddresses(clock: Clock): (address: string) => boolean {
  let known: ReadonlySet<string> = new Set();
  let knownUntil = 0;
  return (address) => {
    if (address.startsWith('127.') || address === '::1') return true;
    if (clock.now() >= knownUntil) {
      const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
      known = new Set(all.map((entry) => normalAddress(entry.address)));
      knownUntil = clock.now() + INTERFACES_KNOWN_FOR_MS;
    }
    return known.has(address);
  };
}
