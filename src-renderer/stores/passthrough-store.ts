import { useEffect } from 'react';
import { create } from 'zustand';
import type { AutoPassthrough } from '#shared/contract/passthrough.ts';
import { agent, useConnection } from './connection-store.ts';
import { showToast, tellFailure } from './toast-store.ts';

interface PassthroughStore {
  /** Clients whose TLS passes through by itself; null until the agent has said them. */
  clients: readonly AutoPassthrough[] | null;
}

export const usePassthrough = create<PassthroughStore>(() => ({ clients: null }));

/** No event tells of them: they are asked for while somebody looks. */
const everyMs = 3000;

export async function loadPassthrough(): Promise<void> {
  usePassthrough.setState({ clients: await agent().passthrough.list() });
}

/** The clients that are left alone, kept fresh while the component is mounted. */
export function useLeftAlone(): readonly AutoPassthrough[] | null {
  const online = useConnection((store) => store.state.phase === 'online');
  useEffect(() => {
    if (!online) return;
    const look = () => void loadPassthrough().catch(() => undefined); // the connection notice tells that the agent is away
    look();
    const timer = setInterval(() => document.hidden || look(), everyMs);
    return () => clearInterval(timer);
  }, [online]);
  return usePassthrough((store) => store.clients);
}

/** Opens the TLS of such a client again, from its next connection on. */
export async function forgetLeftAlone({ id, client, name }: AutoPassthrough): Promise<void> {
  try {
    await agent().passthrough.forget({ id });
    await loadPassthrough();
    showToast({ tone: 'ok', text: `The next connection of ${client} to ${name} is opened again.` });
  } catch (error) {
    tellFailure(error);
    await loadPassthrough().catch(() => undefined);
  }
}
