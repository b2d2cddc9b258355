import type { FailureCause } from '#shared/flow/failure-cause.ts';

interface FailureWords {
  /** For the Status column. */
  word: string;
  /** For a line of its own. */
  sentence: string;
}

/** What a failure is called in the window. A new cause does not compile until it has its words. */
export const failureWords: Record<FailureCause, FailureWords> = {
  'client-malformed-request': { word: 'refused', sentence: 'the request could be read in two ways' },
  'client-limit-exceeded': { word: 'refused', sentence: 'the request was over a limit' },
  'client-closed': { word: 'closed', sentence: 'the caller closed' },
  'client-timeout': { word: 'timeout', sentence: 'the caller sent too slowly' },
  'tls-client-distrusts-ca': { word: 'no trust', sentence: 'the caller refused the certificate' },
  'tls-client-version-refused': { word: 'no TLS', sentence: 'the caller speaks no TLS version in common' },
  'tls-client-no-common-protocol': { word: 'no TLS', sentence: 'the caller offers no protocol in common' },
  'tls-client-closed': { word: 'closed', sentence: 'the caller closed during the TLS handshake' },
  'tls-client-handshake-failed': { word: 'no TLS', sentence: 'TLS with the caller failed' },
  'upstream-dns-failed': { word: 'no name', sentence: 'the name was not found' },
  'upstream-refused': { word: 'refused', sentence: 'the connection was refused' },
  'upstream-unreachable': { word: 'no way', sentence: 'the upstream is unreachable' },
  'upstream-connect-timeout': { word: 'timeout', sentence: 'connecting timed out' },
  'upstream-loop': { word: 'loop', sentence: 'the call leads back to Spike' },
  'upstream-forbidden': { word: 'denied', sentence: 'Spike does not connect there' },
  'upstream-closed-early': { word: 'closed', sentence: 'the upstream closed early' },
  'upstream-reset': { word: 'reset', sentence: 'the upstream reset the connection' },
  'upstream-timeout': { word: 'timeout', sentence: 'the upstream timed out' },
  'upstream-malformed-response': { word: 'garbled', sentence: 'the answer could not be read' },
  'tls-self-signed': { word: 'no trust', sentence: 'the upstream’s certificate is self-signed' },
  'tls-untrusted-issuer': { word: 'no trust', sentence: 'the issuer of the certificate is not trusted' },
  'tls-expired': { word: 'expired', sentence: 'the upstream’s certificate has expired' },
  'tls-not-yet-valid': { word: 'too new', sentence: 'the upstream’s certificate is not valid yet' },
  'tls-wrong-name': { word: 'bad name', sentence: 'the certificate is for another name' },
  'tls-revoked': { word: 'revoked', sentence: 'the upstream’s certificate was revoked' },
  'tls-bad-certificate': { word: 'no trust', sentence: 'the upstream’s certificate is malformed' },
  'tls-client-certificate-required': { word: 'no cert', sentence: 'the upstream wants a client certificate' },
  'tls-version-refused': { word: 'no TLS', sentence: 'the upstream speaks no TLS version in common' },
  'tls-unknown-name': { word: 'bad name', sentence: 'the upstream does not know the name' },
  'tls-no-common-protocol': { word: 'no TLS', sentence: 'the upstream offers no protocol in common' },
  'tls-closed': { word: 'closed', sentence: 'the upstream closed during the TLS handshake' },
  'tls-handshake-failed': { word: 'no TLS', sentence: 'TLS with the upstream failed' },
  'tls-not-tls': { word: 'no TLS', sentence: 'the upstream does not speak TLS' },
  'fault-reset': { word: 'reset', sentence: 'reset by a rule' },
  'fault-hang': { word: 'hung', sentence: 'held by a rule until it was given up' },
  'spike-worker-lost': { word: 'cut', sentence: 'its worker was lost' },
  'spike-stopping': { word: 'cut', sentence: 'Spike was stopping' },
  'spike-overloaded': { word: 'refused', sentence: 'Spike was at its limit' },
};

/** gRPC status codes by number (grpc.io, "Status codes and their use in gRPC"). */
export const grpcStatusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;
