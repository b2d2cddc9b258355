import { useEffect, useState } from 'react';
import type { Flow } from '#shared/flow/flow.ts';
import { errorMessage } from '../../../bridge/error-message.ts';
import { callLog, useCalls } from '../../../stores/calls-store.ts';
import { agent } from '../../../stores/connection-store.ts';

export interface LoadedFlow {
  /** null while it is on its way. */
  flow: Flow | null;
  problem: string | null;
}

/** The whole flow behind a row; asked again when the row changes, as when an open call ends. */
export function useFlow(id: string): LoadedFlow {
  const row = useCalls(() => callLog.at(callLog.indexOf(id)));
  const [loaded, setLoaded] = useState<LoadedFlow>({ flow: null, problem: null });
  useEffect(() => {
    let current = true;
    agent()
      .flows.get({ id })
      .then(
        (flow) => current && setLoaded({ flow, problem: null }),
        (error: unknown) => current && setLoaded(({ flow }) => ({ flow, problem: errorMessage(error) })),
      );
    return () => void (current = false);
  }, [id, row]);
  return loaded;
}
