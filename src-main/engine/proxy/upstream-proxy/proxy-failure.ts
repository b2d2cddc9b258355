import type { FailureCause } from '#shared/flow/failure-cause.ts';
import { proxyName } from '#shared/workspace/upstream-proxy.ts';
import type { ProxyAddress } from '#shared/workspace/upstream-proxy.ts';
import type { NetworkFailure } from '../ports.ts';

/** Where a call was to go. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

export function placeText({ host, port }: Place): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The proxy wants other credentials. `challenge` is what it asks for, in its words; null: it does not say. */
export function credentialsRefused(
  proxy: ProxyAddress,
  code: string,
  challenge: string | null,
): NetworkFailure {
  const asks = challenge === null ? '' : `: ${challenge}`;
  const message =
    proxy.credentials === null
      ? `The upstream proxy ${proxyName(proxy)} asks for a user name and a password (${code}${asks}). Put them into upstreamProxy.url: ${proxy.scheme}://user:password@….`
      : `The upstream proxy ${proxyName(proxy)} did not accept the credentials of "${proxy.credentials.username}" (${code}${asks}). Correct them in upstreamProxy.url.`;
  return { cause: 'upstream-proxy-credentials', code, message: message + schemeHint(challenge) };
}

function schemeHint(challenge: string | null): string {
  if (challenge === null || /\bbasic\b/i.test(challenge)) return '';
  return ' Spike knows the Basic scheme only.';
}

/** The proxy has understood, and does not go there. */
export function wayRefused(proxy: ProxyAddress, place: Place, code: string, words: string): NetworkFailure {
  return {
    cause: 'upstream-proxy-refused',
    code,
    message: `The upstream proxy ${proxyName(proxy)} does not connect to ${placeText(place)} (${words}). Have it allowed there, or add the host to upstreamProxy.noProxy.`,
  };
}

const endings: Partial<Record<FailureCause, string>> = {
  'upstream-refused': 'was refused the connection to',
  'upstream-connect-timeout': 'got no answer in time from',
};

/** The proxy tried, and did not get there. */
export function notReached(
  proxy: ProxyAddress,
  place: Place,
  cause: 'upstream-refused' | 'upstream-unreachable' | 'upstream-connect-timeout',
  code: string,
  words: string,
): NetworkFailure {
  const what = endings[cause] ?? 'could not reach';
  return {
    cause,
    code,
    message: `The upstream proxy ${proxyName(proxy)} ${what} ${placeText(place)} (${words}).`,
  };
}

export function badAnswer(proxy: ProxyAddress, code: string, what: string): NetworkFailure {
  return {
    cause: 'upstream-proxy-malformed',
    code,
    message: `The upstream proxy ${proxyName(proxy)} ${what}. Check the scheme and the port of upstreamProxy.url.`,
  };
}

export function hungUp(proxy: ProxyAddress, place: Place, code: string): NetworkFailure {
  return badAnswer(proxy, code, `closed the connection while it was asked for ${placeText(place)} (${code})`);
}
