import type { FaultImplementation } from './stage.ts';

/** Sends the call elsewhere. What it is called (its flow, its edge, its callee) stays what it was meant to be. */
export const redirectUpstream: FaultImplementation<'redirect-upstream'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  redirectsTo: ({ to }) => to,
};
