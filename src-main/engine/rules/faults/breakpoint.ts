import type { FaultImplementation } from './stage.ts';

export const breakpoint: FaultImplementation<'breakpoint'> = {
  needsMessages: true,
  directions: ({ at }) => [at],
  createStage: null,
  answer: null,
};
