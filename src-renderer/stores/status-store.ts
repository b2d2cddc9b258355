import { create } from 'zustand';
import type { Status } from '#shared/contract/status.ts';
import { agent } from './connection-store.ts';
import { tellFailure } from './toast-store.ts';

interface StatusStore {
  /** null until the agent has said it. */
  status: Status | null;
  /** Flows a second, exact, from the batches: fresher than `status.flowsPerSecond`. */
  perSecond: number | null;
}

export const useStatus = create<StatusStore>(() => ({ status: null, perSecond: null }));

export async function loadStatus(): Promise<void> {
  useStatus.setState({ status: await agent().agent.status() });
}

/** Starts recording, or pauses it. */
export async function toggleRecording(): Promise<void> {
  const { status } = useStatus.getState();
  if (status === null) return;
  try {
    await agent().captures.control({ action: status.capture.recording ? 'stop' : 'start' });
    await loadStatus();
  } catch (error) {
    tellFailure(error);
  }
}

export async function startDemo(): Promise<void> {
  try {
    await agent().agent.startDemo();
    await loadStatus();
  } catch (error) {
    tellFailure(error);
  }
}
