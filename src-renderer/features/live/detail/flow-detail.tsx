import { useEffect } from 'react';
import { CircleAlert, Hand } from 'lucide-react';
import { Tabs } from 'radix-ui';
import type { Flow } from '#shared/flow/flow.ts';
import { openHeld, useHeld } from '../../../stores/held-store.ts';
import { Notice } from '../../../ui/notice.tsx';
import { formatCount } from '../../../ui/words.ts';
import { openTab, openTabOf, tabsOf, useDetailTab } from './detail-tab-store.ts';
import type { DetailTab } from './detail-tab-store.ts';
import { DetailHead } from './detail-head.tsx';
import { FaultsTab } from './faults-tab.tsx';
import { MessageTab } from './message-tab.tsx';
import { OverviewTab } from './overview-tab.tsx';
import { MessagesTab } from '../messages/messages-tab.tsx';
import { PanelEdge } from './panel-edge.tsx';
import { TimingTab } from './timing-tab.tsx';
import { useFlow } from './use-flow.ts';

const labels: Record<DetailTab, string> = {
  overview: 'Overview',
  request: 'Request',
  response: 'Response',
  messages: 'Messages',
  timing: 'Timing',
  faults: 'Faults',
};

/** Everything about one call. */
export function FlowDetail({ id }: { id: string }) {
  const { flow, problem } = useFlow(id);
  const tab = useDetailTab(openTabOf);
  const offered = useDetailTab((store) => store.offered);
  useEffect(() => {
    if (flow !== null) useDetailTab.setState({ offered: tabsOf(flow) });
  }, [flow]);
  return (
    <aside className="detail" aria-label="Flow detail">
      <PanelEdge />
      {problem !== null && (
        <Notice tone="error" icon={CircleAlert}>
          {problem}
        </Notice>
      )}
      <HeldNotice flowId={id} />
      {flow && (
        <>
          <DetailHead flow={flow} />
          <Tabs.Root
            className="detail-tabs"
            value={tab}
            onValueChange={(value) => openTab(value as DetailTab)}
            activationMode="manual"
          >
            <Tabs.List className="tabs">
              {offered.map((name) => (
                <Tabs.Trigger key={name} value={name}>
                  {labels[name]}
                  {name === 'messages' && flow.messages !== null && (
                    <span className="xs t3" aria-hidden>
                      {formatCount(flow.messages.count)}
                    </span>
                  )}
                  {name === 'faults' && flow.faults.length > 0 && (
                    <span className="xs fault" aria-hidden>
                      {flow.faults.length}
                    </span>
                  )}
                </Tabs.Trigger>
              ))}
            </Tabs.List>
            <Tabs.Content value={tab} className="detail-body" tabIndex={-1}>
              <TabContent tab={tab} flow={flow} />
            </Tabs.Content>
          </Tabs.Root>
        </>
      )}
    </aside>
  );
}

/** The call waits for somebody. */
function HeldNotice({ flowId }: { flowId: string }) {
  const call = useHeld(({ calls, ended }) =>
    calls.find((held) => held.flowId === flowId && !ended.has(held.id)),
  );
  if (call === undefined) return null;
  return (
    <Notice tone="fault" icon={Hand} action={{ label: 'Open it', run: () => openHeld(call.id) }}>
      {call.at === 'request' ? 'Held before the upstream hears of it.' : 'Its answer is held.'}
    </Notice>
  );
}

function TabContent({ tab, flow }: { tab: DetailTab; flow: Flow }) {
  switch (tab) {
    case 'overview':
      return <OverviewTab flow={flow} />;
    case 'request':
    case 'response':
      return <MessageTab key={tab} flow={flow} side={tab} />;
    case 'messages':
      return <MessagesTab flow={flow} />;
    case 'timing':
      return <TimingTab flow={flow} />;
    case 'faults':
      return <FaultsTab flow={flow} />;
  }
}
