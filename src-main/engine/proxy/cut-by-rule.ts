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

/** What the flow says of a stream that a rule has reset. */
export function resetByRule(code: number): NetworkFailure {
  const name = http2CodeName(code);
  return {
    cause: 'fault-reset',
    code: `HTTP2_${name}`,
    message: `A rule reset the client's stream with ${name}.`,
  };
}

/** What the flows of a connection say that a rule has ended. */
export function goawayByRule(code: number): NetworkFailure {
  const name = http2CodeName(code);
  return {
    cause: 'fault-close',
    code: `HTTP2_${name}`,
    message: `A rule ended the client's HTTP/2 connection with GOAWAY ${name}.`,
  };
}

/** Why a call ends whose client did not wait for a rule to let it go on. */
export function gaveUpWhileHeld(code: string): NetworkFailure {
  return { cause: 'fault-hang', code, message: 'The client gave up while a rule held the call.' };
}
