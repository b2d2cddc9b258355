import type { Candidates } from './compiled-rules.ts';

/**
 * What is known of a call comes in three steps: its head, then its body, then the status of its response. These split the
 * rules whose head matched (`CompiledRules.matchCall`) by the step that decides them.
 */

/** How much of the request's body has to be there before the call can be decided; 0: none of it. */
export function bodyBytesNeeded(matching: Candidates): number {
  return matching.reduce((most, { match }) => Math.max(most, match.body?.firstBytes ?? 0), 0);
}

/** Those whose body test the first part of the body passes, and those that have none. */
export function matchingBody(matching: Candidates, body: Buffer): Candidates {
  return matching.filter(({ match }) => match.body === null || match.body.matches(body));
}

/** Those that act on the request already. */
export function decidedByRequest(matching: Candidates): Candidates {
  return matching.some(({ match }) => match.status !== null)
    ? matching.filter(({ match }) => match.status === null)
    : matching;
}

/** Those that wait for the status of the response; most often none. */
export function waitingForStatus(matching: Candidates): Candidates {
  return matching.filter(({ match }) => match.status !== null);
}

export function matchingStatus(waiting: Candidates, status: number): Candidates {
  return waiting.filter(({ match }) => match.status?.(status) ?? false);
}
