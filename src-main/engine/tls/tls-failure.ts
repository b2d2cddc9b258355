// A TLS handshake that failed, told apart. Node gives OpenSSL's verification results as `code` (X509_V_ERR_… without its
// prefix), its own checks as ERR_TLS_…, and alerts and protocol errors as ERR_SSL_… or EPROTO with OpenSSL's text.

export type TlsFailureCause =
  | 'tls-self-signed'
  | 'tls-untrusted-issuer'
  | 'tls-expired'
  | 'tls-not-yet-valid'
  | 'tls-wrong-name'
  | 'tls-revoked'
  | 'tls-bad-certificate'
  | 'tls-client-certificate-required'
  | 'tls-client-certificate-refused'
  | 'tls-version-refused'
  | 'tls-unknown-name'
  | 'tls-no-common-protocol'
  | 'tls-not-tls'
  | 'tls-closed'
  | 'tls-handshake-failed';

export type TlsFailure = {
  cause: TlsFailureCause;
  /** One sentence or two, naming the host and the next step. */
  message: string;
  /** What Node or OpenSSL called it, for those who search for it; null when the error had no code. */
  code: string | null;
};

const ADD_TRUST = 'add its CA to tls.trust in spike.yaml (or to NODE_EXTRA_CA_CERTS) if you trust it';

/** What a person reads; `host` is put in front. */
const SENTENCES: Record<TlsFailureCause, string> = {
  'tls-self-signed': `shows a self-signed certificate that nothing here trusts: ${ADD_TRUST}.`,
  'tls-untrusted-issuer': `shows a certificate whose issuer nothing here trusts, or leaves out an intermediate: ${ADD_TRUST}, or have the server send its whole chain.`,
  'tls-expired':
    'shows a certificate that has expired: renew it on the server, and check the clock of this machine.',
  'tls-not-yet-valid':
    'shows a certificate that is not valid yet: check the clocks of the server and of this machine.',
  'tls-wrong-name':
    'shows a certificate for other names: call it by a name that is in the certificate, or have one made that holds this name.',
  'tls-revoked': 'shows a certificate that was revoked: have the server get a new one.',
  'tls-bad-certificate': 'shows a certificate that cannot be verified: have the server get a proper one.',
  'tls-client-certificate-required':
    'asks for a client certificate, and none is set for it: add one to tls.clientCertificates in spike.yaml.',
  'tls-client-certificate-refused':
    'refused the client certificate that is set for it in tls.clientCertificates of spike.yaml: check that it is meant for this server, is valid, and comes with its chain.',
  'tls-version-refused':
    'and Spike have no TLS version in common: Spike speaks TLS 1.2 and 1.3; update the server, or add the host to tls.passthrough in spike.yaml.',
  'tls-unknown-name': 'does not know this server name: check the host name of the call or the route.',
  'tls-no-common-protocol':
    'speaks none of the protocols that were offered by ALPN: add the host to tls.passthrough in spike.yaml.',
  'tls-not-tls': 'did not answer in TLS: use http:// instead of https://, or check the port.',
  'tls-closed':
    'closed the connection during the TLS handshake: look into its log, it may want a client certificate (tls.clientCertificates in spike.yaml), another name or another TLS version.',
  'tls-handshake-failed':
    'refused the TLS handshake: look into its log, it may want a client certificate (tls.clientCertificates in spike.yaml) or other cipher suites.',
};

const CAUSES_BY_CODE: Readonly<Record<string, TlsFailureCause>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls-self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls-untrusted-issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls-untrusted-issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'tls-untrusted-issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls-untrusted-issuer',
  CERT_UNTRUSTED: 'tls-untrusted-issuer',
  CERT_HAS_EXPIRED: 'tls-expired',
  CERT_NOT_YET_VALID: 'tls-not-yet-valid',
  HOSTNAME_MISMATCH: 'tls-wrong-name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls-wrong-name',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'tls-bad-certificate',
  CERT_REVOKED: 'tls-revoked',
  INVALID_CA: 'tls-bad-certificate',
  INVALID_PURPOSE: 'tls-bad-certificate',
  PATH_LENGTH_EXCEEDED: 'tls-bad-certificate',
  CERT_CHAIN_TOO_LONG: 'tls-bad-certificate',
  CERT_SIGNATURE_FAILURE: 'tls-bad-certificate',
  CERT_REJECTED: 'tls-bad-certificate',
  ECONNRESET: 'tls-closed',
  EPIPE: 'tls-closed',
};

/** In this order, on the code and the text: OpenSSL and BoringSSL word and number the same things differently. */
const CAUSES_BY_TEXT: readonly (readonly [RegExp, TlsFailureCause])[] = [
  // Alerts come from the server, and are about what it was shown; Java sends the first for want of any (see `causeOf`).
  [
    /ALERT.(?:BAD.CERTIFICATE|CERTIFICATE.UNKNOWN|UNKNOWN.CA|CERTIFICATE.EXPIRED|CERTIFICATE.REVOKED|UNSUPPORTED.CERTIFICATE|ACCESS.DENIED)/i,
    'tls-client-certificate-refused',
  ],
  [/CERT_REVOKED|CERTIFICATE.REVOKED/i, 'tls-revoked'],
  [/CERTIFICATE.REQUIRED/i, 'tls-client-certificate-required'],
  [/PROTOCOL.VERSION|UNSUPPORTED.PROTOCOL|VERSION.TOO.LOW/i, 'tls-version-refused'],
  [/UNRECOGNI[SZ]ED.NAME/i, 'tls-unknown-name'],
  [/NO.APPLICATION.PROTOCOL/i, 'tls-no-common-protocol'],
  [
    /WRONG.VERSION.NUMBER|PACKET.LENGTH.TOO.LONG|HTTP.REQUEST|RECORD.LAYER.FAILURE|UNKNOWN.PROTOCOL/i,
    'tls-not-tls',
  ],
  [/(?:KEY|MD).TOO.(?:SMALL|WEAK)/i, 'tls-bad-certificate'],
];

/**
 * The failure of a handshake with an upstream. `error` is what the socket gave; `host` is shown as it is.
 * @param certificate The client certificate that was shown, as its setting calls it; null: none.
 */
export function describeTlsFailure(
  error: unknown,
  host: string,
  certificate: string | null = null,
): TlsFailure {
  const { code, text } = identify(error);
  const found = causeOf(code, text);
  const cause =
    certificate === null && found === 'tls-client-certificate-refused'
      ? 'tls-client-certificate-required'
      : found;
  return { cause, message: `${host} ${SENTENCES[cause]}`, code };
}

/** Whether an error belongs to TLS at all, for who has connection errors in the same place. ECONNRESET does not tell. */
export function isTlsError(error: unknown): boolean {
  const { code, text } = identify(error);
  if (code === null) return false;
  if (/^ERR_(?:TLS|SSL)_/.test(code)) return true;
  if (code === 'EPROTO') return /ssl|tls/i.test(text);
  return code in CAUSES_BY_CODE && code !== 'ECONNRESET' && code !== 'EPIPE';
}

function identify(error: unknown): { code: string | null; text: string } {
  if (!(error instanceof Error)) return { code: null, text: String(error) };
  const code = (error as NodeJS.ErrnoException).code;
  return { code: typeof code === 'string' ? code : null, text: `${code ?? ''} ${error.message}` };
}

function causeOf(code: string | null, text: string): TlsFailureCause {
  const known = code !== null && Object.hasOwn(CAUSES_BY_CODE, code) ? CAUSES_BY_CODE[code] : undefined;
  if (known) return known;
  return CAUSES_BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? 'tls-handshake-failed';
}
