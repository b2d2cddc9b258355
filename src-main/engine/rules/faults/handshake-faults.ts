import { badCertificateWords } from '#shared/rules/faults/tls.ts';
import type { FaultImplementation } from './stage.ts';

/** Faults of the client's TLS handshake; what they say is done by whoever makes the handshake. */

export const tlsCertificate: FaultImplementation<'tls-certificate'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  handshake: ({ problem }) => ({
    kind: 'certificate',
    problem,
    describe: `showed ${badCertificateWords[problem]}`,
  }),
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
