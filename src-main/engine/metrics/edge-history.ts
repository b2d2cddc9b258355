import type { EdgeStats, EndpointStats, SeriesPoint } from '#shared/contract/topology.ts';
import type { ServiceName } from '#shared/flow/flow.ts';
import type { Clock } from '../clock.ts';
import { addCounts, noCounts, other } from './edge-report.ts';
import type { EdgeCounts, EdgeDelta, EdgeReport, EndpointReport } from './edge-report.ts';
import { SlotTier } from './slot-tier.ts';
import { emptyHistogram, mergeHistograms, percentilesOf, sumHistograms } from './sparse-histogram.ts';
import type { SparseHistogram } from './sparse-histogram.ts';

/**
 * Bounds of the history. A slot takes about 0.4 KB and 8 bytes for each latency bucket in it (some twenty), an
 * endpoint slot 0.3 KB an endpoint: 20 busy edges with 5 endpoints each take about 10 MB, all bounds together reached
 * about 100 MB. What a bound took away is counted in `overflow`.
 */
export interface HistoryLimits {
  readonly maxEdges: number;
  /** Slots of 1 s (for 5 minutes) and of 10 s (for an hour), over all edges. */
  readonly maxFineSlots: number;
  readonly maxCoarseSlots: number;
  /** Slots of 10 s with the endpoints of an edge (for 10 minutes), over all edges. */
  readonly maxEndpointSlots: number;
}

export const historyLimits: HistoryLimits = {
  maxEdges: 2000,
  maxFineSlots: 60_000,
  maxCoarseSlots: 60_000,
  maxEndpointSlots: 6000,
};

/** An edge that has been seen in the last hour. */
export interface KnownEdge {
  readonly id: string;
  readonly caller: string;
  readonly callee: string;
  readonly protocol: string;
  readonly firstSeenMs: number;
  lastSeenMs: number;
  /** `address:port` where the callee was last reached; null when it never was. */
  calleeAddress: string | null;
  calleeResolvedBy: ServiceName['resolvedBy'];
}

/** Figures of one edge over a window, with what the map says about it beyond the contract's figures. */
export interface EdgeFigures {
  readonly edge: Readonly<KnownEdge>;
  readonly stats: EdgeStats;
  readonly unreachable: number;
  readonly injectedStatuses: Readonly<Record<string, number>>;
  /** All latencies of the window, so that a service's can be summed over its edges. */
  readonly latency: SparseHistogram;
}

interface Slot {
  readonly counts: EdgeCounts;
  clean: SparseHistogram;
  faulted: SparseHistogram;
  injectedStatuses: Record<string, number> | null;
}

interface EndpointSlot {
  calls: number;
  failed: number;
  injected: number;
  injectedFailed: number;
  latency: SparseHistogram;
}

type Tier = SlotTier<KnownEdge, Slot>;

const minuteMs = 60_000;
const chartPoints = 300;
const chartStepsMs = [1, 2, 5, 10, 20, 30, 60].map((seconds) => seconds * 1000);

/**
 * The figures of all workers over time, by edge: reports come in, windows and charts are answered from slots whose
 * histograms merge exactly. Windows up to 5 minutes are answered by the second, longer ones by ten; a window begins at
 * the slot in which its first moment falls.
 */
export class EdgeHistory {
  /** Calls that a bound kept from an edge or a template of their own. */
  readonly overflow = { edges: 0, templates: 0 };
  readonly #clock: Clock;
  readonly #limits: HistoryLimits;
  readonly #startedMs: number;
  readonly #fine: Tier;
  readonly #coarse: Tier;
  readonly #endpoints: SlotTier<KnownEdge, Map<string, EndpointSlot>>;
  readonly #edges = new Map<string, KnownEdge>();
  readonly #byNames = new Map<string, KnownEdge>();
  readonly #inFlight = new Map<number, Map<KnownEdge, number>>();

  constructor(clock: Clock, limits: HistoryLimits = historyLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#startedMs = clock.now();
    const tier = <T>(widthMs: number, spanMs: number, maxSlots: number, create: () => T) =>
      new SlotTier<KnownEdge, T>({ widthMs, spanMs, maxSlots, create });
    this.#fine = tier(1000, 5 * minuteMs, limits.maxFineSlots, newSlot);
    this.#coarse = tier(10_000, 60 * minuteMs, limits.maxCoarseSlots, newSlot);
    this.#endpoints = tier(10_000, 10 * minuteMs, limits.maxEndpointSlots, () => new Map());
  }

