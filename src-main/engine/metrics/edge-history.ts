import type { EdgeStats, EndpointStats, SeriesPoint } from '#shared/contract/topology.ts';
import type { ServiceName } from '#shared/flow/flow.ts';
import type { Clock } from '../clock.ts';
import { other } from './edge-report.ts';
import type { EdgeDelta, EdgeReport } from './edge-report.ts';
import {
  cleanP95,
  endpointsOf,
  endpointSlotSize,
  isSilent,
  mergeEndpoint,
  mergeIntoSlot,
  newSlot,
  pointOf,
  slotSize,
  statsOf,
  sumOf,
} from './history-slots.ts';
import type { EndpointSlot, Slot } from './history-slots.ts';
import { SlotTier } from './slot-tier.ts';
import type { SparseHistogram } from './sparse-histogram.ts';

/**
 * Bounds of the history. When a resolution has used up its bytes its oldest slots make room, whosever they are: charts
 * are then shorter than they say, figures of recent windows stay whole, and `evictedSlots` counts. Measured: 20 edges
 * with 50 calls a second each, latencies spread evenly from 1 to 148 ms, five endpoints, take 39 MB after an hour (the
 * estimate that the bounds go by says 34).
 */
export interface HistoryLimits {
  readonly maxEdges: number;
  /** Slots of 1 s for 5 minutes. */
  readonly maxFineBytes: number;
  /** Slots of 10 s for an hour. */
  readonly maxCoarseBytes: number;
  /** Endpoints of edges, in slots of 10 s for 10 minutes. */
  readonly maxEndpointBytes: number;
}

const mebibyte = 1024 * 1024;

export const historyLimits: HistoryLimits = {
  maxEdges: 2000,
  maxFineBytes: 32 * mebibyte,
  maxCoarseBytes: 32 * mebibyte,
  maxEndpointBytes: 16 * mebibyte,
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

type Tier = SlotTier<KnownEdge, Slot>;

const minuteMs = 60_000;
/** Few enough that an edge with a call or two a second has some in each point: a percentile of one call is noise. */
const chartPoints = 120;
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
  readonly #endpoints: SlotTier<KnownEdge, EndpointSlot>;
  readonly #edges = new Map<string, KnownEdge>();
  readonly #byNames = new Map<string, KnownEdge>();
  readonly #inFlight = new Map<number, Map<KnownEdge, number>>();

  constructor(clock: Clock, limits: HistoryLimits = historyLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#startedMs = clock.now();
    const tier = { create: newSlot, sizeOf: slotSize };
    const { maxFineBytes, maxCoarseBytes, maxEndpointBytes } = limits;
    this.#fine = new SlotTier({ ...tier, widthMs: 1000, spanMs: 5 * minuteMs, maxBytes: maxFineBytes });
    this.#coarse = new SlotTier({
      ...tier,
      widthMs: 10_000,
      spanMs: 60 * minuteMs,
      maxBytes: maxCoarseBytes,
    });
    this.#endpoints = new SlotTier({
      widthMs: 10_000,
      spanMs: 10 * minuteMs,
      maxBytes: maxEndpointBytes,
      create: () => new Map(),
      sizeOf: endpointSlotSize,
    });
  }

  /** Slots that made room before their time, over all resolutions. */
  get evictedSlots(): number {
    return this.#fine.evicted + this.#coarse.evicted + this.#endpoints.evicted;
  }

  /** What the history takes, as estimated, in bytes. */
  get sizeBytes(): number {
    return this.#fine.sizeBytes + this.#coarse.sizeBytes + this.#endpoints.sizeBytes;
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
    const edges = [...this.#edges.values()];
    const slots = edges.flatMap((edge) => this.#window(edge, windowMs).map(([, slot]) => slot));
    const inFlight = edges.reduce((sum, edge) => sum + this.#inFlightOf(edge), 0);
    return statsOf(sumOf(slots), this.#coveredMs(windowMs), inFlight);
  }

  /** Points for a chart, 60 to 120 for windows of a minute and more, also where nothing happened; all edges without an id. */
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
    const startMs = this.#startOf(this.#endpoints, spanMs);
    const slots = [...this.#endpoints.between(edge, startMs, Infinity)].map(([, slot]) => slot);
    return endpointsOf(slots, this.#coveredMs(spanMs, this.#endpoints.widthMs));
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
    return cleanP95(slots, minCalls);
  }

  #mergeEdge(edge: KnownEdge, delta: EdgeDelta, nowMs: number): void {
    edge.lastSeenMs = nowMs;
    if (delta.calleeAddress !== null) edge.calleeAddress = delta.calleeAddress;
    if (delta.counts.calls > 0) edge.calleeResolvedBy = delta.calleeResolvedBy;
    if (isSilent(delta.counts)) return;
    this.#fine.update(edge, nowMs, (slot) => mergeIntoSlot(slot, delta));
    this.#coarse.update(edge, nowMs, (slot) => mergeIntoSlot(slot, delta));
    if (delta.endpoints.length === 0) return;
    this.#endpoints.update(edge, nowMs, (slot) => {
      for (const endpoint of delta.endpoints) mergeEndpoint(slot, endpoint);
    });
  }

  #figuresOf(edge: KnownEdge, windowMs: number): EdgeFigures {
    const sum = sumOf(this.#window(edge, windowMs).map(([, slot]) => slot));
    const stats = statsOf(sum, this.#coveredMs(windowMs), this.#inFlightOf(edge));
    const { counts, injectedStatuses, all } = sum;
    return { edge, stats, unreachable: counts.unreachable, injectedStatuses, latency: all };
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

  #window(edge: KnownEdge, windowMs: number): (readonly [number, Slot])[] {
    const tier = this.#tierOf(windowMs);
    return [...tier.between(edge, this.#startOf(tier, windowMs), Infinity)];
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

function namesKey(caller: string, callee: string, protocol: string): string {
  return JSON.stringify([caller, callee, protocol]);
}

function stepOf(windowMs: number, atLeastMs: number): number {
  const fits = (stepMs: number): boolean => stepMs >= atLeastMs && windowMs / stepMs <= chartPoints;
  return chartStepsMs.find(fits) ?? Math.ceil(windowMs / chartPoints / atLeastMs) * atLeastMs;
}
