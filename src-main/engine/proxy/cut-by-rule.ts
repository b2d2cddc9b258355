import type { Cut } from '../rules/faults/stage.ts';
import { http2CodeName } from './http2/error-codes.ts';
import type { NetworkFailure } from './ports.ts';

/** What a flow says whose connection a rule has ended. */
export const cutByRule: Readonly<Record<Cut, NetworkFailure>> = {
  reset: {
    cause: 'fault-reset',
    code: 'ECONNRESET',
    message: 'A rule reset the connection to the client.',
  },
  close: {
    cause: 'fault-close',
    code: 'SPIKE_FAULT_CLOSE',
    message: 'A rule closed the connection to the client.',
  },
};
