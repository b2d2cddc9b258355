import { useEffect, useState } from 'react';
import { Activity } from 'lucide-react';
import { explainSearch, parseSearch } from '#shared/flow/search.ts';
import { setRange, setSearchText, useCalls } from '../../stores/calls-store.ts';
import { agent, useConnection } from '../../stores/connection-store.ts';
import { startDemo, useStatus } from '../../stores/status-store.ts';
import { openView } from '../../stores/view-store.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { counted, formatCount } from '../../ui/words.ts';
import { rangeLabel } from '../../stores/time-range.ts';

/** What the list says while it has no rows: why, and the next step. */
export function TableState({ count }: { count: number }) {
  const loading = useCalls((store) => store.loading);
  const total = useCalls((store) => store.total);
  const search = useCalls((store) => store.search);
  const phase = useConnection((store) => store.state.phase);
  if (count > 0 || phase === 'unauthorized') return null;
  if (loading || total === null) return null;
  if (total === 0) return <NoCallsYet />;
  return search === '' ? <NoCallInRange total={total} /> : <NoMatch search={search} total={total} />;
}

function NoCallsYet() {
  const status = useStatus((store) => store.status);
  const demo = status?.demo ?? 'unavailable';
  const proxy = status?.proxy.address;
  return (
    <EmptyState
      icon={Activity}
      title="No calls yet"
      actions={
        <>
          <button className="btn sm primary" onClick={() => openView('setup')}>
            Open Setup
          </button>
          {demo !== 'unavailable' && (
            <button className="btn sm" disabled={demo !== 'off'} onClick={() => void startDemo()}>
              {demo === 'starting' ? 'Starting the example shop…' : 'Start the example shop'}
            </button>
          )}
        </>
      }
    >
      Start a service with spike run, add a route{proxy ? `, or use the proxy on ${proxy}` : ''}.
      <span className="sr-only" role="status">
        Waiting for the first call…
      </span>
    </EmptyState>
  );
}

function NoCallInRange({ total }: { total: number }) {
  const range = useCalls((store) => store.range);
  return (
    <EmptyState
      title="No call in this time"
      actions={
        <button className="btn sm" onClick={() => setRange({ kind: 'all' })}>
          Show all kept
        </button>
      }
    >
      {rangeLabel(range)} has none; {counted(total, 'call')} {total === 1 ? 'is' : 'are'} kept.
    </EmptyState>
  );
}

function NoMatch({ search, total }: { search: string; total: number }) {
  const matching = useMatching(search);
  const parsed = parseSearch(search);
  return (
    <EmptyState
      title="No call matches"
      actions={
        <>
          {matching !== null && matching > 0 && (
            <button className="btn sm" onClick={() => setRange({ kind: 'all' })}>
              Show {counted(matching, 'older call')}
            </button>
          )}
          <button className="btn sm ghost" onClick={() => setSearchText('')}>
            Clear search
          </button>
        </>
      }
    >
      {matching === null ? '' : `${formatCount(matching)} of `}
      {counted(total, 'call')} in the capture match{matching === 1 ? 'es' : ''}
      {parsed.ok && `: ${explainSearch(parsed.ast)}`}.
    </EmptyState>
  );
}

/** How many calls of the whole capture match, whatever the time. */
function useMatching(search: string): number | null {
  const [matching, setMatching] = useState<number | null>(null);
  useEffect(() => {
    let current = true;
    agent()
      .flows.count({ filter: search })
      .then(
        (count) => current && setMatching(count.matching),
        () => current && setMatching(null),
      );
    return () => void (current = false);
  }, [search]);
  return matching;
}
