import { randomUUID } from 'node:crypto';
import { ORPCError, ValidationError } from '@orpc/contract';
import { SpikeError } from '#shared/contract/errors.ts';
import type { ErrorBody } from '#shared/contract/errors.ts';
import { errorCodeOf } from '#shared/contract/wire-error.ts';
import type { Log } from '../engine/log.ts';
import { describeIssues, summariseProblems } from './input-issues.ts';

/**
 * What a handler threw, as what crosses the wire. A `SpikeError` keeps its code; an input that its schema refused becomes
 * `invalid-input`; anything else is a bug: it is logged under an id, and only the id is told.
 */
export function toWireError(error: unknown, log: Log): ORPCError<string, unknown> {
  return wireError(spikeError(error, log));
}

/** The one error shape, over REST. */
export function toErrorBody(error: { code: string; message: string; data?: unknown }): ErrorBody {
  const { code, message, data } = error;
  const details = data === undefined || data === null ? {} : { details: data };
  return { error: { code: errorCodeOf(code), message, ...details } };
}

/** A `SpikeError` for whatever was thrown. */
export function spikeError(error: unknown, log: Log): SpikeError {
  if (error instanceof SpikeError) return error;
  if (error instanceof ORPCError) return ofLibrary(error);
  const id = randomUUID();
  log.error({ err: error, errorId: id }, 'a request failed through a fault of Spike itself');
  return new SpikeError('internal-error', `Spike failed to answer. The log tells more, under ${id}.`, { id });
}

function ofLibrary(error: ORPCError<string, unknown>): SpikeError {
  if (!(error.cause instanceof ValidationError)) {
    return new SpikeError(errorCodeOf(error.code), error.message, error.data);
  }
  const problems = describeIssues(error.cause.issues);
  return new SpikeError('invalid-input', summariseProblems(problems), problems);
}

function wireError(error: SpikeError): ORPCError<string, unknown> {
  const { code, status, message, details } = error;
  return new ORPCError(code, { status, message, data: details });
}

interface Interception {
  next(): Promise<unknown>;
}

/** The interceptor that every transport puts around the handlers. */
export function mapErrors(log: Log): (call: Interception) => Promise<unknown> {
  return async (call) => {
    try {
      return await call.next();
    } catch (error) {
      throw toWireError(error, log);
    }
  };
}
