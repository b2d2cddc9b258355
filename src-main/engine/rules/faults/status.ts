import type { FaultImplementation } from './stage.ts';

/** Answers in place of the upstream, which is not asked. Delays of the same rule or of others still apply to the answer. */
export const status: FaultImplementation<'status'> = {
  directions: () => [],
  createStage: null,
  answer: (fault) => ({ status: fault.status, headers: fault.headers, body: fault.body }),
};
