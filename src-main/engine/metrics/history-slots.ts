import type { EdgeStats, EndpointStats, SeriesPoint } from '#shared/contract/topology.ts';
import { addCounts, noCounts, other } from './edge-report.ts';
import type { EdgeCounts, EdgeDelta, EndpointReport } from './edge-report.ts';
import {
  countOf,
  emptyHistogram,
  mergeHistograms,
  percentilesOf,
  sumHistograms,
} from './sparse-histogram.ts';
import type { SparseHistogram } from './sparse-histogram.ts';

/** What happened on one edge in one slot of time. */
export interface Slot {
  readonly counts: EdgeCounts;
  /** Calls that no fault acted on, and the others. */
  clean: SparseHistogram;
  faulted: SparseHistogram;
  injectedStatuses: Record<string, number> | null;
}

interface EndpointCounts {
  calls: number;
  failed: number;
  injected: number;
  injectedFailed: number;
  latency: SparseHistogram;
}

/** What happened on the endpoints of one edge in one slot of time, by template. */
export type EndpointSlot = Map<string, EndpointCounts>;

/** A worker bounds its templates by report; a slot takes many reports. */
const maxEndpointsPerSlot = 100;

// Measured on Node 24: the object with its counts; what a typed array costs beside its elements.
const slotBytes = 350;
const arrayBytes = 160;
const endpointBytes = 320;

export function newSlot(): Slot {
  return { counts: noCounts(), clean: emptyHistogram, faulted: emptyHistogram, injectedStatuses: null };
}

export function slotSize({ clean, faulted }: Slot): number {
  return slotBytes + histogramSize(clean) + histogramSize(faulted);
}

export function endpointSlotSize(slot: EndpointSlot): number {
  let size = slotBytes;
  for (const { latency } of slot.values()) size += endpointBytes + histogramSize(latency);
  return size;
}

function histogramSize(histogram: SparseHistogram): number {
  return histogram.length === 0 ? 0 : arrayBytes + histogram.byteLength;
}

/** A silent open connection is seen, but leaves nothing in a slot. */
export function isSilent({ calls, requestBytes, responseBytes }: EdgeCounts): boolean {
  return calls === 0 && requestBytes === 0 && responseBytes === 0;
}

export function mergeIntoSlot(slot: Slot, delta: EdgeDelta): void {
  addCounts(slot.counts, delta.counts);
  slot.clean = mergeHistograms(slot.clean, delta.clean);
  slot.faulted = mergeHistograms(slot.faulted, delta.faulted);
  for (const [status, count] of Object.entries(delta.injectedStatuses)) {
    slot.injectedStatuses ??= {};
    slot.injectedStatuses[status] = (slot.injectedStatuses[status] ?? 0) + count;
  }
}

export function mergeEndpoint(slot: EndpointSlot, report: EndpointReport): void {
  const fits = slot.has(report.template) || slot.size < maxEndpointsPerSlot;
  const template = fits ? report.template : other;
  const known = slot.get(template);
  if (known === undefined) {
    const { calls, failed, injected, injectedFailed, latency } = report;
    slot.set(template, { calls, failed, injected, injectedFailed, latency });
    return;
  }
  known.calls += report.calls;
  known.failed += report.failed;
  known.injected += report.injected;
  known.injectedFailed += report.injectedFailed;
  known.latency = mergeHistograms(known.latency, report.latency);
}

/** Slots summed: what figures are made of. */
export interface SlotSum {
  readonly counts: EdgeCounts;
  readonly clean: SparseHistogram;
  /** With those that a fault acted on. */
  readonly all: SparseHistogram;
  readonly injectedStatuses: Readonly<Record<string, number>>;
}

export function sumOf(slots: readonly Slot[]): SlotSum {
  const counts = noCounts();
  const injectedStatuses: Record<string, number> = {};
  for (const slot of slots) {
    addCounts(counts, slot.counts);
    for (const [status, count] of Object.entries(slot.injectedStatuses ?? {})) {
      injectedStatuses[status] = (injectedStatuses[status] ?? 0) + count;
    }
  }
  const clean = sumHistograms(slots.map((slot) => slot.clean));
  const faulted = sumHistograms(slots.map((slot) => slot.faulted));
  return { counts, clean, all: mergeHistograms(clean, faulted), injectedStatuses };
}

export function statsOf({ counts, clean, all }: SlotSum, coveredMs: number, inFlight: number): EdgeStats {
  const seconds = coveredMs / 1000;
  return {
    calls: counts.calls,
    perSecond: counts.calls / seconds,
    failed: counts.failed,
    clientErrors: counts.clientErrors,
    injected: counts.injected,
    injectedFailed: counts.injectedFailed,
    ...percentilesOf(all),
    p95WithoutFaults: percentilesOf(clean).p95,
    requestBytesPerSecond: counts.requestBytes / seconds,
    responseBytesPerSecond: counts.responseBytes / seconds,
    inFlight,
  };
}

export function pointOf(at: number, slots: readonly Slot[]): SeriesPoint {
  const { counts, all } = sumOf(slots);
  const { p50, p95, p99 } = percentilesOf(all);
  return { at, calls: counts.calls, failed: counts.failed, injected: counts.injected, p50, p95, p99 };
}

/** The p95 of the calls that no fault acted on, in ms; null with fewer than `minCalls` of them. */
export function cleanP95(slots: readonly Slot[], minCalls: number): number | null {
  const clean = sumHistograms(slots.map((slot) => slot.clean));
  return countOf(clean) < minCalls ? null : percentilesOf(clean).p95;
}

/** The endpoints of one edge over some slots, busiest first. */
export function endpointsOf(slots: readonly EndpointSlot[], coveredMs: number): EndpointStats[] {
  const byTemplate = new Map<string, EndpointCounts[]>();
  for (const slot of slots) {
    for (const [template, counts] of slot) {
      const list = byTemplate.get(template);
      if (list === undefined) byTemplate.set(template, [counts]);
      else list.push(counts);
    }
  }
  const stats = [...byTemplate].map(([template, counts]) => endpointStats(template, counts, coveredMs));
  return stats.sort((a, b) => b.perSecond - a.perSecond || (a.template < b.template ? -1 : 1));
}

function endpointStats(template: string, slots: readonly EndpointCounts[], coveredMs: number): EndpointStats {
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
    p95: percentilesOf(sumHistograms(slots.map((slot) => slot.latency))).p95,
    injected: injected > 0,
  };
}
