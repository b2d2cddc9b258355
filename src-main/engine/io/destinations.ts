import type { Route } from '#shared/routes/route.ts';
import type { UpstreamProxies } from '#shared/workspace/upstream-proxy.ts';
import { parseUpstream } from '#shared/routes/route.ts';
import { virtualNameOf } from '../proxy/forwarding.ts';
import type { Destination, NameHolder, Via } from '../proxy/ports.ts';
import { isLoopback } from './loopback.ts';
import { ProxyChoice } from './upstream-proxy-choice.ts';

/** More places than a developer's services have; beyond it the oldest are forgotten and found anew. */
const limit = 10_000;

/** What the virtual name of a route ends with; a top-level domain reserved for private use, so no public name is hidden. */
const virtualSuffix = '.internal';

type RoutePlace = Pick<Route, 'name' | 'upstream'>;

type Scheme = Destination['scheme'];

/** What makes a place the one it is. */
type Place = Pick<
  Destination,
  'scheme' | 'host' | 'port' | 'route' | 'serverName' | 'replacedName' | 'priorKnowledge'
>;

/**
 * The places that calls go to, one object each. A place that is a route's upstream has the route's name, whichever way
 * a call came: so the map joins what is called by a route, by its virtual name (`orders.internal`), and by its address.
 */
export class Destinations {
  /** By what was asked for, as it was written: the look-up of each call. */
  #asked = new Map<string, Destination>();
  #known = new Map<string, Destination>();
  #routeByPlace = new Map<string, string>();
  /** Places that a route says to speak HTTP/2 in clear text. */
  #http2Places = new Set<string>();
  #routeByVirtualName = new Map<string, RoutePlace>();
  #proxies = new ProxyChoice(null, 0);
  readonly #calleeOf: (host: string, port: number) => NameHolder;

  constructor(calleeOf: (host: string, port: number) => NameHolder) {
    this.#calleeOf = calleeOf;
  }

  /** Takes over the proxies that are used from now on: places that are asked for again are others then. */
  setProxies(proxies: UpstreamProxies | null): void {
    this.#proxies = new ProxyChoice(proxies, this.#proxies.generation + 1);
    this.#asked.clear();
    this.#known.clear();
  }

  /** Takes over the routes that exist now. */
  setRoutes(routes: readonly RoutePlace[]): void {
    this.#asked.clear();
    this.#known.clear();
    this.#routeByPlace.clear();
    this.#http2Places.clear();
    this.#routeByVirtualName.clear();
    for (const route of routes) {
      const { host, port, priorKnowledge } = parseUpstream(route.upstream);
      this.#routeByPlace.set(placeKey(host, port), route.name);
      if (priorKnowledge) this.#http2Places.add(placeKey(host, port));
      const virtualName = virtualNameOf(route.name + virtualSuffix);
      // Names that differ in case alone are one name to DNS: the first route has it.
      if (!this.#routeByVirtualName.has(virtualName)) this.#routeByVirtualName.set(virtualName, route);
    }
  }

  /** See `ProxyEnvironment.destination`. */
  get(scheme: Scheme, host: string, port: number, serverName: string | null = null): Destination {
    const key = `${scheme}|${host}|${port}|${serverName ?? ''}`;
    let destination = this.#asked.get(key);
    if (destination === undefined) {
      destination = this.#virtual(scheme, host) ?? this.#place(scheme, host, port, serverName);
      keepBounded(this.#asked, key, destination);
    }
    return destination;
  }

  forRoute(route: RoutePlace): Destination {
    return this.#find({
      ...parseUpstream(route.upstream),
      route: route.name,
      serverName: null,
      replacedName: null,
    });
  }

  #place(scheme: Scheme, host: string, port: number, serverName: string | null): Destination {
    const route = this.#routeByPlace.get(placeKey(host, port)) ?? null;
    return this.#find({
      scheme,
      host,
      port,
      route,
      serverName,
      replacedName: null,
      priorKnowledge: scheme === 'http' && this.#http2Places.has(placeKey(host, port)),
    });
  }

  /** The upstream of the route that has this virtual name, whatever port was asked for; null when none has it. */
  #virtual(asked: Scheme, name: string): Destination | null {
    const virtualName = virtualNameOf(name);
    const route = this.#routeByVirtualName.get(virtualName);
    if (route === undefined) return null;
    const { scheme, host, port, priorKnowledge } = parseUpstream(route.upstream);
    // What is not opened passes as bytes; what is HTTP goes on as the route says, or as it came if that says nothing.
    const spoken = asked === 'tcp' || scheme === 'tcp' ? asked : scheme;
    const replacedName = isLoopback(host) ? null : virtualName;
    return this.#find({
      scheme: spoken,
      host,
      port,
      route: route.name,
      serverName: null,
      replacedName,
      priorKnowledge: priorKnowledge && spoken === 'http',
    });
  }

  #find(place: Place): Destination {
    const { scheme, host, port, route, serverName, replacedName, priorKnowledge } = place;
    // Connections to one address are apart when the certificate was verified for another name.
    const key = `${priorKnowledge ? 'h2c' : scheme}|${host.toLowerCase()}|${port}${serverName === null ? '' : `|${serverName.toLowerCase()}`}`;
    const mapKey = `${key}|${route ?? ''}|${replacedName ?? ''}`;
    let destination = this.#known.get(mapKey);
    if (destination === undefined) {
      destination = this.#create(place, key);
      keepBounded(this.#known, mapKey, destination);
    }
    return destination;
  }

  #create(place: Place, key: string): Destination {
    const { scheme, host, port, route, serverName, replacedName, priorKnowledge } = place;
    const name = serverName ?? host;
    const callee =
      route === null
        ? // On this machine the process behind the port has a better name than what it is called by.
          this.#calleeOf(isLoopback(host) ? host : name, port)
        : { current: { name: route, resolvedBy: 'route' as const, pid: null }, ready: null };
    const shown = name.includes(':') ? `[${name}]` : name;
    const isDefault = (scheme === 'http' && port === 80) || (scheme === 'https' && port === 443);
    const origin = `${scheme}://${shown}${isDefault ? '' : `:${port}`}`;
    const direct = {
      scheme,
      host,
      port,
      origin,
      key,
      callee,
      route,
      serverName,
      replacedName,
      priorKnowledge,
    };
    // A proxy that forwards speaks HTTP/1: HTTP/2 in plain text passes it as bytes.
    const via = this.#proxies.viaOf(priorKnowledge ? 'tcp' : scheme, host, port);
    return via === null ? { ...direct, via, tunnelled: null } : this.#byProxy(direct, via);
  }

  /** Connections that were made by different proxies, or in different ways, are apart in the pool. */
  #byProxy(direct: Omit<Destination, 'via' | 'tunnelled'>, via: Via): Destination {
    const keyOf = (way: Via['way']): string => `${direct.key}|${way} ${this.#proxies.generation}`;
    const tunnel: Destination = {
      ...direct,
      key: keyOf('tunnel'),
      via: { ...via, way: 'tunnel' },
      tunnelled: null,
    };
    return via.way === 'tunnel' ? tunnel : { ...direct, key: keyOf('forward'), via, tunnelled: tunnel };
  }
}

/** The oldest is forgotten, and found anew when it is asked for. */
function keepBounded(map: Map<string, Destination>, key: string, destination: Destination): void {
  if (map.size >= limit) map.delete(map.keys().next().value as string);
  map.set(key, destination);
}

/** Loopback has many spellings and is one place. */
function placeKey(host: string, port: number): string {
  return `${isLoopback(host) ? 'loopback' : host.toLowerCase()}:${port}`;
}