  /** Slots that made room before their time, over all resolutions. */
  get evictedSlots(): number {
    return this.#fine.evicted + this.#coarse.evicted + this.#endpoints.evicted;
  }

  /** Takes in what a worker counted since its last report, as of now. */
  merge(worker: number, report: EdgeReport): void {
    const nowMs = this.#clock.now();
    this.overflow.edges += report.overflow.edges;
    this.overflow.templates += report.overflow.templates;
    const inFlight = new Map<KnownEdge, number>();
    for (const delta of report.edges) {
      const edge = this.#edgeOf(delta, nowMs);
      if (delta.inFlight > 0) inFlight.set(edge, (inFlight.get(edge) ?? 0) + delta.inFlight);
      this.#mergeEdge(edge, delta, nowMs);
    }
    this.#inFlight.set(worker, inFlight);
    this.#expire(nowMs);
  }

  /** What was open on a lost worker is not open any more; what it had not reported is not known. */
  workerLost(worker: number): void {
    this.#inFlight.delete(worker);
  }

  edgeIds(): string[] {
    return [...this.#edges.keys()];
  }

  /** The figures of every known edge; edges without a call in the window have zeros and null. */
  figures(windowMs: number): EdgeFigures[] {
    return [...this.#edges.values()].map((edge) => this.#figuresOf(edge, windowMs));
  }

  /** The figures of one edge; null when it is not known. */
  edge(id: string, windowMs: number): EdgeFigures | null {
    const edge = this.#edges.get(id);
    return edge === undefined ? null : this.#figuresOf(edge, windowMs);
  }

  /** All edges together. */
  total(windowMs: number): EdgeStats {
    const slots = [...this.#edges.values()].flatMap((edge) => [...this.#window(edge, windowMs)]);
    let inFlight = 0;
    for (const edge of this.#edges.values()) inFlight += this.#inFlightOf(edge);
    return statsOf(
      slots.map(([, slot]) => slot),
      this.#coveredMs(windowMs),
      inFlight,
    );
  }

  /** Points for a chart, 60 to 300 for windows of a minute and more, also where nothing happened; all edges without an id. */
  series(windowMs: number, id?: string): { readonly stepMs: number; readonly points: SeriesPoint[] } {
    const stepMs = stepOf(windowMs, this.#tierOf(windowMs).widthMs);
    const chosen = id === undefined ? [...this.#edges.values()] : [this.#edges.get(id)];
    const groups = new Map<number, Slot[]>();
    for (const edge of chosen) {
      if (edge === undefined) continue;
      for (const [startMs, slot] of this.#window(edge, windowMs)) {
        const at = Math.floor(startMs / stepMs) * stepMs;
        const group = groups.get(at);
        if (group === undefined) groups.set(at, [slot]);
        else group.push(slot);
      }
    }
    const points: SeriesPoint[] = [];
    const nowMs = this.#clock.now();
    const first = Math.floor((nowMs - windowMs) / stepMs) * stepMs;
    for (let at = first; at <= nowMs; at += stepMs) points.push(pointOf(at, groups.get(at) ?? []));
    return { stepMs, points };
  }

  /** The endpoints of an edge, busiest first; at most the last 10 minutes. */
  endpoints(id: string, windowMs: number): EndpointStats[] {
    const edge = this.#edges.get(id);
    if (edge === undefined) return [];
    const spanMs = Math.min(windowMs, this.#endpoints.spanMs);
    const byTemplate = new Map<string, EndpointSlot[]>();
    for (const [, slot] of this.#endpoints.between(edge, this.#startOf(this.#endpoints, spanMs), Infinity)) {
      for (const [template, counts] of slot) {
        const list = byTemplate.get(template);
        if (list === undefined) byTemplate.set(template, [counts]);
        else list.push(counts);
      }
    }
    const coveredMs = this.#coveredMs(spanMs, this.#endpoints.widthMs);
    const stats = [...byTemplate].map(([template, slots]) => endpointStats(template, slots, coveredMs));
    return stats.sort((a, b) => b.perSecond - a.perSecond || (a.template < b.template ? -1 : 1));
  }

  /**
   * What an edge was like before the window: the p95 of calls that no fault acted on, in ms; null when fewer than
   * `minCalls` were seen.
   */
  baselineP95(id: string, windowMs: number, minCalls: number): number | null {
    const edge = this.#edges.get(id);
    if (edge === undefined) return null;
    const before = this.#startOf(this.#coarse, windowMs);
    const slots = [...this.#coarse.between(edge, 0, before)].map(([, slot]) => slot);
    let calls = 0;
    for (const slot of slots) calls += slot.counts.calls - slot.counts.injected;
    return calls < minCalls ? null : percentilesOf(slots.map((slot) => slot.clean)).p95;
  }

  #mergeEdge(edge: KnownEdge, delta: EdgeDelta, nowMs: number): void {
    edge.lastSeenMs = nowMs;
    if (delta.calleeAddress !== null) edge.calleeAddress = delta.calleeAddress;
    if (delta.counts.calls > 0) edge.calleeResolvedBy = delta.calleeResolvedBy;
    // A silent open connection is seen, but needs no slots.
    if (isSilent(delta.counts)) return;
    mergeSlot(this.#fine.slot(edge, nowMs), delta);
    mergeSlot(this.#coarse.slot(edge, nowMs), delta);
    if (delta.endpoints.length === 0) return;
    const endpoints = this.#endpoints.slot(edge, nowMs);
    for (const endpoint of delta.endpoints) mergeEndpoint(endpoints, endpoint);
  }

  #figuresOf(edge: KnownEdge, windowMs: number): EdgeFigures {
    const slots = [...this.#window(edge, windowMs)].map(([, slot]) => slot);
    const injectedStatuses: Record<string, number> = {};
    let unreachable = 0;
    for (const slot of slots) {
      unreachable += slot.counts.unreachable;
      for (const [status, count] of Object.entries(slot.injectedStatuses ?? {})) {
        injectedStatuses[status] = (injectedStatuses[status] ?? 0) + count;
      }
    }
    const stats = statsOf(slots, this.#coveredMs(windowMs), this.#inFlightOf(edge));
    return { edge, stats, unreachable, injectedStatuses, latency: sumHistograms(latenciesOf(slots)) };
  }

  #edgeOf(delta: EdgeDelta, nowMs: number): KnownEdge {
    const known = this.#byNames.get(namesKey(delta.caller, delta.callee, delta.protocol));
    if (known !== undefined) return known;
    if (this.#edges.size < this.#limits.maxEdges) {
      return this.#newEdge(delta, delta.caller, delta.callee, delta.protocol, nowMs);
    }
    this.overflow.edges += delta.counts.calls;
    return (
      this.#byNames.get(namesKey(other, other, other)) ?? this.#newEdge(delta, other, other, other, nowMs)
    );
  }

  #newEdge(delta: EdgeDelta, caller: string, callee: string, protocol: string, nowMs: number): KnownEdge {
    const edge: KnownEdge = {
      id: this.#freeId(caller, callee, protocol),
      caller,
      callee,
      protocol,
      firstSeenMs: nowMs,
      lastSeenMs: nowMs,
      calleeAddress: delta.calleeAddress,
      calleeResolvedBy: delta.calleeResolvedBy,
    };
    this.#edges.set(edge.id, edge);
    this.#byNames.set(namesKey(caller, callee, protocol), edge);
    return edge;
  }

  /** The first protocol between two services keeps the short id for as long as the edge is known: ids do not change. */
  #freeId(caller: string, callee: string, protocol: string): string {
    const short = `${caller}→${callee}`;
    let id = this.#edges.has(short) ? `${short} ${protocol}` : short;
    for (let n = 2; this.#edges.has(id); n += 1) id = `${short} ${protocol} ${n}`;
    return id;
  }

  #expire(nowMs: number): void {
    this.#fine.expire(nowMs);
    this.#coarse.expire(nowMs);
    this.#endpoints.expire(nowMs);
    for (const edge of this.#edges.values()) {
      if (edge.lastSeenMs > nowMs - this.#coarse.spanMs) continue;
      this.#edges.delete(edge.id);
      this.#byNames.delete(namesKey(edge.caller, edge.callee, edge.protocol));
    }
  }

  #tierOf(windowMs: number): Tier {
    return windowMs <= this.#fine.spanMs ? this.#fine : this.#coarse;
  }

  #window(edge: KnownEdge, windowMs: number): Iterable<readonly [number, Slot]> {
    const tier = this.#tierOf(windowMs);
    return tier.between(edge, this.#startOf(tier, windowMs), Infinity);
  }

  #startOf(tier: { widthMs: number }, windowMs: number): number {
    return Math.floor((this.#clock.now() - windowMs) / tier.widthMs) * tier.widthMs;
  }

  /** The time that a window really covers: not before the agent started, at least a second, with its whole first slot. */
  #coveredMs(windowMs: number, widthMs = this.#tierOf(windowMs).widthMs): number {
    const nowMs = this.#clock.now();
    const startMs = Math.max(this.#startOf({ widthMs }, windowMs), this.#startedMs);
    return Math.max(1000, nowMs - startMs);
  }

  #inFlightOf(edge: KnownEdge): number {
    let sum = 0;
    for (const byEdge of this.#inFlight.values()) sum += byEdge.get(edge) ?? 0;
    return sum;
  }
}

function newSlot(): Slot {
  return { counts: noCounts(), clean: emptyHistogram, faulted: emptyHistogram, injectedStatuses: null };
}

function namesKey(caller: string, callee: string, protocol: string): string {
  return JSON.stringify([caller, callee, protocol]);
}

function isSilent(counts: EdgeCounts): boolean {
  return counts.calls === 0 && counts.requestBytes === 0 && counts.responseBytes === 0;
}

function mergeSlot(slot: Slot, delta: EdgeDelta): void {
  addCounts(slot.counts, delta.counts);
  slot.clean = mergeHistograms(slot.clean, delta.clean);
  slot.faulted = mergeHistograms(slot.faulted, delta.faulted);
  for (const [status, count] of Object.entries(delta.injectedStatuses)) {
    slot.injectedStatuses ??= {};
    slot.injectedStatuses[status] = (slot.injectedStatuses[status] ?? 0) + count;
  }
}

function mergeEndpoint(slot: Map<string, EndpointSlot>, report: EndpointReport): void {
  const known = slot.get(report.template);
  if (known === undefined) {
    // A worker bounds its templates by report: here they are bounded by slot.
    if (slot.size < 100) slot.set(report.template, { ...report });
    else if (report.template !== other) mergeEndpoint(slot, { ...report, template: other });
    else slot.set(other, { ...report });
    return;
  }
  known.calls += report.calls;
  known.failed += report.failed;
  known.injected += report.injected;
  known.injectedFailed += report.injectedFailed;
  known.latency = mergeHistograms(known.latency, report.latency);
}

function* latenciesOf(slots: readonly Slot[]): Generator<SparseHistogram> {
  for (const slot of slots) {
    yield slot.clean;
    yield slot.faulted;
  }
}

function statsOf(slots: readonly Slot[], coveredMs: number, inFlight: number): EdgeStats {
  const sum = noCounts();
  for (const slot of slots) addCounts(sum, slot.counts);
  const seconds = coveredMs / 1000;
  return {
    calls: sum.calls,
    perSecond: sum.calls / seconds,
    failed: sum.failed,
    clientErrors: sum.clientErrors,
    injected: sum.injected,
    injectedFailed: sum.injectedFailed,
    ...percentilesOf(latenciesOf(slots)),
    p95WithoutFaults: percentilesOf(slots.map((slot) => slot.clean)).p95,
    requestBytesPerSecond: sum.requestBytes / seconds,
    responseBytesPerSecond: sum.responseBytes / seconds,
    inFlight,
  };
}

function pointOf(at: number, slots: readonly Slot[]): SeriesPoint {
  const sum = noCounts();
  for (const slot of slots) addCounts(sum, slot.counts);
  const { p50, p95, p99 } = percentilesOf(latenciesOf(slots));
  return { at, calls: sum.calls, failed: sum.failed, injected: sum.injected, p50, p95, p99 };
}

function stepOf(windowMs: number, atLeastMs: number): number {
  const fits = (stepMs: number): boolean => stepMs >= atLeastMs && windowMs / stepMs <= chartPoints;
  return chartStepsMs.find(fits) ?? Math.ceil(windowMs / chartPoints / atLeastMs) * atLeastMs;
}

function endpointStats(template: string, slots: readonly EndpointSlot[], coveredMs: number): EndpointStats {
  let calls = 0;
  let failed = 0;
  let injected = 0;
  for (const slot of slots) {
    calls += slot.calls;
    failed += slot.failed + slot.injectedFailed;
    injected += slot.injected;
  }
  return {
    template,
    perSecond: (calls * 1000) / coveredMs,
    failedShare: calls === 0 ? 0 : failed / calls,
    p95: percentilesOf(slots.map((slot) => slot.latency)).p95,
    injected: injected > 0,
  };
}
