import { useSyncExternalStore } from 'react';

const everyMs = 250;
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;
let now = Date.now();

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(tick, everyMs);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

function tick(): void {
  now = Date.now();
  for (const watcher of watchers) watcher();
}

/** The present, Unix ms, four times a second; the same for all that show it, so that countdowns step together. */
export function useNow(): number {
  return useSyncExternalStore(watch, () => now);
}
