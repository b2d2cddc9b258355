import { createORPCClient, ORPCError } from '@orpc/client';
import { OpenAPILink } from '@orpc/openapi-client/fetch';
import { contract } from '#shared/contract/contract.ts';
import type { AgentClient } from '#shared/contract/contract.ts';
import { ErrorBodySchema, SpikeError } from '#shared/contract/errors.ts';
import { errorCodeOf, spikeErrorOf } from '#shared/contract/wire-error.ts';

export interface RestClientOptions {
  /** `http://127.0.0.1:7071`, without the prefix of the API. */
  readonly baseUrl: string;
  readonly token: string;
}

/**
 * The contract over REST, for the command line and for scripts in this repository. Calls reject with a `SpikeError`:
 * the agent's own, or `not-available` where no agent answers.
 */
export function createRestClient(options: RestClientOptions): AgentClient {
  const link = new OpenAPILink(contract, {
    url: options.baseUrl,
    headers: { authorization: `Bearer ${options.token}` },
    fetch: (request, init) => fetchAgent(request, init, options.baseUrl),
    customErrorResponseBodyDecoder: decodeError,
    interceptors: [
      async (call) => {
        try {
          return await call.next();
        } catch (error) {
          throw spikeErrorOf(error) ?? error;
        }
      },
    ],
  });
  return createORPCClient(link);
}

async function fetchAgent(request: Request, init: RequestInit, baseUrl: string): Promise<Response> {
  try {
    return await fetch(request, init);
  } catch (error) {
    if (request.signal.aborted) throw error;
    // fetch says "fetch failed"; its cause says why.
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new SpikeError('not-available', `No agent answers at ${baseUrl}: ${cause}.`, { baseUrl });
  }
}

/** null: not our error shape, and oRPC makes an error of the status. */
function decodeError(body: unknown, response: { status: number }): ORPCError<string, unknown> | null {
  const parsed = ErrorBodySchema.safeParse(body);
  if (!parsed.success) return null;
  const { code, message, details } = parsed.data.error;
  return new ORPCError(errorCodeOf(code), { status: response.status, message, data: details });
}
