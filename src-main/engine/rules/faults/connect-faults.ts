import type { FaultImplementation } from './stage.ts';

/** Faults in place of connecting to the upstream: what the caller gets is what it would get if the upstream failed so. */

const defaultDnsTimeoutMs = 5000;

export const refuse: FaultImplementation<'refuse'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  failsConnecting: () => ({
    afterMs: 0,
    describe: 'refused the connection to the upstream',
    failure: {
      cause: 'fault-refuse',
      code: 'ECONNREFUSED',
      message: 'A rule refused the connection, as if nothing listened there.',
    },
  }),
};

const dnsCodes = { nxdomain: 'ENOTFOUND', servfail: 'EAI_AGAIN', timeout: 'EAI_AGAIN' } as const;
const dnsWords = {
  nxdomain: 'there is no such name',
  servfail: 'the name server failed',
  timeout: 'the name server did not answer',
} as const;

export const dnsFailure: FaultImplementation<'dns-failure'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  failsConnecting: ({ answer, delayMs }) => ({
    afterMs: answer === 'timeout' && delayMs === 0 ? defaultDnsTimeoutMs : delayMs,
    describe: `failed the look-up of the name: ${dnsWords[answer]}`,
    failure: {
      cause: 'fault-dns-failure',
      code: dnsCodes[answer],
      message: `A rule failed the look-up of the name: ${dnsWords[answer]}.`,
    },
  }),
};

export const connectTimeout: FaultImplementation<'connect-timeout'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  failsConnecting: ({ afterMs }) => ({
    afterMs,
    describe: 'let connecting time out',
    failure: {
      cause: 'fault-connect-timeout',
      code: 'ETIMEDOUT',
      message: 'A rule let connecting time out, as if the upstream did not answer.',
    },
  }),
};
