import { z } from 'zod';
import { delay } from './parts.ts';

/** Faults of the TLS that Spike opens: what the client sees of the certificate and of the handshake. */

export const TlsCertificateFaultSchema = z
  .strictObject({
    type: z.literal('tls-certificate'),
    problem: z
      .enum(['expired', 'not-yet-valid', 'wrong-name', 'self-signed', 'untrusted-ca'])
      .default('expired')
      .meta({ title: 'Problem' }),
  })
  .meta({ title: 'Bad certificate', scope: 'tls', icon: 'shield-alert' });

/** What the client is shown, in a rule's sentence and in the note on a flow. */
export const badCertificateWords: Readonly<
  Record<z.infer<typeof TlsCertificateFaultSchema>['problem'], string>
> = {
  expired: 'an expired certificate',
  'not-yet-valid': 'a certificate that is not valid yet',
  'wrong-name': 'a certificate for another name',
  'self-signed': 'a self-signed certificate',
  'untrusted-ca': 'a certificate of an unknown CA',
};

export const TlsAbortFaultSchema = z
  .strictObject({
    type: z.literal('tls-abort'),
    alert: z
      .enum(['handshake_failure', 'internal_error', 'access_denied', 'unrecognized_name', 'close'])
      .default('handshake_failure')
      .meta({
        title: 'Alert',
        description: 'The alert that ends the handshake (RFC 8446, section 6); close: none, just the end.',
      }),
  })
  .meta({ title: 'Handshake abort', scope: 'tls', icon: 'shield-off' });

export const TlsStallFaultSchema = z
  .strictObject({
    type: z.literal('tls-stall'),
    stallMs: delay('Stall', 30_000, 'Before the handshake is answered. 0: never.'),
  })
  .meta({ title: 'Handshake stall', scope: 'tls', icon: 'hourglass' });

export const TlsVersionFaultSchema = z
  .strictObject({
    type: z.literal('tls-version'),
    only: z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2']).default('TLSv1.1').meta({
      title: 'Only',
      description: 'The one version that is offered: clients that refuse it fail with protocol_version.',
    }),
  })
  .meta({ title: 'Old protocol', scope: 'tls', icon: 'history' });
