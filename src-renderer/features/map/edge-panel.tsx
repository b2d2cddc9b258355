import { useImperativeHandle } from 'react';
import { ListFilter, X } from 'lucide-react';
import type { Edge, EndpointStats } from '#shared/contract/topology.ts';
import { setSearchText } from '../../stores/calls-store.ts';
import { useRules } from '../../stores/rules-store.ts';
import { openView } from '../../stores/view-store.ts';
import { useKeys } from '../../ui/keys.ts';
import { Icon } from '../../ui/icon.tsx';
import { formatCount, formatDuration, formatRate } from '../../ui/words.ts';
import { BreakEdge } from './break-edge.tsx';
import { EdgeChart } from './edge-chart.tsx';
import { toggleFirstFault, useEdgeFaults } from './edge-faults.ts';
import { edgeTitle, failedShare, formatShare } from './edge-words.ts';
import { quoted } from './search-term.ts';
import { useEdgeDetail } from './use-edge-detail.ts';

export interface EdgePanelHandle {
  /** Space on the edge. */
  toggleFault(): void;
}

interface EdgePanelProps {
  edge: Edge;
  onClose: () => void;
  ref: React.Ref<EdgePanelHandle>;
}

/** An edge: its figures, its latency over time, its endpoints, and the faults it can be given. */
export function EdgePanel({ edge, onClose, ref }: EdgePanelProps) {
  const { detail, gone } = useEdgeDetail(edge.id);
  const faults = useEdgeFaults(edge);
  const toggleFault = () => toggleFirstFault(faults);
  useImperativeHandle(ref, () => ({ toggleFault }));
  useKeys({ ' ': toggleFault });
  const showCalls = () => {
    setSearchText(`caller:${quoted(edge.caller)} callee:${quoted(edge.callee)}`);
    openView('live');
  };
  return (
    <aside className="detail" aria-label={edgeTitle(edge)}>
      <div className="d-head">
        <div className="row">
          <h2 className="panel-title grow clip" title={edgeTitle(edge)}>
            {edge.caller} <span className="t3">→</span> {edge.callee}
          </h2>
          <button className="btn sm ghost" onClick={showCalls}>
            <Icon of={ListFilter} />
            Calls
          </button>
          <button
            className="btn sm ghost icon"
            aria-label="Close detail"
            title="Close (Esc)"
            onClick={onClose}
          >
            <Icon of={X} />
          </button>
        </div>
        <p className="sm t2">{gone ? 'No call in the last 5 minutes.' : <Verdict edge={edge} />}</p>
      </div>
      <div className="panel-scroll">
        <Figures edge={edge} />
        <EdgeChart edge={edge} detail={detail} />
        <Endpoints endpoints={detail?.endpoints ?? null} />
        <BreakEdge edge={edge} faults={faults} />
      </div>
    </aside>
  );
}

/** What the figures come to, in a sentence. */
function Verdict({ edge }: { edge: Edge }) {
  const { p95, p95WithoutFaults, calls, injected, injectedFailed } = edge.stats;
  const active = useRules(
    (store) => store.rules?.filter((rule) => edge.activeRules.includes(rule.id)).length ?? 0,
  );
  const your = active > 1 ? 'your faults' : 'your fault';
  if (calls === 0) return 'No call in the last minute.';
  const made =
    injectedFailed === 0 ? '' : `${formatShare(injectedFailed / calls)} of the calls failed by ${your}.`;
  if (p95 === null) return made;
  if (injected === 0) return `p95 is ${formatDuration(p95)} over the last minute.`;
  if (p95WithoutFaults === null)
    return made || `p95 is ${formatDuration(p95)}. Every call was touched by ${your}.`;
  if (made !== '' && p95 < p95WithoutFaults * 1.1) return made;
  return (
    <>
      {made} p95 is {formatDuration(p95)}. Without {your} it would be about{' '}
      <b className="t1 m">{formatDuration(p95WithoutFaults)}</b>.
    </>
  );
}

function Figures({ edge }: { edge: Edge }) {
  const { stats } = edge;
  return (
    <dl className="stats">
      <Figure name="Calls" value={formatRate(stats.perSecond)} />
      <Figure name="Failed" value={formatShare(failedShare(edge))} />
      <Figure name="p50" series={1} value={formatDuration(stats.p50)} />
      <Figure name="p95" series={3} value={formatDuration(stats.p95)} />
      <Figure name="p99" series={4} value={formatDuration(stats.p99)} />
      <Figure name="In flight" value={formatCount(stats.inFlight)} />
    </dl>
  );
}

function Figure({ name, value, series }: { name: string; value: string; series?: 1 | 3 | 4 }) {
  return (
    <div>
      <dt>
        {series !== undefined && <i style={{ background: `var(--series-${series})` }} />}
        {name}
      </dt>
      <dd>{value}</dd>
    </div>
  );
}

function Endpoints({ endpoints }: { endpoints: readonly EndpointStats[] | null }) {
  if (endpoints === null || endpoints.length === 0) return null;
  return (
    <table className="tbl panel-table">
      <thead>
        <tr>
          <th>Endpoint</th>
          <th className="r">Calls</th>
          <th className="r">Failed</th>
          <th className="r">p95</th>
        </tr>
      </thead>
      <tbody>
        {endpoints.map((endpoint) => (
          <tr key={endpoint.template}>
            <td className="mono clip" title={endpoint.template}>
              {endpoint.template}
            </td>
            <td className="r t2">{formatRate(endpoint.perSecond)}</td>
            <td className="r t2">{formatShare(endpoint.failedShare)}</td>
            <td className={endpoint.injected ? 'r fault' : 'r'}>{formatDuration(endpoint.p95)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
