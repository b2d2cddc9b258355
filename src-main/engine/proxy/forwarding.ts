import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import type { FlatFields } from './http1/fields.ts';
import type { MessageHead, RequestHead, ResponseHead } from './http1/head.ts';
import type { SerializeOptions, SerializeRequestOptions } from './http1/serialize-head.ts';
import type { Destination, NetworkFailure } from './ports.ts';
import { basicCredentials } from './upstream-proxy/basic-credentials.ts';

/** What is looked at of a request, whatever version of HTTP it came in. */
export type AddressedRequest = Pick<RequestHead, 'destination' | 'hostField' | 'upgrade'>;

/**
 * How a request is written to its upstream: in origin-form, and to a route's upstream elsewhere with its own name in
 * place of the listener's address or of the virtual name that the client used.
 * @param isRedirected A rule sends it to another place than was meant: Host is that of the place.
 */
export function requestOptions(
  head: AddressedRequest,
  facts: ClientFacts,
  destination: Destination,
  isRedirected = false,
): SerializeRequestOptions {
  const options = directOptions(head, facts, destination, isRedirected);
  const { via, origin } = destination;
  if (via?.way !== 'forward') return options;
  const { path } = head.destination;
  // RFC 9112, section 3.2.4: `OPTIONS *` is asked of a proxy with an empty path.
  const target = path === '*' ? origin : origin + path;
  // The next hop reads Host after the target; another value would be an attack to some (RFC 9112, section 3.2.2).
  const host = authorityOf(destination);
  return { target, host, upgrade: false, proxyAuthorization: basicCredentials(via.proxy) };
}

/** Where a rule sends a call in place of the upstream that was meant. */
export function redirected(environment: Pick<ProxyEnvironment, 'destination'>, to: string): Destination {
  const url = new URL(to);
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  return environment.destination(scheme, url.hostname.replace(/^\[|\]$/g, ''), port);
}

/** By which way a request goes: an upgrade to WebSocket needs a tunnel through any proxy (RFC 6455, section 4.1). */
export function wayOf(head: Pick<RequestHead, 'upgrade'>, destination: Destination): Destination {
  if (destination.tunnelled === null) return destination;
  // Proxies take requests in HTTP/1.1: what is to arrive in HTTP/2 needs a tunnel as well.
  const needsTunnel = destination.priorKnowledge || head.upgrade?.toLowerCase() === 'websocket';
  return needsTunnel ? destination.tunnelled : destination;
}

/**
 * Whether the upstream is asked to switch protocols. `h2c` is left out, as any server may (RFC 7540, section 3.2; RFC 9113
 * has dropped it): node:http2 cannot go on with a request that came in HTTP/1.1.
 */
export function passesUpgrade({ upgrade }: Pick<RequestHead, 'upgrade'>): boolean {
  return upgrade !== null && upgrade.toLowerCase() !== 'h2c';
}

function directOptions(
  head: AddressedRequest,
  facts: ClientFacts,
  destination: Destination,
  isRedirected: boolean,
): SerializeRequestOptions {
  const { path, form, authority } = head.destination;
  const upgrade = passesUpgrade(head);
  const { replacedName } = destination;
  if (isRedirected) return { target: path, host: authorityOf(destination), upgrade };
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

/**
 * Whether Alt-Svc is kept from the client. It would lead a browser from TLS that Spike reads to HTTP/3, which Spike does not
 * carry, for as long as the field says (RFC 7838, section 2.2); over plain HTTP browsers do not follow it.
 */
export function dropsAltSvc(environment: ProxyEnvironment, facts: ClientFacts): boolean {
  return facts.tls?.intercepted === true && environment.stripsAltSvc();
}

/** The fields of an HTTP/2 answer, names in lower case, without Alt-Svc. */
export function withoutAltSvc(fields: FlatFields): FlatFields {
  if (!fields.includes('alt-svc')) return fields;
  const kept: FlatFields = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'alt-svc') kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return kept;
}

/** How an answer is written to the client. `keepAlive`: its connection takes another request. */
export function responseOptions(
  head: ResponseHead,
  request: RequestHead,
  keepAlive: boolean,
  dropAltSvc: boolean,
): SerializeOptions {
  if (head.status === 101) return { upgrade: true, dropAltSvc };
  // What a 426 requires is said in Upgrade, and nowhere else (RFC 9110, section 15.5.22).
  const upgrade = head.status === 426 && head.upgrade !== null;
  if (!keepAlive) return { connection: 'close', upgrade, dropAltSvc };
  // A 1.0 client keeps the connection only if it is told so (RFC 9112, appendix C.2.2).
  return request.httpVersion === '1.0'
    ? { connection: 'keep-alive', upgrade, dropAltSvc }
    : { upgrade, dropAltSvc };
}

/** Whether any content is to come with a request. */
export function hasBody(head: RequestHead): boolean {
  return head.framing !== 'none' && !(head.framing === 'length' && head.contentLength === 0);
}

/** Length of the body on the wire; null when nobody can know it yet. */
export function bodyLength(head: Pick<MessageHead, 'framing' | 'contentLength'>): number | null {
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
