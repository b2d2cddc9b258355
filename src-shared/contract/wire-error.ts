import { errorCodes, SpikeError } from './errors.ts';
import type { ErrorCode } from './errors.ts';

/**
 * A `SpikeError` as oRPC carries it over WebSocket and MessagePort: an `ORPCError` whose `code` and `message` are ours and
 * whose `data` is the details. REST has `ErrorBody` instead.
 */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly data?: unknown;
}

/** What oRPC's own refusals are called here: those that never reach a handler. */
const codesOfLibrary: Readonly<Record<string, ErrorCode>> = {
  BAD_REQUEST: 'bad-request',
  UNAUTHORIZED: 'unauthorized',
  NOT_FOUND: 'not-found',
  METHOD_NOT_SUPPORTED: 'method-not-allowed',
  PAYLOAD_TOO_LARGE: 'too-large',
  SERVICE_UNAVAILABLE: 'not-available',
  INTERNAL_SERVER_ERROR: 'internal-error',
};

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

/** The code of the closed list; `internal-error` for one that is not on it (a newer agent's). */
export function errorCodeOf(code: string): ErrorCode {
  return isErrorCode(code) ? code : (codesOfLibrary[code] ?? 'internal-error');
}

/** What a call rejected with, as a `SpikeError`; null when it did not come from the agent (a lost connection, a bug). */
export function spikeErrorOf(error: unknown): SpikeError | null {
  if (error instanceof SpikeError) return error;
  if (!isWireError(error)) return null;
  return new SpikeError(errorCodeOf(error.code), error.message, error.data ?? undefined);
}

function isWireError(error: unknown): error is WireError {
  if (!(error instanceof Error) || !('code' in error) || !('status' in error)) return false;
  return typeof error.code === 'string' && typeof error.status === 'number';
}
