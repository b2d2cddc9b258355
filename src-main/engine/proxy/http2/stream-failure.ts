import type { NetworkFailure } from '../ports.ts';
import { http2CodeName } from './error-codes.ts';
import type { Http2StreamError } from './ports.ts';

/** Why a client's stream ended before its answer. */
export function clientClosed(error: NodeJS.ErrnoException | null): NetworkFailure {
  const code = (error as Http2StreamError | null)?.http2Code ?? null;
  if (code === null) {
    const message = 'The client closed its connection before it was answered.';
    return { cause: 'client-closed', code: error?.code ?? 'SPIKE_CLIENT_CLOSED', message };
  }
  const name = http2CodeName(code);
  const message = `The client reset the stream before it was answered, with ${name}.`;
  return { cause: 'client-closed', code: `HTTP2_${name}`, message };
}
