import type { Topology } from '#shared/contract/topology.ts';
import type { Clock } from '../clock.ts';

type Incident = Topology['incidents'][number];

/** How long a lost worker is shown on the map. */
const shownForMs = 5 * 60_000;
const mostShown = 50;

/** Workers that were lost in the last minutes, and how soon they were replaced. */
export class IncidentLog {
  #incidents: { atMs: number; incident: Incident }[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param atMs Unix ms, as in the worker's status. */
  lost(worker: number, lostFlows: number, atMs: number): void {
    const incident = { worker, at: new Date(atMs).toISOString(), replacedAfterMs: null, lostFlows };
    this.#incidents = [...this.#incidents, { atMs, incident }].slice(-mostShown);
  }

  /** Belongs to the last loss of that worker. */
  replaced(worker: number, afterMs: number): void {
    const last = this.#incidents.findLast((one) => one.incident.worker === worker);
    if (last !== undefined) last.incident = { ...last.incident, replacedAfterMs: afterMs };
  }

  recent(): Incident[] {
    const since = this.#clock.now() - shownForMs;
    return this.#incidents.filter((one) => one.atMs >= since).map((one) => one.incident);
  }
}
