import type { ServiceName } from '#shared/flow/flow.ts';
import type { Clock } from '../clock.ts';
import { calleeName, isLoopback } from './callee-name.ts';
import type { CalledPlace } from './callee-name.ts';
import type { CallerHandle } from './caller-resolver.ts';
import type { OwningProcess, ProcessLookup } from './process-lookup.ts';

export interface CalleeResolver {
  /** The same handle for the same place, so that a name is found once. Never throws. */
  resolve(place: CalledPlace): CallerHandle;
}

export interface CalleeResolverOptions {
  readonly lookup: ProcessLookup;
  readonly clock: Clock;
}

/** A service that is started anew on its port may be another one; one that is not there yet may come soon. */
const KNOWN_FOR_MS = 10_000;
const UNKNOWN_FOR_MS = 2_000;
const MAX_PLACES = 2_000;
/** They pass connections on: what is behind them has another name. */
const forwarders =
  /^(?:docker-proxy|com\.docker\.backend|rootlessport|slirp4netns|pasta|ssh|sshd|kubectl|socat|systemd|launchd|svchost)$/i;

interface Place {
  handle: { current: ServiceName; ready: Promise<void> | null };
  lookUpAgainAt: number;
}

export function createCalleeResolver({ lookup, clock }: CalleeResolverOptions): CalleeResolver {
  const places = new Map<string, Place>();

  function lookUp(place: Place, port: number): void {
    const { handle } = place;
    const isFirst = place.lookUpAgainAt === 0;
    place.lookUpAgainAt = Number.POSITIVE_INFINITY;
    const over = lookup.listenerOf(port).then((owner) => {
      const isKnown = owner !== null && !forwarders.test(owner.name);
      if (isKnown) handle.current = named(owner, handle.current);
      place.lookUpAgainAt = clock.now() + (isKnown ? KNOWN_FOR_MS : UNKNOWN_FOR_MS);
      handle.ready = null;
    });
    // Whoever has a name already does not wait for a better one: calls wait for `ready`.
    if (isFirst) handle.ready = over;
  }

  return {
    resolve(called) {
      const key = `${called.route} ${called.virtualName} ${called.host} ${called.port}`;
      let place = places.get(key);
      if (place === undefined) {
        place = { handle: { current: calleeName(called), ready: null }, lookUpAgainAt: 0 };
        places.set(key, place);
        if (places.size > MAX_PLACES) places.delete(places.keys().next().value as string);
      }
      const nameless = called.route === null && called.virtualName === null && isLoopback(called.host);
      if (nameless && clock.now() >= place.lookUpAgainAt) lookUp(place, called.port);
      return place.handle;
    },
  };
}

/** The object stays the same as long as it says the same. */
function named({ name, resolvedBy, pid }: OwningProcess, current: ServiceName): ServiceName {
  return current.name === name && current.pid === pid && current.resolvedBy === resolvedBy
    ? current
    : { name, resolvedBy, pid };
}
