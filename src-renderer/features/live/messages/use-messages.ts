import { useEffect, useState } from 'react';
import type { FlowMessage } from '#shared/flow/message.ts';
import { errorMessage } from '../../../bridge/error-message.ts';
import { agent } from '../../../stores/connection-store.ts';

export interface LoadedMessages {
  readonly messages: readonly FlowMessage[];
  /** Messages that passed, kept or not; null while nothing has been heard. */
  readonly total: number | null;
  /** Of these, not kept. */
  readonly dropped: number;
  readonly problem: string | null;
}

const pageSize = 500;
/** How often an open flow is asked for what has come since. */
const pollEveryMs = 300;
const retryEveryMs = 2000;
const nothing: LoadedMessages = { messages: [], total: null, dropped: 0, problem: null };

/** The messages of a flow: what is there, then what comes while it is open. One asking at a time; ends with the view. */
export function useMessages(id: string): LoadedMessages {
  const [loaded, setLoaded] = useState<{ id: string; state: LoadedMessages }>({ id, state: nothing });
  useEffect(() => {
    const stop = new AbortController();
    void follow(id, stop.signal, (state) => setLoaded({ id, state }));
    return () => stop.abort();
  }, [id]);
  // What was loaded for another flow is not shown for this one.
  return loaded.id === id ? loaded.state : nothing;
}

async function follow(id: string, signal: AbortSignal, tell: (state: LoadedMessages) => void): Promise<void> {
  let state = nothing;
  let after = -1;
  while (!signal.aborted) {
    try {
      const page = await agent().flows.messages({ id, after, limit: pageSize }, { signal });
      if (signal.aborted) return;
      const messages = page.messages.length === 0 ? state.messages : [...state.messages, ...page.messages];
      state = { messages, total: page.total, dropped: page.dropped, problem: null };
      tell(state);
      if (page.next === null) return;
      after = page.next;
      if (page.messages.length < pageSize) await pause(pollEveryMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      state = { ...state, problem: errorMessage(error) };
      tell(state);
      await pause(retryEveryMs, signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
