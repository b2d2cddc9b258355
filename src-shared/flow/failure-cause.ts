import { z } from 'zod';

/**
 * Why a flow failed: a closed union, so that a window, a script and a test can tell the cases apart.
 * The prefix says whose doing it was: `client-`, `upstream-`, `tls-` (either side, see the message), `fault-`, `spike-`.
 */
export const failureCauses = [
  // The request could not be understood in one way only; never forwarded (RFC 9112, section 11.2).
  'client-malformed-request',
  'client-limit-exceeded',
  'client-closed',
  'client-timeout',
  'tls-client-distrusts-ca',
  'tls-client-version-refused',
  'tls-client-no-common-protocol',
  'tls-client-closed',
  'tls-client-handshake-failed',
  // The upstream could not be reached.
  'upstream-dns-failed',
  'upstream-refused',
  'upstream-unreachable',
  'upstream-connect-timeout',
  'upstream-loop',
  'upstream-forbidden',
  // The proxy between Spike and the upstream (`upstreamProxy` of the workspace).
  'upstream-proxy-unreachable',
  'upstream-proxy-timeout',
  'upstream-proxy-credentials',
  'upstream-proxy-refused',
  'upstream-proxy-malformed',
  // The upstream was reached and then failed.
  'upstream-closed-early',
  'upstream-reset',
  'upstream-timeout',
  'upstream-malformed-response',
  // Verification of the upstream's certificate.
  'tls-self-signed',
  'tls-untrusted-issuer',
  'tls-expired',
  'tls-not-yet-valid',
  'tls-wrong-name',
  'tls-revoked',
  'tls-bad-certificate',
  'tls-client-certificate-required',
  'tls-client-certificate-refused',
  'tls-version-refused',
  'tls-unknown-name',
  'tls-no-common-protocol',
  'tls-not-tls',
  'tls-closed',
  'tls-handshake-failed',
  // Done on purpose, by a rule.
  'fault-reset',
  'fault-close',
  'fault-refuse',
  'fault-dns-failure',
  'fault-connect-timeout',
  'fault-handshake',
  'fault-hang',
  // The proxy's own doing: a killed worker, an agent that stops, a bound that was hit.
  'spike-worker-lost',
  'spike-stopping',
  'spike-overloaded',
] as const;

export const FailureCauseSchema = z.enum(failureCauses);
export type FailureCause = z.infer<typeof FailureCauseSchema>;
