import { z } from 'zod';

/**
 * The one error shape on every API: `{"error":{"code","message","details"}}`. The code is stable and for programs,
 * the message is for people: what happened, where, what holds now, the next step.
 */
export const errorCodes = {
  'bad-request': 400,
  'invalid-input': 400,
  'invalid-filter': 400,
  unauthorized: 401,
  'forbidden-host': 403,
  'forbidden-origin': 403,
  'not-found': 404,
  'held-not-found': 404,
  'method-not-allowed': 405,
  conflict: 409,
  'port-in-use': 409,
  'body-not-stored': 410,
  'too-large': 413,
  'workspace-invalid': 422,
  'internal-error': 500,
  'not-available': 503,
} as const;
export type ErrorCode = keyof typeof errorCodes;

export const ErrorBodySchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.unknown().optional(),
  }),
});
export type ErrorBody = z.infer<typeof ErrorBodySchema>;

/** A failure that its user can do something about: crosses every transport with its code. Bugs throw anything else. */
export class SpikeError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;
  constructor(code: ErrorCode, message: string, details?: unknown) {
    super(message);
    this.name = 'SpikeError';
    this.code = code;
    this.details = details;
  }
  get status(): number {
    return errorCodes[this.code];
  }
}
