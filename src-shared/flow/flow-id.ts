/**
 * Flow ids: time-ordered, unique over the workers of an agent and over agents, without a word between them.
 *
 *     mfx3k2a1c 0007 03 k3v9q2
 *     └ Unix ms └ in └ worker
 *       base 36   that     └ agent
 *                 ms
 *
 * Plain text comparison is order of start. 21 characters, lower-case letters and digits only.
 */
export interface FlowIdSource {
  /** The next id for a flow that starts at `unixMs` (a fraction is ignored). Never repeats, also if the clock steps back. */
  next(unixMs: number): string;
}

export const flowIdPattern = /^[0-9a-z]{21}$/;

/** @param agentId 6 characters [0-9a-z], the same for the life of the agent's home. @param worker from 1. */
export function createFlowIdSource(agentId: string, worker: number): FlowIdSource {
  if (!/^[0-9a-z]{6}$/.test(agentId)) throw new TypeError(`agent id must be 6 of [0-9a-z]: ${agentId}`);
  const tail = worker.toString(36).padStart(2, '0') + agentId;
  let lastMs = 0;
  let prefix = '';
  let count = 0;
  return {
    next(unixMs) {
      const ms = Math.floor(unixMs);
      if (ms > lastMs) {
        lastMs = ms;
        prefix = ms.toString(36).padStart(9, '0');
        count = 0;
      }
      count += 1;
      return prefix + count.toString(36).padStart(4, '0') + tail;
    },
  };
}
