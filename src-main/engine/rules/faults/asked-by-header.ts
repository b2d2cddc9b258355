import type { FaultImplementation } from './stage.ts';

/**
 * Does nothing by itself: what the call asks for takes its place before a plan is made (../asked-faults.ts). It is left as it is
 * on what has no fields to ask with: tunnels.
 */
export const askedByHeader: FaultImplementation<'asked-by-header'> = {
  needsMessages: true,
  directions: () => [],
  createStage: null,
  answer: null,
};
