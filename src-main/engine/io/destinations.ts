import type { Route } from '#shared/routes/route.ts';
import { parseUpstream } from '#shared/routes/route.ts';
import type { Destination, NameHolder } from '../proxy/ports.ts';

/** More places than a developer's services have; beyond it the oldest are forgotten and found anew. */
const limit = 10_000;

type RoutePlace = Pick<Route, 'name' | 'upstream'>;

/**
 * The places that calls go to, one object each. A place that is a route's upstream has the route's name, whichever way
 * a call came: so the map joins what is called by a route and what is called by its address.
 */
export class Destinations {
  #known = new Map<string, Destination>();
  #routeByPlace = new Map<string, string>();
  readonly #calleeOf: (host: string, port: number) => NameHolder;

  constructor(calleeOf: (host: string, port: number) => NameHolder) {
    this.#calleeOf = calleeOf;
  }

  /** Takes over the routes that exist now. */
  setRoutes(routes: readonly RoutePlace[]): void {
    this.#known.clear();
    this.#routeByPlace.clear();
    for (const route of routes) {
      const { host, port } = parseUpstream(route.upstream);
      this.#routeByPlace.set(placeKey(host, port), route.name);
    }
  }

  get(scheme: Destination['scheme'], host: string, port: number): Destination {
    return this.#find(scheme, host, port, this.#routeByPlace.get(placeKey(host, port)) ?? null);
  }

  forRoute(route: RoutePlace): Destination {
    const { scheme, host, port } = parseUpstream(route.upstream);
    return this.#find(scheme, host, port, route.name);
  }

  #find(scheme: Destination['scheme'], host: string, port: number, route: string | null): Destination {
    const key = `${scheme}|${host.toLowerCase()}|${port}`;
    const mapKey = `${key}|${route ?? ''}`;
    let destination = this.#known.get(mapKey);
    if (destination === undefined) {
      if (this.#known.size >= limit) this.#known.delete(this.#known.keys().next().value as string);
      destination = this.#create(scheme, host, port, key, route);
      this.#known.set(mapKey, destination);
    }
    return destination;
  }

  #create(
    scheme: Destination['scheme'],
    host: string,
    port: number,
    key: string,
    route: string | null,
  ): Destination {
    const callee =
      route === null
        ? this.#calleeOf(host, port)
        : { current: { name: route, resolvedBy: 'route' as const, pid: null }, ready: null };
    const shown = host.includes(':') ? `[${host}]` : host;
    const isDefault = (scheme === 'http' && port === 80) || (scheme === 'https' && port === 443);
    return {
      scheme,
      host,
      port,
      origin: `${scheme}://${shown}${isDefault ? '' : `:${port}`}`,
      key,
      callee,
      route,
    };
  }
}

/** Loopback has many spellings and is one place. */
function placeKey(host: string, port: number): string {
  return `${isLoopback(host) ? 'loopback' : host.toLowerCase()}:${port}`;
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3}|0\.0\.0\.0|::)$/i.test(host);
}
