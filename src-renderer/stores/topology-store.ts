import { useEffect } from 'react';
import { create } from 'zustand';
import type { Topology } from '#shared/contract/topology.ts';
import { agent, useConnection } from './connection-store.ts';

interface TopologyStore {
  /** Figures of the last 60 s; null until the agent has said them. */
  topology: Topology | null;
}

export const useTopology = create<TopologyStore>(() => ({ topology: null }));

/** Who watches, and how often each wants to look, in ms. */
const watchers = new Map<symbol, number>();
let timer: ReturnType<typeof setTimeout> | null = null;

/** Asks now, and again as often as the most eager watcher wants; never while nobody watches or the window is hidden. */
async function poll(): Promise<void> {
  timer = null;
  if (watchers.size === 0) return;
  if (!document.hidden && useConnection.getState().state.phase === 'online') {
    try {
      useTopology.setState({ topology: await agent().topology.get({ window: '60s' }) });
    } catch {
      // The connection notice tells that the agent is away; the next poll tries again.
    }
  }
  if (timer === null && watchers.size > 0)
    timer = setTimeout(() => void poll(), Math.min(...watchers.values()));
}

/** Asks at once, after something changed that the map must show. */
export function refreshTopology(): void {
  if (timer !== null) clearTimeout(timer);
  void poll();
}

/** Keeps the topology fresh while the component is mounted. @param everyMs the longest wait between two looks. */
export function useTopologyEvery(everyMs: number): Topology | null {
  useEffect(() => {
    const watcher = Symbol('topology watcher');
    watchers.set(watcher, everyMs);
    refreshTopology();
    return () => void watchers.delete(watcher);
  }, [everyMs]);
  return useTopology((store) => store.topology);
}
