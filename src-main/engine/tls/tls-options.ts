// Every option that Spike hands to node:tls, and nowhere else: under Electron node:tls is BoringSSL, which has fewer options
// than OpenSSL. Left out on purpose, because BoringSSL lacks or reads them differently: `ciphers` (no @SECLEVEL, no DHE, no
// TLS 1.3 names), `ecdhCurve`, `sigalgs`, `dhparam`, `clientCertEngine`, `privateKeyEngine`, `pfx` (which reads a stricter PKCS#12).
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions, SecureContext, SecureContextOptions, TLSSocketOptions } from 'node:tls';

/** RFC 8996 retires TLS 1.0 and 1.1; OpenSSL 3 refuses them at its default security level in any case. */
const OLDEST_VERSION = 'TLSv1.2';
const NEWEST_VERSION = 'TLSv1.3';

/** Bytes of `ticketKeys` that node:tls wants: name, HMAC key and AES key of 16 bytes each. */
export const TICKET_KEYS_BYTES = 48;

export type LeafContextMaterial = {
  /** PKCS#8 PEM. */
  privateKeyPem: string;
  /** The leaf first, then its issuer. */
  chainPem: string;
  /** 48 bytes that the workers share, so that a session begun on one resumes on another. Absent: each context has its own. */
  ticketKeys?: Buffer;
  /** The one version that is offered, for a fault. Default: all that are safe. */
  only?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2';
};

/** For `tls.createSecureContext`, towards a client. */
export function leafContextOptions({
  privateKeyPem,
  chainPem,
  ticketKeys,
  only,
}: LeafContextMaterial): SecureContextOptions {
  return {
    key: privateKeyPem,
    cert: chainPem,
    // An empty list keeps Node from attaching its roots: no client certificate is asked for, so none is verified.
    ca: [],
    minVersion: only ?? OLDEST_VERSION,
    maxVersion: only ?? NEWEST_VERSION,
    ...(ticketKeys && { ticketKeys }),
  };
}

/**
 * What OpenSSL wants to be told before it speaks the versions that RFC 8996 retired; BoringSSL knows no such levels, refuses
 * the text, and needs none.
 */
export const retiredVersionCiphers = 'DEFAULT@SECLEVEL=0';

/**
 * For `tls.createSecureContext`, towards upstreams; `certificatesPem` is the whole list of roots, one certificate each.
 * @param shown The certificate for upstreams that ask for one, with its chain. Default: none.
 */
export function upstreamContextOptions(
  certificatesPem: readonly string[],
  shown: Pick<LeafContextMaterial, 'privateKeyPem' | 'chainPem'> | null = null,
): SecureContextOptions {
  return {
    ca: [...certificatesPem],
    minVersion: OLDEST_VERSION,
    maxVersion: NEWEST_VERSION,
    ...(shown && { key: shown.privateKeyPem, cert: shown.chainPem }),
  };
}

/** For `new tls.TLSSocket(socket, …)`, towards a client whose hello has been read already. */
export function leafSocketOptions(
  secureContext: SecureContext,
  alpnProtocols: readonly string[],
): TLSSocketOptions {
  return {
    isServer: true,
    secureContext,
    requestCert: false,
    ...(alpnProtocols.length > 0 && { ALPNProtocols: [...alpnProtocols] }),
  };
}

export type UpstreamHandshake = {
  /** DNS name or address (an IPv6 one without brackets) that the certificate must be for. */
  host: string;
  secureContext: SecureContext;
  /** In order of preference; empty offers none. */
  alpnProtocols: readonly string[];
  /** The connected transport to speak TLS over. */
  socket: Duplex;
  /** A session of an earlier connection to the same host, to resume. */
  session?: Buffer;
};

/**
 * For `tls.connect`, towards an upstream. `host` is always set: with `socket` alone Node would check the certificate
 * against "localhost". An address is no server name (RFC 6066 section 3), so SNI is then left out.
 */
export function upstreamSocketOptions({
  host,
  secureContext,
  alpnProtocols,
  socket,
  session,
}: UpstreamHandshake): ConnectionOptions {
  return {
    host,
    servername: isIP(host) ? '' : host,
    secureContext,
    socket,
    rejectUnauthorized: true,
    ...(alpnProtocols.length > 0 && { ALPNProtocols: [...alpnProtocols] }),
    ...(session && { session }),
  };
}
