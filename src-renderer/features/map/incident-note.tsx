import { Cpu } from 'lucide-react';
import type { WorkerStatus } from '#shared/contract/status.ts';
import type { Topology } from '#shared/contract/topology.ts';
import { useStatus } from '../../stores/status-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { counted, formatClock } from '../../ui/words.ts';

type Incident = Topology['incidents'][number];

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

/** `Worker 3 was killed, replaced in 0.4 s. 7 calls were cut.` */
export function incidentWords(incident: Incident, worker: WorkerStatus | undefined): string {
  const exit = worker?.lastExit;
  const reason = exit?.at === incident.at || exit === undefined || exit === null ? (exit?.reason ?? '') : '';
  const how = reason.includes('SIGKILL') ? 'was killed' : 'was lost';
  const replaced =
    incident.replacedAfterMs === null
      ? 'and has no replacement yet'
      : `replaced in ${(incident.replacedAfterMs / 1000).toFixed(1)} s`;
  const cut = incident.lostFlows === 0 ? 'No call was cut' : cutWords(incident.lostFlows);
  return `Worker ${incident.worker} ${how}, ${replaced}. ${cut}.`;
}

function cutWords(lost: number): string {
  return `${counted(lost, 'call')} ${lost === 1 ? 'was' : 'were'} cut`;
}
