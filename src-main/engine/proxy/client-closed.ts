import type { NetworkFailure } from './ports.ts';

/** The client gave its call up, by ending its connection. `when` ends the sentence. */
export function clientClosed(when: string, code = 'SPIKE_CLIENT_CLOSED'): NetworkFailure {
  return { cause: 'client-closed', code, message: `The client closed its connection ${when}.` };
}
