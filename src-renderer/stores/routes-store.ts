import { create } from 'zustand';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { Route } from '#shared/routes/route.ts';
import { agent } from './connection-store.ts';

interface RoutesStore {
  /** null until the agent has said them. */
  routes: readonly Route[] | null;
}

export const useRoutes = create<RoutesStore>(() => ({ routes: null }));

export async function loadRoutes(): Promise<void> {
  useRoutes.setState({ routes: await agent().routes.list() });
}

/** Keeps the list in step with what the agent tells. */
export function applyRouteEvent(event: AgentEvent): void {
  const { routes } = useRoutes.getState();
  if (routes === null) return;
  if (event.type === 'route.changed') {
    const others = routes.filter((route) => route.name !== event.route.name);
    useRoutes.setState({ routes: [...others, event.route] });
  } else if (event.type === 'route.removed') {
    useRoutes.setState({ routes: routes.filter((route) => route.name !== event.name) });
  }
}
