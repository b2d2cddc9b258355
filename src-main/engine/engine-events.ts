import type { AgentEvent } from '#shared/contract/events.ts';

/** The events of an engine, told to whoever listens, in the order in which they listen. */
export class EngineEvents {
  #listeners = new Set<(event: AgentEvent) => void>();

  tell(event: AgentEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: (event: AgentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
