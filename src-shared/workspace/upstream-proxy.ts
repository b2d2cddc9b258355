import { z } from 'zod';
import { parseNoProxy } from './no-proxy.ts';

export const proxySchemes = ['http', 'https', 'socks5', 'socks5h'] as const;
export type ProxyScheme = (typeof proxySchemes)[number];

/** A proxy between Spike and the upstreams. `https` speaks TLS with it; `socks5` looks names up here, `socks5h` there. */
export interface ProxyAddress {
  readonly scheme: ProxyScheme;
  /** An IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** null where it asks for none. The password is secret: it is shown nowhere (see `proxyName`). */
  readonly credentials: { readonly username: string; readonly password: string } | null;
}

/** Which way calls leave Spike, with everything resolved: what workers get. */
export interface UpstreamProxies {
  /** For plain `http` upstreams; null: direct. */
  readonly http: ProxyAddress | null;
  /** For `https` and `tcp` upstreams; null: direct. */
  readonly https: ProxyAddress | null;
  /** In the forms of `parseNoProxy`. */
  readonly noProxy: readonly string[];
  /** Whether calls to this machine go by the proxy too. */
  readonly includeLoopback: boolean;
}

const defaultPorts: Readonly<Record<ProxyScheme, number>> = {
  http: 80,
  https: 443,
  socks5: 1080,
  socks5h: 1080,
};

const urlPattern =
  /^(http|https|socks5|socks5h):\/\/(?:(.*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?\/?$/is;

/** RFC 1929 counts both in one octet. */
const maxCredentialBytes = 255;

/**
 * The parts of a proxy's URL. Everything before the last `@` is the credentials, so that a password may hold `@`, `:`, `/`
 * and `#` as they are; `%40` and the like are decoded. A text is what is wrong, without the credentials.
 */
export function parseProxyUrl(url: string): ProxyAddress | string {
  const parts = urlPattern.exec(url);
  const port = Number(parts?.[4] ?? 1);
  if (parts === null || port < 1 || port > 65_535) {
    return 'Expected a proxy as http://, https://, socks5:// or socks5h://, with user:password@ where it needs that, a host and a port, such as http://proxy.corp:3128; or env.';
  }
  const scheme = parts[1]?.toLowerCase() as ProxyScheme;
  const host = (parts[3] as string).replace(/^\[|\]$/g, '').toLowerCase();
  const credentials = parts[2] === undefined ? null : readCredentials(parts[2]);
  if (credentials !== null && !fits(credentials)) {
    return `Expected a user name and a password of at most ${maxCredentialBytes} bytes each, the name without ":" and without control characters.`;
  }
  return { scheme, host, port: parts[4] === undefined ? defaultPorts[scheme] : port, credentials };
}

function readCredentials(text: string): { username: string; password: string } | null {
  const colon = text.indexOf(':');
  const [username, password] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  return text === '' || text === ':'
    ? null
    : { username: percentDecoded(username), password: percentDecoded(password) };
}

/** As it is where it is no valid encoding: a password such as `100%`. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // URIError is its only failure
  }
}

function fits({ username, password }: { username: string; password: string }): boolean {
  const size = (text: string): number => new TextEncoder().encode(text).length;
  const clean = !/[\u0000-\u001f\u007f]/.test(username + password) && !username.includes(':');
  return clean && size(username) <= maxCredentialBytes && size(password) <= maxCredentialBytes;
}

/** `http://user@proxy.corp:3128`: what may be shown of a proxy. */
export function proxyName({ scheme, host, port, credentials }: ProxyAddress): string {
  const user = credentials === null ? '' : `${credentials.username}@`;
  return `${scheme}://${user}${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const ProxyUrlSchema = z.string().superRefine((url, context) => {
  const parsed = url === 'env' ? null : parseProxyUrl(url);
  // `input` would carry the password into whatever shows the issue.
  if (typeof parsed === 'string') context.addIssue({ code: 'custom', message: parsed, input: undefined });
});

const NoProxyEntrySchema = z.string().superRefine((entry, context) => {
  const parsed = parseNoProxy(entry);
  if (typeof parsed === 'string') context.addIssue({ code: 'custom', message: parsed });
});

/** The proxy by which Spike reaches upstreams; a text alone is its `url`. */
export const UpstreamProxySettingsSchema = z.preprocess(
  (value) => (typeof value === 'string' ? { url: value } : value),
  z.strictObject({
    url: ProxyUrlSchema.meta({
      description:
        'http, https, socks5 or socks5h, with user:password@ where needed; env: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY of Spike itself.',
    }),
    noProxy: z.array(NoProxyEntrySchema).max(1000).default([]).meta({
      description: 'Called directly: hosts, .suffixes, *.globs, networks, each with or without :port.',
    }),
    includeLoopback: z
      .boolean()
      .default(false)
      .meta({ description: 'true: calls to this machine go by the proxy as well.' }),
  }),
);
export type UpstreamProxySettings = z.infer<typeof UpstreamProxySettingsSchema>;
