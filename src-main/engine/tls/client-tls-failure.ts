// The other side of tls-failure.ts: a client that does not go on with the leaf certificate it was shown. What it objects to
// comes as an alert (RFC 8446 section 6.2), if it says anything at all.

export type ClientTlsFailureCause =
  | 'tls-client-distrusts-ca'
  | 'tls-client-version-refused'
  | 'tls-client-no-common-protocol'
  | 'tls-client-closed'
  | 'tls-client-handshake-failed';

export type ClientTlsFailure = {
  cause: ClientTlsFailureCause;
  /** One sentence or two, naming the caller, the name it asked for, and the next step. */
  message: string;
  /** What Node or OpenSSL called it; null when the error had no code. */
  code: string | null;
  /** The alert by which the client said that it does not trust the certificate: unknown_ca, …; null for all else. */
  distrust: string | null;
};

const TRUST_STEP =
  'make it trust the CA (spike run, or spike ca install), or, if it pins its certificates, add the name to tls.passthrough in spike.yaml.';

const SENTENCES: Record<ClientTlsFailureCause, string> = {
  'tls-client-distrusts-ca': `does not accept the certificate that Spike showed: ${TRUST_STEP}`,
  'tls-client-version-refused':
    'has no TLS version in common with Spike, which speaks TLS 1.2 and 1.3: update it, or add the name to tls.passthrough in spike.yaml.',
  'tls-client-no-common-protocol':
    'offers by ALPN none of the protocols that Spike opens: add the name to tls.passthrough in spike.yaml.',
  'tls-client-closed': `closed the connection when it had seen the certificate that Spike showed. If it happens each time, ${TRUST_STEP}`,
  'tls-client-handshake-failed':
    'and Spike could not agree on a TLS connection: add the name to tls.passthrough in spike.yaml to leave it alone.',
};

/** OpenSSL says unknown_ca, Java certificate_unknown, others bad_certificate. Expired and revoked are of the same kind to us. */
const CAUSES_BY_TEXT: readonly (readonly [RegExp, ClientTlsFailureCause])[] = [
  [
    /UNKNOWN.CA|(?:BAD|UNSUPPORTED|UNKNOWN).CERTIFICATE|CERTIFICATE.(?:UNKNOWN|EXPIRED|REVOKED)|ACCESS.DENIED/i,
    'tls-client-distrusts-ca',
  ],
  [/PROTOCOL.VERSION|UNSUPPORTED.PROTOCOL|VERSION.TOO.LOW/i, 'tls-client-version-refused'],
  [/NO.APPLICATION.PROTOCOL/i, 'tls-client-no-common-protocol'],
  [/ECONNRESET|EPIPE|USER.CANCEL/i, 'tls-client-closed'],
];

/**
 * `error` is what the socket gave, or null when a client ended the connection after the handshake without asking for anything:
 * so does Node, which verifies when the handshake is over and then sends no alert. `caller` and `name` (the server name, or the
 * address called) are shown as they are.
 */
export function describeClientTlsFailure(error: unknown, caller: string, name: string): ClientTlsFailure {
  const given = error instanceof Error ? (error as NodeJS.ErrnoException) : null;
  const code = typeof given?.code === 'string' ? given.code : null;
  const cause = error === null ? 'tls-client-closed' : causeOf(`${code ?? ''} ${given?.message ?? ''}`);
  return {
    cause,
    message: `${caller}, calling ${name}, ${SENTENCES[cause]}`,
    code,
    distrust: distrustOf(cause, code),
  };
}

/** ERR_SSL_TLSV1_ALERT_UNKNOWN_CA, ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN, … */
function distrustOf(cause: ClientTlsFailureCause, code: string | null): string | null {
  if (cause !== 'tls-client-distrusts-ca') return null;
  return /ALERT_([A-Z_]+)$/.exec(code ?? '')?.[1]?.toLowerCase() ?? 'bad_certificate';
}

function causeOf(text: string): ClientTlsFailureCause {
  return CAUSES_BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? 'tls-client-handshake-failed';
}
