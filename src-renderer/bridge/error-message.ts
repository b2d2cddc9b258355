import { ErrorBodySchema } from '#shared/contract/errors.ts';

/** What a person should read about a call to the agent that failed. */
export function errorMessage(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'data' in error) {
    const body = ErrorBodySchema.safeParse(error.data);
    if (body.success) return body.data.error.message;
  }
  return error instanceof Error ? error.message : String(error);
}

/** The stable code of such a failure, or null where there is none. */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  if ('data' in error) {
    const body = ErrorBodySchema.safeParse(error.data);
    if (body.success) return body.data.error.code;
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}
