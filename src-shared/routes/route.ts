import { z } from 'zod';

/** `host:port`, an IPv6 address in brackets; port 0 asks for a free one. */
export const ListenAddressSchema = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
    'Expected an address and a port, such as 127.0.0.1:9101.',
  )
  .refine(
    (value) => Number(value.slice(value.lastIndexOf(':') + 1)) <= 65_535,
    'Expected a port up to 65535.',
  );

export const UpstreamUrlSchema = z
  .string()
  .regex(
    /^(https?|h2c|tcp):\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/?$/,
    'Expected http://, https://, h2c:// or tcp://, a host and a port, such as http://127.0.0.1:8101.',
  )
  .refine(
    (value) => !value.startsWith('tcp:') || /:\d+\/?$/.test(value),
    'Expected a port: tcp has no default.',
  )
  .refine((value) => Number(/:(\d+)\/?$/.exec(value)?.[1] ?? 1) <= 65_535, 'Expected a port up to 65535.');

/** A listener of its own for one upstream: for databases, and for clients that ignore a proxy. */
export const RouteDefinitionSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'Expected letters, digits, dots, dashes and underscores.')
    .meta({ title: 'Name', description: 'Names the callee.' }),
  listen: ListenAddressSchema.meta({ title: 'Listens on' }),
  upstream: UpstreamUrlSchema.meta({ title: 'Forwards to' }),
});
export type RouteDefinition = z.infer<typeof RouteDefinitionSchema>;

/** Who has made a route or a rule besides its users: it is theirs, and is not written into the workspace file. */
export const OriginSchema = z.enum(['toxiproxy', 'scenario']);
export type Origin = z.infer<typeof OriginSchema>;

export const RouteSchema = RouteDefinitionSchema.extend({
  origin: OriginSchema.optional().meta({
    description: 'toxiproxy: a proxy of its API. Absent: made by the workspace file, the window or this API.',
  }),
  address: z
    .string()
    .nullable()
    .meta({ description: 'host:port that is really bound; null while it is not.' }),
  error: z.string().nullable().meta({ description: 'Why it is not bound.' }),
});
export type Route = z.infer<typeof RouteSchema>;

/** Host and port of a `host:port` text, brackets removed. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

/** Whether a listener at that address can be reached from other machines. */
export function isBeyondLoopback(address: string): boolean {
  const { host } = splitAddress(address);
  return host !== 'localhost' && host !== '::1' && !/^127\./.test(host);
}

export interface Upstream {
  readonly scheme: 'http' | 'https' | 'tcp';
  readonly host: string;
  readonly port: number;
  /** Written `h2c://`: it is spoken to in HTTP/2 from the first byte, in clear text (RFC 9113, section 3.3). */
  readonly priorKnowledge: boolean;
}

/** The parts of a valid upstream URL; the port is the scheme's default where none is given. */
export function parseUpstream(url: string): Upstream {
  const parts = /^(https?|h2c|tcp):\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(url);
  if (parts === null) throw new TypeError(`not an upstream URL: ${url}`);
  const priorKnowledge = parts[1] === 'h2c';
  const scheme = priorKnowledge ? 'http' : (parts[1] as Upstream['scheme']);
  const port = parts[3] === undefined ? (scheme === 'https' ? 443 : 80) : Number(parts[3]);
  return { scheme, host: (parts[2] as string).replace(/^\[|\]$/g, ''), port, priorKnowledge };
}
