import { Unplug, Waypoints } from 'lucide-react';
import { startDemo, useStatus } from '../../stores/status-store.ts';
import { openView } from '../../stores/view-store.ts';
import { EmptyState } from '../../ui/empty-state.tsx';

/** What the map shows before the first call; while the agent is away the notice above says so. */
export function MapEmpty({ waiting, unreachable }: { waiting: boolean; unreachable: boolean }) {
  const demo = useStatus((store) => store.status?.demo ?? 'unavailable');
  if (waiting && !unreachable) return null;
  if (waiting) {
    return (
      <EmptyState icon={Unplug} title="The map is not known">
        The agent has not said yet who calls whom. The map is drawn as soon as it answers.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={Waypoints}
      title="No services yet"
      actions={
        <>
          <button className="btn sm primary" onClick={() => openView('setup')}>
            Open Setup
          </button>
          {demo !== 'unavailable' && (
            <button className="btn sm" disabled={demo !== 'off'} onClick={() => void startDemo()}>
              {demo === 'off' ? 'Start the example shop' : 'Starting the example shop…'}
            </button>
          )}
        </>
      }
    >
      A service joins the map with its first call through Spike, and a line with the first between two.
    </EmptyState>
  );
}
