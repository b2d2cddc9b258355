import type { ServiceName } from '#shared/flow/flow.ts';

/** Where a call goes, as far as it is known when it is made. */
export interface CalledPlace {
  /** The name of the route that leads there; null for none. */
  readonly route: string | null;
  /** The virtual name that was asked for, resolved by Spike alone: `orders.internal`; null for none. */
  readonly virtualName: string | null;
  /** Host as asked, brackets of IPv6 removed. */
  readonly host: string;
  readonly port: number;
}

/** A name that Spike gives itself ends so, and the map leaves it out. */
const VIRTUAL_SUFFIX = /\.internal\.?$/i;

/**
 * The callee's name from the place alone: the route, the virtual name, the host; host and port where the host is an address
 * or this machine, since then the port alone tells services apart.
 */
export function calleeName({ route, virtualName, host, port }: CalledPlace): ServiceName {
  if (route !== null) return { name: route, resolvedBy: 'route', pid: null };
  const named = (virtualName ?? host).toLowerCase().replace(VIRTUAL_SUFFIX, '').replace(/\.$/, '');
  if (virtualName !== null) return { name: named, resolvedBy: 'host', pid: null };
  if (isAddress(host)) return { name: placeText(host, port), resolvedBy: 'address', pid: null };
  if (isLoopback(host)) return { name: placeText(named, port), resolvedBy: 'host', pid: null };
  return { name: named, resolvedBy: 'host', pid: null };
}

/** This machine: whoever listens there can be looked up. RFC 6761, section 6.3: `localhost` and all below it. */
export function isLoopback(host: string): boolean {
  return (
    /^127\.\d+\.\d+\.\d+$/.test(host) ||
    /^(?:::1|::ffff:127\.\d+\.\d+\.\d+)$/i.test(host) ||
    /^(?:.+\.)?localhost\.?$/i.test(host)
  );
}

const isAddress = (host: string): boolean => host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
const placeText = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
