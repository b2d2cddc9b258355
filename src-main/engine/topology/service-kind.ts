import { BlockList, isIP } from 'node:net';
import type { Service } from '#shared/contract/topology.ts';
import { splitAddress } from '#shared/routes/route.ts';
import type { KnownEdge } from '../metrics/edge-history.ts';

/** Ports of databases, caches and brokers that are asked in protocols of their own. */
const databasePorts: ReadonlySet<number> = new Set([
  1433, 1521, 3306, 5432, 5672, 6379, 6380, 9042, 9092, 11211, 27017, 33060,
]);

// RFC 1918, 4193, 6598, 3927, 4291: what is not reached over the internet.
const nearby = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const) {
  nearby.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  nearby.addSubnet(network, prefix, 'ipv6');
}

/** Names that stay on the machine or in its network (RFC 6761, RFC 6762, RFC 8375, RFC 9476, and the custom `.internal`). */
const nearbyName = /(^|\.)(localhost|local|internal|lan|home\.arpa|test|example|alt)$/i;

/**
 * What a service is, from the edges that come in. Nobody calls a client; a database is spoken to in tcp or on a port
 * that is known for one; external is what was named by its host and lies outside the machine's networks.
 */
export function serviceKind(
  name: string,
  inbound: readonly Readonly<KnownEdge>[],
  routes: ReadonlySet<string>,
): Service['kind'] {
  if (inbound.length === 0) return 'client';
  if (inbound.some(isDatabase)) return 'database';
  return !routes.has(name) && inbound.every((edge) => isExternal(name, edge)) ? 'external' : 'service';
}

function isDatabase(edge: Readonly<KnownEdge>): boolean {
  if (edge.protocol === 'tcp') return true;
  return edge.calleeAddress !== null && databasePorts.has(splitAddress(edge.calleeAddress).port);
}

function isExternal(name: string, edge: Readonly<KnownEdge>): boolean {
  if (edge.calleeResolvedBy !== 'host' && edge.calleeResolvedBy !== 'address') return false;
  // Never reached (no such name, no way there): the name is all that is known.
  const host = edge.calleeAddress === null ? hostOfName(name) : splitAddress(edge.calleeAddress).host;
  const family = isIP(host);
  if (family !== 0) return !nearby.check(host, family === 6 ? 'ipv6' : 'ipv4');
  return host.includes('.') && !nearbyName.test(host);
}

/** A callee named by its host may carry its port. */
function hostOfName(name: string): string {
  return /:\d+$/.test(name) && isIP(name) === 0 ? splitAddress(name).host : name;
}
