import type { FlowRecord } from '../capture/flow-record.ts';
import { noCounts, other } from './edge-report.ts';
import type { EdgeDelta, EndpointReport, Outcome } from './edge-report.ts';
import type { CallOutcome } from './call-outcome.ts';
import { LatencyCollector } from './sparse-histogram.ts';

/** Counts of one endpoint of one edge since the last report. */
class EndpointCounter {
  calls = 0;
  failed = 0;
  injected = 0;
  injectedFailed = 0;
  readonly latency = new LatencyCollector();

  add(outcome: CallOutcome, bucket: number): void {
    this.calls += 1;
    if (outcome.failed) this.failed += 1;
    if (outcome.injected) this.injected += 1;
    if (outcome.injectedFailed) this.injectedFailed += 1;
    this.latency.record(bucket);
  }

  report(template: string): EndpointReport {
    const { calls, failed, injected, injectedFailed } = this;
    return { template, calls, failed, injected, injectedFailed, latency: this.latency.take() };
  }
}

/** Counts of one edge since the last report, on the hot path: numbers in place, nothing made per call. */
export class EdgeCounter {
  inFlight = 0;
  readonly caller: string;
  readonly callee: string;
  readonly protocol: string;
  #counts = noCounts();
  #outcomes: Partial<Record<Outcome, number>> = {};
  #injectedStatuses: Record<string, number> = {};
  #calleeAddress: string | null = null;
  #calleeResolvedBy: EdgeDelta['calleeResolvedBy'] = 'address';
  readonly #clean = new LatencyCollector();
  readonly #faulted = new LatencyCollector();
  /** By method, then by template: two look-ups cost less than one key put together. */
  #endpoints = new Map<string, Map<string, EndpointCounter>>();
  #endpointCount = 0;

  constructor(caller: string, callee: string, protocol: string) {
    this.caller = caller;
    this.callee = callee;
    this.protocol = protocol;
  }

  add(flow: FlowRecord, outcome: CallOutcome, bucket: number): void {
    const counts = this.#counts;
    counts.calls += 1;
    this.#outcomes[outcome.outcome] = (this.#outcomes[outcome.outcome] ?? 0) + 1;
    if (outcome.failed) counts.failed += 1;
    if (outcome.unreachable) counts.unreachable += 1;
    if (outcome.clientError) counts.clientErrors += 1;
    if (outcome.injected) this.#addInjected(outcome);
    (outcome.injected ? this.#faulted : this.#clean).record(bucket);
    if (flow.upstreamAddress !== null) this.#calleeAddress = flow.upstreamAddress;
    this.#calleeResolvedBy = flow.callee.resolvedBy;
  }

  addBytes(requestBytes: number, responseBytes: number): void {
    this.#counts.requestBytes += requestBytes;
    this.#counts.responseBytes += responseBytes;
  }

  /** @returns false when the template was over the bound and counted as `other`. */
  addEndpoint(
    method: string,
    template: string,
    outcome: CallOutcome,
    bucket: number,
    limit: number,
  ): boolean {
    const known = this.#endpoints.get(method)?.get(template);
    if (known !== undefined) {
      known.add(outcome, bucket);
      return true;
    }
    const fits = this.#endpointCount < limit;
    this.#newEndpoint(fits ? method : '', fits ? template : other).add(outcome, bucket);
    return fits;
  }

  /** What was counted since the last time, or null when nothing was and nothing is open. */
  take(): EdgeDelta | null {
    const counts = this.#counts;
    const idle = counts.calls === 0 && counts.requestBytes === 0 && counts.responseBytes === 0;
    if (idle && this.inFlight === 0) return null;
    const delta: EdgeDelta = {
      caller: this.caller,
      callee: this.callee,
      protocol: this.protocol,
      counts,
      inFlight: this.inFlight,
      clean: this.#clean.take(),
      faulted: this.#faulted.take(),
      outcomes: this.#outcomes,
      injectedStatuses: this.#injectedStatuses,
      calleeAddress: this.#calleeAddress,
      calleeResolvedBy: this.#calleeResolvedBy,
      endpoints: this.#takeEndpoints(),
    };
    this.#counts = noCounts();
    this.#outcomes = {};
    this.#injectedStatuses = {};
    return delta;
  }

  #addInjected(outcome: CallOutcome): void {
    this.#counts.injected += 1;
    if (outcome.injectedFailed) this.#counts.injectedFailed += 1;
    if (outcome.injectedStatus === 0) return;
    const status = String(outcome.injectedStatus);
    this.#injectedStatuses[status] = (this.#injectedStatuses[status] ?? 0) + 1;
  }

  #newEndpoint(method: string, template: string): EndpointCounter {
    let byTemplate = this.#endpoints.get(method);
    if (byTemplate === undefined) this.#endpoints.set(method, (byTemplate = new Map()));
    let endpoint = byTemplate.get(template);
    if (endpoint === undefined) {
      byTemplate.set(template, (endpoint = new EndpointCounter()));
      this.#endpointCount += 1;
    }
    return endpoint;
  }

  #takeEndpoints(): EndpointReport[] {
    const reports: EndpointReport[] = [];
    for (const [method, byTemplate] of this.#endpoints) {
      for (const [template, endpoint] of byTemplate) {
        reports.push(endpoint.report(method === '' ? template : `${method} ${template}`));
      }
    }
    this.#endpoints = new Map();
    this.#endpointCount = 0;
    return reports;
  }
}
