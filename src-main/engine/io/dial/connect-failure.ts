import { isIP } from 'node:net';
import type { FailureCause } from '#shared/flow/failure-cause.ts';
import { proxyName } from '#shared/workspace/upstream-proxy.ts';
import type { ProxyAddress } from '#shared/workspace/upstream-proxy.ts';
import type { Destination, NetworkFailure } from '../../proxy/ports.ts';
import { placeText } from '../../proxy/upstream-proxy/proxy-failure.ts';
import type { Place } from '../../proxy/upstream-proxy/proxy-failure.ts';
import { describeTlsFailure } from '../../tls/tls-failure.ts';

/** What was under way when a connection failed, in this order; `proxy` is what is said with it. */
export type Phase = 'dns' | 'connect' | 'proxy-tls' | 'proxy' | 'tls';

/** The one that a connection is made to: the proxy where there is one. */
export interface Hop extends Place {
  /** null: it is the upstream itself. */
  readonly proxy: ProxyAddress | null;
}

const connectCauses: Readonly<Record<string, FailureCause>> = {
  ECONNREFUSED: 'upstream-refused',
  ENOTFOUND: 'upstream-dns-failed',
  EAI_AGAIN: 'upstream-dns-failed',
  EAI_NODATA: 'upstream-dns-failed',
  EAI_FAIL: 'upstream-dns-failed',
  ETIMEDOUT: 'upstream-connect-timeout',
  ECONNRESET: 'upstream-reset',
};

type SystemError = NodeJS.ErrnoException & { address?: string };

/** Name look-up or TCP: `error` is what the socket gave. */
export function describeConnectFailure(error: NodeJS.ErrnoException, hop: Hop): NetworkFailure {
  // A name with several addresses fails with an error for each (RFC 8305): all are told, the first is the code.
  const all = error instanceof AggregateError ? (error.errors as SystemError[]) : [error as SystemError];
  const code = all[0]?.code ?? error.code ?? 'UNKNOWN';
  const cause = connectCauses[code] ?? 'upstream-unreachable';
  const tried = all.length < 2 ? '' : ` Tried ${all.map(triedText).join(', ')}.`;
  if (hop.proxy === null) return { cause, code, message: sentence(cause, code, hop, tried) };
  const proxy = proxyName(hop.proxy);
  return { cause: proxyCause(cause), code, message: `${proxySentence(cause, code, proxy)}${tried}` };
}

function triedText({ address, code, message }: SystemError): string {
  if (address === undefined) return code ?? message;
  return `${isIP(address) === 6 ? `[${address}]` : address} (${code ?? message})`;
}

function sentence(cause: FailureCause, code: string, hop: Hop, tried: string): string {
  const at = placeText(hop);
  switch (cause) {
    case 'upstream-refused':
      return `Nothing listens on ${at}: the connection was refused.${tried} Start the service, or correct the address.`;
    case 'upstream-dns-failed':
      return `The name ${hop.host} could not be resolved (${code}). Correct it, or add a route for it.`;
    case 'upstream-connect-timeout':
      return `No connection to ${at}: no answer in time.${tried} Check that it runs and can be reached from here.`;
    default:
      return `No connection to ${at} (${code}).${tried}`;
  }
}

function proxyCause(cause: FailureCause): FailureCause {
  return cause === 'upstream-connect-timeout' ? 'upstream-proxy-timeout' : 'upstream-proxy-unreachable';
}

const mend = 'Correct upstreamProxy.url, or start the proxy.';

function proxySentence(cause: FailureCause, code: string, proxy: string): string {
  switch (cause) {
    case 'upstream-refused':
      return `Nothing listens on the upstream proxy ${proxy}: the connection was refused. ${mend}`;
    case 'upstream-dns-failed':
      return `The name of the upstream proxy ${proxy} could not be resolved (${code}). Correct upstreamProxy.url.`;
    case 'upstream-connect-timeout':
      return `No connection to the upstream proxy ${proxy}: no answer in time. ${mend}`;
    default:
      return `No connection to the upstream proxy ${proxy} (${code}). ${mend}`;
  }
}

/** The whole of it took longer than it may. */
export function describeTimeout(phase: Phase, hop: Hop, place: Place, timeoutMs: number): NetworkFailure {
  const within = `within ${timeoutMs / 1000} s`;
  const code = 'ETIMEDOUT';
  if (hop.proxy === null || phase === 'tls') {
    const what = phase === 'dns' ? 'No answer to the name look-up of' : 'No connection to';
    const cause = phase === 'dns' ? 'upstream-dns-failed' : 'upstream-connect-timeout';
    const by = hop.proxy === null ? '' : `, by the upstream proxy ${proxyName(hop.proxy)},`;
    const message = `${what} ${placeText(place)}${by} ${within}. Check that it runs and can be reached from here.`;
    return { cause, code, message };
  }
  const proxy = proxyName(hop.proxy);
  const message =
    phase === 'proxy'
      ? `The upstream proxy ${proxy} did not say ${within} whether it reaches ${placeText(place)}.`
      : `No connection to the upstream proxy ${proxy} ${within}. ${mend}`;
  return { cause: 'upstream-proxy-timeout', code, message };
}

/** A handshake with the upstream. `certificate` is the client certificate that was shown, as its setting calls it. */
export function describeUpstreamTls(
  error: NodeJS.ErrnoException,
  destination: Destination,
  certificate: string | null,
): NetworkFailure {
  const { serverName } = destination;
  const at = serverName === null ? placeText(destination) : `${serverName} at ${placeText(destination)}`;
  return tlsFailure(error, at, certificate);
}

/** A handshake with a proxy whose URL begins with https. */
export function describeProxyTls(
  error: NodeJS.ErrnoException,
  proxy: ProxyAddress,
  certificate: string | null,
): NetworkFailure {
  return tlsFailure(error, `The upstream proxy ${proxyName(proxy)}`, certificate);
}

function tlsFailure(error: unknown, at: string, certificate: string | null): NetworkFailure {
  const { cause, code, message } = describeTlsFailure(error, at, certificate);
  return { cause, code: code ?? 'TLS', message };
}
