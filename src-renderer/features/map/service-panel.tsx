import { ListFilter, X } from 'lucide-react';
import type { Edge, Service } from '#shared/contract/topology.ts';
import { setSearchText } from '../../stores/calls-store.ts';
import { openView } from '../../stores/view-store.ts';
import { Glyph } from '../../ui/glyph.tsx';
import { Icon } from '../../ui/icon.tsx';
import { formatDuration, formatRate } from '../../ui/words.ts';
import { edgeLabel, failedShare, formatShare } from './edge-words.ts';
import { quoted } from './search-term.ts';

interface ServicePanelProps {
  service: Service;
  edges: readonly Edge[];
  onSelect: (id: string) => void;
  onClose: () => void;
}

/** A service: who calls it, and whom it calls. */
export function ServicePanel({ service, edges, onSelect, onClose }: ServicePanelProps) {
  const { name } = service;
  const showCalls = () => {
    setSearchText(`service:${quoted(name)}`);
    openView('live');
  };
  return (
    <aside className="detail" aria-label={name}>
      <div className="d-head">
        <div className="row">
          <Glyph health={service.health} />
          <h2 className="panel-title grow clip">{name}</h2>
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
        <p className="sm t2">
          {service.note === ''
            ? formatRate(service.perSecond)
            : `${service.note}, ${formatRate(service.perSecond)}`}
        </p>
      </div>
      <div className="panel-scroll">
        <EdgeTable
          title="Called by"
          nobody="Nobody has called it."
          edges={edges.filter((edge) => edge.callee === name)}
          other={(edge) => edge.caller}
          onSelect={onSelect}
        />
        <EdgeTable
          title="Calls"
          nobody="It has called nobody through Spike."
          edges={edges.filter((edge) => edge.caller === name)}
          other={(edge) => edge.callee}
          onSelect={onSelect}
        />
      </div>
    </aside>
  );
}

interface EdgeTableProps {
  title: string;
  nobody: string;
  edges: readonly Edge[];
  other: (edge: Edge) => string;
  onSelect: (id: string) => void;
}

function EdgeTable({ title, nobody, edges, other, onSelect }: EdgeTableProps) {
  if (edges.length === 0) {
    return (
      <div className="sec">
        <h3>{title}</h3>
        <p className="sm t3">{nobody}</p>
      </div>
    );
  }
  return (
    <table className="tbl panel-table">
      <thead>
        <tr>
          <th>{title}</th>
          <th className="r">Calls</th>
          <th className="r">Failed</th>
          <th className="r">p95</th>
        </tr>
      </thead>
      <tbody>
        {edges.map((edge) => (
          <tr key={edge.id}>
            <td>
              <button className="row edge-of" onClick={() => onSelect(edge.id)}>
                <Glyph health={edge.health} />
                <span className="clip">{other(edge)}</span>
              </button>
            </td>
            <td className="r t2">{formatRate(edge.stats.perSecond)}</td>
            <td className="r t2">{formatShare(failedShare(edge))}</td>
            <td className={`r ${edgeLabel(edge, 'latency').tone}`}>{formatDuration(edge.stats.p95)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
