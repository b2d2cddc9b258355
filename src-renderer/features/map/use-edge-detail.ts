import { useEffect, useState } from 'react';
import type { EdgeDetail } from '#shared/contract/topology.ts';
import { errorCode } from '../../bridge/error-message.ts';
import { agent, useConnection } from '../../stores/connection-store.ts';

const everyMs = 500;
/** How far the chart of an edge reaches back. */
export const edgeWindow = '5m';

export interface EdgeDetailState {
  detail: EdgeDetail | null;
  /** The agent has no such edge in the window: it went quiet. */
  gone: boolean;
}

/** The chart and endpoints of an edge, twice a second while the page is in sight. */
export function useEdgeDetail(id: string): EdgeDetailState {
  const [state, setState] = useState<EdgeDetailState>({ detail: null, gone: false });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let current = true;
    const look = async () => {
      if (!document.hidden && useConnection.getState().state.phase === 'online') {
        try {
          const detail = await agent().topology.edge({ id, window: edgeWindow });
          if (current) setState({ detail, gone: false });
        } catch (error) {
          // That the agent is away is said by the connection notice; the next look tries again.
          if (current && errorCode(error) === 'not-found') setState((now) => ({ ...now, gone: true }));
        }
      }
      if (current) timer = setTimeout(() => void look(), everyMs);
    };
    void look();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [id]);
  return state;
}
