import { describeTlsFailure, isTlsError } from '../tls/tls-failure.ts';
import type { Destination, LeasedConnection, NetworkFailure } from './ports.ts';

/** The upstream ended the connection before its answer was whole. `error` is null after an orderly end. */
export function lostUpstream(
  { scheme, host, port }: Destination,
  connection: Pick<LeasedConnection, 'uses' | 'clientCertificate'> | null,
  hasAnswered: boolean,
  error: NodeJS.ErrnoException | null,
): NetworkFailure {
  const at = `${host}:${port}`;
  const certificate = connection?.clientCertificate ?? null;
  // In TLS 1.3 a server looks at the client's certificate after the client has begun to talk (RFC 8446, section 4.4.2.4).
  if (error !== null && isTlsError(error)) {
    const { cause, code, message } = describeTlsFailure(error, at, certificate);
    return { cause, code: code ?? 'TLS', message };
  }
  const when = hasAnswered ? 'in the middle of its answer' : 'before it answered';
  const isFirst = !hasAnswered && scheme === 'https' && connection?.uses === 0;
  const hint =
    isFirst && certificate === null
      ? ' It may want a client certificate: tls.clientCertificates in spike.yaml.'
      : '';
  if (error === null) {
    return {
      cause: 'upstream-closed-early',
      code: 'SPIKE_CLOSED',
      message: `${at} closed the connection ${when}.${hint}`,
    };
  }
  const code = error.code ?? 'UNKNOWN';
  const what = error.code ?? error.message;
  return {
    cause: 'upstream-reset',
    code,
    message: `${at} broke the connection off ${when} (${what}).${hint}`,
  };
}
