import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { UpstreamUrlSchema } from '#shared/routes/route.ts';
import { badRequestBody, ToxiproxyError } from './api-error.ts';

/**
 * Where a proxy is to listen, as `host:port` with a literal address, so that two spellings of one place are equal.
 * Go's ":26379" is every address of the machine; no address at all is a free port of loopback: nobody has asked for more.
 * @throws ToxiproxyError 500 in the words of Go's resolver.
 */
export async function resolvedListen(listen: string): Promise<string> {
  if (listen === '') return '127.0.0.1:0';
  const { host, port } = parts(listen);
  if (host === '') return `[::]:${port}`;
  if (host === 'localhost') return `127.0.0.1:${port}`;
  if (isIP(host) !== 0) return addressText(host, port);
  const found = await lookup(host).catch(() => null);
  if (found === null) throw unusable(`lookup ${host}: no such host`);
  return addressText(found.address, port);
}

/** The URL of the upstream of a route. Toxiproxy finds out at the first connection that it is none; here it is told at once. */
export function upstreamUrl(upstream: string): string {
  const url = `tcp://${upstream}`;
  if (UpstreamUrlSchema.safeParse(url).success) return url;
  throw badRequestBody(`upstream "${upstream}" is no host:port`);
}

function parts(listen: string): { host: string; port: number } {
  const found = /^(?:\[([^\]]*)\]|([^:]*)):(\d*)$/.exec(listen);
  if (found === null)
    throw unusable(
      `address ${listen}: ${listen.includes(':') ? 'too many colons in' : 'missing port in'} address`,
    );
  const port = Number(found[3]);
  if (port > 65_535) throw unusable(`address ${port}: invalid port`);
  return { host: found[1] ?? found[2] ?? '', port };
}

function addressText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function unusable(why: string): ToxiproxyError {
  return new ToxiproxyError(500, `listen tcp: ${why}`);
}
