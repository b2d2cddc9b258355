import type { AgentEvent } from '#shared/contract/events.ts';

/** The events of an engine, told to whoever listens, in the order in which they listen. */
export class EngineEvents {
  #listeners = new Set<(event: AgentEvent) => void>();
  /** Told when a worker's state has changed: whoever composes the whole status makes an event of it. */
  #statusListeners = new Set<() => void>();

  tell(event: AgentEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: (event: AgentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  statusChanged(): void {
    for (const listener of this.#statusListeners) listener();
  }

  onStatusChange(listener: () => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }
}
