import { Cpu } from 'lucide-react';
import { useStatus } from '../../stores/status-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { formatClock } from '../../ui/words.ts';
import { incidentWords } from './incident-words.ts';
import type { Incident } from './incident-words.ts';

/** The last worker that was lost: calls that were cut have a cause that is no service's. */
export function IncidentNote({ incidents }: { incidents: readonly Incident[] }) {
  const workers = useStatus((store) => store.status?.workers);
  const last = incidents.reduce<Incident | null>(
    (latest, incident) => (latest === null || incident.at > latest.at ? incident : latest),
    null,
  );
  if (last === null) return null;
  const worker = workers?.find((known) => known.number === last.worker);
  return (
    <p className="pop incident" role="status">
      <Icon of={Cpu} className="t3" />
      <span>
        {incidentWords(last, worker)} <span className="t3">{formatClock(Date.parse(last.at))}</span>
        {incidents.length > 1 && <span className="t3">, {incidents.length} in the last minutes</span>}
      </span>
    </p>
  );
}
