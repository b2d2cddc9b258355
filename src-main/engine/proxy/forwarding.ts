import type { ClientFacts } from './environment.ts';
import type { RequestHead, ResponseHead } from './http1/head.ts';
import type { SerializeOptions, SerializeRequestOptions } from './http1/serialize-head.ts';
import type { Destination, NetworkFailure } from './ports.ts';

/**
 * How a request is written to its upstream: in origin-form, and to a route's upstream elsewhere with its own name in
 * place of the listener's address or of the virtual name that the client used.
 */
export function requestOptions(
  head: RequestHead,
  facts: ClientFacts,
  destination: Destination,
): SerializeRequestOptions {
  const { path, form, authority } = head.destination;
  const upgrade = head.upgrade !== null;
  const { replacedName } = destination;
  if (replacedName !== null && replacedName === virtualNameOf(head.destination.host)) {
    return { target: path, host: authorityOf(destination), upgrade };
  }
  if (form === 'absolute') return { target: path, host: authority, upgrade };
  const { ownHost } = facts;
  if (ownHost === null || (head.hostField !== null && head.hostField !== ownHost)) {
    return { target: path, upgrade };
  }
  return { target: path, host: authorityOf(destination), upgrade };
}

/** A host as virtual names are compared: DNS knows no case, and a final dot says that the name is whole (RFC 1034, section 3.1). */
export function virtualNameOf(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function authorityOf({ origin }: Destination): string {
  return origin.slice(origin.indexOf('//') + 2);
}

/** How an answer is written to the client. `keepAlive`: its connection takes another request. */
export function responseOptions(
  head: ResponseHead,
  request: RequestHead,
  keepAlive: boolean,
): SerializeOptions {
  if (head.status === 101) return { upgrade: true };
  if (!keepAlive) return { connection: 'close' };
  // A 1.0 client keeps the connection only if it is told so (RFC 9112, appendix C.2.2).
  return request.httpVersion === '1.0' ? { connection: 'keep-alive' } : {};
}

/** Length of the body on the wire; null when nobody can know it yet. */
export function bodyLength(head: ResponseHead): number | null {
  if (head.framing === 'none') return 0;
  return head.framing === 'length' ? (head.contentLength ?? 0) : null;
}

export function forbidden(host: string, port: number): NetworkFailure {
  return {
    cause: 'upstream-forbidden',
    code: 'SPIKE_FORBIDDEN',
    message: `${host}:${port} is a port of this Spike itself; calls are not forwarded to it.`,
  };
}
