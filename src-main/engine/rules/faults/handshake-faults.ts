import type { FaultImplementation } from './stage.ts';

/** Faults of the client's TLS handshake; what they say is done by whoever makes the handshake. */

const problemWords = {
  expired: 'an expired certificate',
  'not-yet-valid': 'a certificate that is not valid yet',
  'wrong-name': 'a certificate for another name',
  'self-signed': 'a self-signed certificate',
  'untrusted-ca': 'a certificate of an unknown CA',
} as const;

export const tlsCertificate: FaultImplementation<'tls-certificate'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  handshake: ({ problem }) => ({ kind: 'certificate', problem, describe: `showed ${problemWords[problem]}` }),
};

export const tlsAbort: FaultImplementation<'tls-abort'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  handshake: ({ alert }) => ({
    kind: 'abort',
    alert: alert === 'close' ? null : alert,
    describe: alert === 'close' ? 'ended the handshake' : `ended the handshake with ${alert}`,
  }),
};

export const tlsStall: FaultImplementation<'tls-stall'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  handshake: ({ stallMs }) => ({ kind: 'stall', stallMs, describe: 'stalled the handshake' }),
};

export const tlsVersion: FaultImplementation<'tls-version'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  handshake: ({ only }) => ({ kind: 'version', only, describe: `offered ${only} only` }),
};
