import type { ProxyAddress } from '#shared/workspace/upstream-proxy.ts';

/** The value of Proxy-Authorization (RFC 7617, in UTF-8); null without credentials. */
export function basicCredentials({ credentials }: ProxyAddress): string | null {
  if (credentials === null) return null;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}
