import type { FaultType } from '#shared/rules/fault.ts';
import { bandwidth } from './bandwidth.ts';
import { hang } from './hang.ts';
import { latency } from './latency.ts';
import { reset } from './reset.ts';
import type { FaultImplementation } from './stage.ts';
import { status } from './status.ts';

/** Every fault that Spike can run, by type. A type in the schema without an entry here does not compile. */
export const faultRegistry: { readonly [T in FaultType]: FaultImplementation<T> } = {
  latency,
  bandwidth,
  status,
  reset,
  hang,
};
