import type { AgentEvent } from '#shared/contract/events.ts';
import { connectAgent } from '../bridge/connect-agent.ts';
import { clearCalls, loadCalls, receiveBatch } from './calls-store.ts';
import { setConnection, useConnection } from './connection-store.ts';
import { applyHeldEvent, loadHeld } from './held-store.ts';
import { applyRouteEvent, loadRoutes } from './routes-store.ts';
import { applyRuleEvent, loadRules } from './rules-store.ts';
import { applyScenarioEvent, loadScenarios } from './scenario-store.ts';
import { loadStatus, useStatus } from './status-store.ts';
import { showToast } from './toast-store.ts';
import { counted, formatDuration } from '../ui/words.ts';

/** Connects the stores to the agent of this window. Called once. */
export function startSession(): void {
  setConnection(
    connectAgent({
      onState: (state) => useConnection.setState({ state }),
      onLink: () => void loadEverything(),
      onEvent: receive,
    }),
  );
}

/** After a link is up: what was missed while it was down is asked for. A failure shows as the next lost link. */
async function loadEverything(): Promise<void> {
  useConnection.setState({ lastAnswerAt: Date.now() });
  await Promise.allSettled([
    loadStatus(),
    loadRules(),
    loadRoutes(),
    loadScenarios(),
    loadHeld(),
    loadCalls(),
  ]);
}

function receive(event: AgentEvent): void {
  useConnection.setState({ lastAnswerAt: Date.now() });
  applyRuleEvent(event);
  applyRouteEvent(event);
  applyScenarioEvent(event);
  applyHeldEvent(event);
  switch (event.type) {
    case 'flow.batch':
      useStatus.setState({ perSecond: event.perSecond });
      return receiveBatch(event);
    case 'flow.cleared':
      return clearCalls();
    case 'status.changed':
      return useStatus.setState({ status: event.status });
    case 'worker.lost':
      showToast({ tone: 'error', text: workerLost(event) });
      return;
    case 'worker.replaced':
      showToast({
        tone: 'info',
        text: `Worker ${event.worker} was replaced in ${formatDuration(event.afterMs)}. Other workers were not touched.`,
      });
  }
}

function workerLost(event: Extract<AgentEvent, { type: 'worker.lost' }>): string {
  const cut = event.lostFlows === 0 ? 'No call was cut' : `${counted(event.lostFlows, 'call')} cut`;
  return `Worker ${event.worker} was lost: ${event.reason}. ${cut}; Live marks those.`;
}
