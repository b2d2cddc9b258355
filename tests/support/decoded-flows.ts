import type { Flow } from '#shared/flow/flow.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import { eventually } from './real-agent.ts';
import type { RealAgent } from './real-agent.ts';

/** Where a route of an agent listens. */
export async function routePort(agent: RealAgent, name: string): Promise<number> {
  return await eventually(async () => {
    const routes = await agent.client.routes.list({});
    const address = routes.find((route) => route.name === name)?.address ?? '';
    const port = Number(address.split(':').at(-1));
    if (!(port > 0)) throw new Error(`no port of ${name}: ${JSON.stringify(routes)}`);
    return port;
  });
}

/**
 * Whether a flow began from now on. The flows of a test before may be told after its programs have ended, so that what is
 * known by now does not tell them apart; the clocks of a worker and of a test differ by less than a program takes to start.
 */
export function openedFromNowOn(wanted: Flow['protocol']): (flow: Flow) => boolean {
  const sinceMs = Date.now() - 50;
  return ({ protocol, startedAt }) => protocol === wanted && Date.parse(startedAt) >= sinceMs;
}

/** The first flow that is over and is the one that is looked for. */
export async function decodedFlow(agent: RealAgent, isWanted: (flow: Flow) => boolean): Promise<Flow> {
  return await eventually(async () => {
    const flow = (await agent.flows()).find((one) => isWanted(one) && one.durationMs !== null);
    if (flow === undefined) throw new Error('not recorded yet');
    return flow;
  });
}

/** All that are kept of a flow that is over. */
export async function messagesOf(agent: RealAgent, flow: Flow): Promise<FlowMessage[]> {
  const expected = (flow.messages?.count ?? 0) - (flow.messages?.dropped ?? 0);
  return await eventually(async () => {
    const messages: FlowMessage[] = [];
    for (let more = true; more;) {
      const after = messages.at(-1)?.index ?? -1;
      const page = await agent.client.flows.messages({ id: flow.id, after, limit: 1000 });
      messages.push(...page.messages);
      more = page.messages.length > 0 && messages.length < expected;
    }
    if (messages.length < expected) throw new Error(`${messages.length} of ${expected} messages`);
    return messages;
  });
}
