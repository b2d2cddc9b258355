import { SpikeError } from '#shared/contract/errors.ts';
import type { EdgeDetail, Stats, Topology } from '#shared/contract/topology.ts';
import type { Match } from '#shared/rules/rule.ts';
import type { Clock } from '../clock.ts';
import type { TopologyView } from '../engine-interface.ts';
import type { EdgeHistory } from '../metrics/edge-history.ts';
import { matchesEdge } from '../rules/match.ts';
import type { IncidentLog } from './incident-log.ts';
import { buildTopology, edgeOf } from './topology.ts';

export interface TopologySources {
  readonly clock: Clock;
  readonly history: EdgeHistory;
  readonly incidents: IncidentLog;
  activeRules(): readonly { readonly id: string; readonly match: Match }[];
  routeNames(): ReadonlySet<string>;
}

/** The map and its figures as the engine gives them: the pure parts, fed with what there is now. */
export class TopologyOfEngine implements TopologyView {
  readonly #sources: TopologySources;

  constructor(sources: TopologySources) {
    this.#sources = sources;
  }

  get(windowMs: number): Topology {
    const { clock, history, incidents } = this.#sources;
    return buildTopology({
      ...this.#judging(windowMs),
      atMs: clock.now(),
      windowMs,
      figures: history.figures(windowMs),
      routes: this.#sources.routeNames(),
      incidents: incidents.recent(),
    });
  }

  edge(id: string, windowMs: number): EdgeDetail {
    const { history } = this.#sources;
    const figures = history.edge(id, windowMs);
    if (figures === null) {
      throw new SpikeError('not-found', `There is no edge "${id}" in the last hour.`);
    }
    const { stepMs, points } = history.series(windowMs, id);
    return {
      ...edgeOf(this.#judging(windowMs), figures),
      series: points,
      stepMs,
      endpoints: history.endpoints(id, windowMs),
    };
  }

  stats(windowMs: number): Stats {
    const { clock, history } = this.#sources;
    const { stepMs, points } = history.series(windowMs);
    const judging = this.#judging(windowMs);
    return {
      at: new Date(clock.now()).toISOString(),
      windowMs,
      total: history.total(windowMs),
      edges: history.figures(windowMs).map((figures) => edgeOf(judging, figures)),
      series: points,
      stepMs,
    };
  }

  #judging(windowMs: number) {
    const { history, activeRules } = this.#sources;
    return {
      rules: activeRules(),
      matchesEdge,
      baselineP95: (id: string, minCalls: number) => history.baselineP95(id, windowMs, minCalls),
    };
  }
}
