import type { WorkerStatus } from '#shared/contract/status.ts';
import type { Topology } from '#shared/contract/topology.ts';
import { counted } from '../../ui/words.ts';

export type Incident = Topology['incidents'][number];

/** `Worker 3 was killed, replaced in 0.4 s. 7 calls were cut.` */
export function incidentWords(incident: Incident, worker: WorkerStatus | undefined): string {
  // What is known of a worker is its last exit; an earlier one may have had another reason.
  const exit = worker?.lastExit;
  const reason = exit !== undefined && exit !== null && exit.at === incident.at ? exit.reason : '';
  const how = reason.includes('SIGKILL') ? 'was killed' : 'was lost';
  const replaced =
    incident.replacedAfterMs === null
      ? ' and has no replacement yet'
      : `, replaced in ${(incident.replacedAfterMs / 1000).toFixed(1)} s`;
  const { lostFlows } = incident;
  const cut =
    lostFlows === 0
      ? 'No call was cut'
      : `${counted(lostFlows, 'call')} ${lostFlows === 1 ? 'was' : 'were'} cut`;
  return `Worker ${incident.worker} ${how}${replaced}. ${cut}.`;
}
