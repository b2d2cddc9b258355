import type { Edge, Health, Service, Topology } from '#shared/contract/topology.ts';
import type { Match } from '#shared/rules/rule.ts';
import type { EdgeFigures } from '../metrics/edge-history.ts';
import { percentilesOf, sumHistograms } from '../metrics/sparse-histogram.ts';
import { edgeHealth, healthThresholds, isConversation, worstOf } from './health.ts';
import type { HealthThresholds } from './health.ts';
import { layersOf } from './layers.ts';
import { noteOf } from './notes.ts';
import { serviceKind } from './service-kind.ts';

export interface TopologyInput {
  /** Unix ms. */
  readonly atMs: number;
  readonly windowMs: number;
  readonly figures: readonly EdgeFigures[];
  /** Rules that are on. */
  readonly rules: readonly { readonly id: string; readonly match: Match }[];
  matchesEdge(match: Match, caller: string, callee: string): boolean;
  /** The p95 of an edge before the window, in ms; null without `minCalls` calls. */
  baselineP95(edgeId: string, minCalls: number): number | null;
  /** Names of routes: their upstreams are services of ours, wherever they are. */
  readonly routes: ReadonlySet<string>;
  readonly incidents: Topology['incidents'];
  readonly thresholds?: HealthThresholds;
}

/** The map: services and edges with their health, over one window of time. Pure. */
export function buildTopology(input: TopologyInput): Topology {
  const judged = input.figures.map((figures) => ({ figures, edge: edgeOf(input, figures) }));
  return {
    at: new Date(input.atMs).toISOString(),
    windowMs: input.windowMs,
    services: servicesOf(judged, input),
    edges: judged.map(({ edge }) => edge),
    incidents: input.incidents,
  };
}

/** One edge as the contract has it. */
export function edgeOf(
  input: Pick<TopologyInput, 'rules' | 'matchesEdge' | 'baselineP95' | 'thresholds'>,
  { edge, stats }: EdgeFigures,
): Edge {
  const thresholds = input.thresholds ?? healthThresholds;
  const { id, caller, callee, protocol } = edge;
  const activeRules = input.rules
    .filter((rule) => input.matchesEdge(rule.match, caller, callee))
    .map((rule) => rule.id);
  const baselineP95 = input.baselineP95(id, thresholds.baselineCalls);
  const evidence = { stats, protocol, ruled: activeRules.length > 0, baselineP95 };
  return {
    id,
    caller,
    callee,
    protocol,
    health: edgeHealth(evidence, thresholds),
    stats,
    firstSeenAt: new Date(edge.firstSeenMs).toISOString(),
    lastSeenAt: new Date(edge.lastSeenMs).toISOString(),
    activeRules,
  };
}

interface Judged {
  readonly figures: EdgeFigures;
  readonly edge: Edge;
}

interface Around {
  readonly inbound: Judged[];
  readonly outbound: Judged[];
}

function servicesOf(judged: readonly Judged[], input: TopologyInput): Service[] {
  const around = new Map<string, Around>();
  const at = (name: string): Around => {
    let edges = around.get(name);
    if (edges === undefined) around.set(name, (edges = { inbound: [], outbound: [] }));
    return edges;
  };
  for (const one of judged) {
    at(one.edge.caller).outbound.push(one);
    // A service that calls itself is not called by anybody else.
    if (one.edge.callee !== one.edge.caller) at(one.edge.callee).inbound.push(one);
  }
  const layers = layersOf(judged.map(({ edge }) => ({ from: edge.caller, to: edge.callee })));
  const services = [...around].map(([name, edges]) => serviceOf(name, edges, layers.get(name) ?? 0, input));
  return services.sort((a, b) => a.depth - b.depth || (a.name < b.name ? -1 : 1));
}

function serviceOf(
  name: string,
  { inbound, outbound }: Around,
  depth: number,
  input: TopologyInput,
): Service {
  const isClient = inbound.length === 0;
  const counted = isClient ? outbound : inbound;
  const health = isClient ? clientHealth(outbound) : worstOf(inbound.map(({ edge }) => edge.health));
  const answers = inbound.filter(({ edge }) => !isConversation(edge.protocol));
  const { p95 } = percentilesOf(sumHistograms(answers.map(({ figures }) => figures.latency)));
  const sum = (value: (figures: EdgeFigures) => number): number =>
    counted.reduce((total, { figures }) => total + value(figures), 0);
  const perSecond = sum(({ stats }) => stats.perSecond);
  return {
    name,
    kind: serviceKind(
      name,
      inbound.map(({ figures }) => figures.edge),
      input.routes,
    ),
    protocol: busiestProtocol(counted),
    health,
    note: noteOf({
      health,
      isClient,
      conversation: answers.length === 0 ? busiestProtocol(counted) : null,
      perSecond,
      calls: sum(({ stats }) => stats.calls),
      inFlight: sum(({ stats }) => stats.inFlight),
      failed: sum(({ stats }) => stats.failed),
      unreachable: sum(({ unreachable }) => unreachable),
      clientErrors: sum(({ stats }) => stats.clientErrors),
      injectedFailed: sum(({ stats }) => stats.injectedFailed),
      injectedStatuses: mergedStatuses(counted),
      p95,
      seconds: secondsOf(counted, input.windowMs),
    }),
    perSecond,
    p95,
    depth,
  };
}

/** A client is not called, so nothing is known of its own health: it is there, or it is not. */
function clientHealth(outbound: readonly Judged[]): Health {
  return outbound.every(({ edge }) => edge.health === 'idle') ? 'idle' : 'fine';
}

function busiestProtocol(edges: readonly Judged[]): string {
  const byProtocol = new Map<string, number>();
  for (const { edge } of edges) {
    const weight = edge.stats.calls + edge.stats.inFlight;
    byProtocol.set(edge.protocol, (byProtocol.get(edge.protocol) ?? 0) + weight);
  }
  const sorted = [...byProtocol].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return sorted[0]?.[0] ?? 'http';
}

function mergedStatuses(edges: readonly Judged[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const { figures } of edges) {
    for (const [status, count] of Object.entries(figures.injectedStatuses)) {
      merged[status] = (merged[status] ?? 0) + count;
    }
  }
  return merged;
}

/** The time that the figures cover, which is less than the window while the agent is young. */
function secondsOf(edges: readonly Judged[], windowMs: number): number {
  const busy = edges.find(({ edge }) => edge.stats.calls > 0);
  return busy === undefined ? windowMs / 1000 : busy.edge.stats.calls / busy.edge.stats.perSecond;
}
