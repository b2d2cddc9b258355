import { Check, Play } from 'lucide-react';
import { startDemo, useStatus } from '../../stores/status-store.ts';
import { openView } from '../../stores/view-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { Way } from './way.tsx';

export function DemoWay() {
  const demo = useStatus((store) => store.status?.demo ?? null);
  return (
    <Way title="Just looking?">
      <div className="row">
        {demo === 'running' ? (
          <>
            <Icon of={Check} className="ok" />
            <span className="sm" role="status">
              The example shop is running.
            </span>
            <button className="btn sm ghost" onClick={() => openView('map')}>
              See it on the map
            </button>
          </>
        ) : (
          <>
            <button className="btn" disabled={demo !== 'off'} onClick={() => void startDemo()}>
              <Icon of={Play} />
              {demo === 'starting' ? 'Starting the example shop…' : 'Start the example shop'}
            </button>
            <span className="sm t3">
              {demo === 'unavailable'
                ? 'It is not part of this installation.'
                : 'Six small services with traffic between them, yours to break.'}
            </span>
          </>
        )}
      </div>
    </Way>
  );
}
