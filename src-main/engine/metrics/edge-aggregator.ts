import type { FlowRecord } from '../capture/flow-record.ts';
import { outcomeOf } from './call-outcome.ts';
import { EdgeCounter } from './edge-counter.ts';
import { other } from './edge-report.ts';
import type { EdgeDelta, EdgeReport } from './edge-report.ts';
import { pathOfUrl, TemplateCache } from './path-template.ts';
import { bucketOfMs } from './sparse-histogram.ts';

export interface AggregatorLimits {
  /** Edges between two reports; calls of further ones are counted on the edge `other → other`. */
  readonly maxEdges: number;
  /** Templates of one edge between two reports; calls of further ones are counted as `other`. */
  readonly maxTemplatesPerEdge: number;
  /** Paths whose template is remembered. */
  readonly maxCachedPaths: number;
}

export const aggregatorLimits: AggregatorLimits = {
  maxEdges: 2000,
  maxTemplatesPerEdge: 50,
  maxCachedPaths: 10_000,
};

interface OpenFlow {
  edge: EdgeCounter;
  requestBytes: number;
  responseBytes: number;
}

/**
 * Counts calls by edge and endpoint in a worker, between two reports to the primary.
 *
 * Every call pays for it, so `add` makes nothing per call but what the tables need for a name they have not seen.
 * A flow that was announced with `begin` is in flight until `add` sees its end; the bytes of long ones are counted
 * while they pass.
 */
export class EdgeAggregator {
  readonly #limits: AggregatorLimits;
  readonly #templates: TemplateCache;
  /** By caller, callee, protocol: three look-ups of texts whose hash is known cost less than one key put together. */
  #edges = new Map<string, Map<string, Map<string, EdgeCounter>>>();
  #edgeCount = 0;
  #overflow = { edges: 0, templates: 0 };
  readonly #open = new Map<string, OpenFlow>();

  constructor(limits: AggregatorLimits = aggregatorLimits) {
    this.#limits = limits;
    this.#templates = new TemplateCache(limits.maxCachedPaths);
  }

  /**
   * A flow has started, its caller and callee are known. Again for the same flow when it has become something else:
   * a request that is now a WebSocket moves to that edge.
   */
  begin(flow: FlowRecord): void {
    const edge = this.#edgeOf(flow);
    const open = this.#open.get(flow.id);
    if (open === undefined) {
      edge.inFlight += 1;
      this.#open.set(flow.id, { edge, requestBytes: 0, responseBytes: 0 });
    } else if (open.edge !== edge) {
      open.edge.inFlight -= 1;
      edge.inFlight += 1;
      open.edge = edge;
    }
  }

  /** A flow has ended, or (durationMs below 0) is open for long and tells how far it is. */
  add(flow: FlowRecord): void {
    if (flow.durationMs < 0) {
      this.begin(flow);
      this.#countBytes(this.#edgeOf(flow), flow, this.#open.get(flow.id));
      return;
    }
    const edge = this.#edgeOf(flow);
    // Most calls are over before they are announced: their ids need not be hashed.
    const open = this.#open.size === 0 ? undefined : this.#open.get(flow.id);
    this.#countBytes(edge, flow, open);
    if (open !== undefined) this.end(flow.id);
    this.#countCall(edge, flow);
  }

  /** A flow is no longer in flight; by itself only for one that will never be added (its record was given up). */
  end(flowId: string): void {
    const open = this.#open.get(flowId);
    if (open === undefined) return;
    open.edge.inFlight -= 1;
    this.#open.delete(flowId);
  }

  get openFlows(): number {
    return this.#open.size;
  }

  /** Ids of open flows, newest last; the newest `limit` of them. */
  openFlowIds(limit: number): string[] {
    return [...this.#open.keys()].slice(-limit);
  }

  /** Everything since the last report. Edges on which nothing happened and nothing is open are forgotten. */
  takeReport(): EdgeReport {
    const edges: EdgeDelta[] = [];
    for (const [caller, byCallee] of this.#edges) {
      for (const [callee, byProtocol] of byCallee) {
        for (const [protocol, edge] of byProtocol) {
          const delta = edge.take();
          if (delta !== null) edges.push(delta);
          else if (byProtocol.delete(protocol)) this.#edgeCount -= 1;
        }
        if (byProtocol.size === 0) byCallee.delete(callee);
      }
      if (byCallee.size === 0) this.#edges.delete(caller);
    }
    const overflow = this.#overflow;
    this.#overflow = { edges: 0, templates: 0 };
    return { edges, overflow };
  }

  #countCall(edge: EdgeCounter, flow: FlowRecord): void {
    const outcome = outcomeOf(flow);
    const bucket = bucketOfMs(flow.durationMs);
    edge.add(flow, outcome, bucket);
    if (edge.caller !== flow.caller.name) this.#overflow.edges += 1;
    if (flow.method === '') return;
    const template = this.#templates.get(pathOfUrl(flow.url));
    const limit = this.#limits.maxTemplatesPerEdge;
    if (!edge.addEndpoint(flow.method, template, outcome, bucket, limit)) {
      this.#overflow.templates += 1;
    }
  }

  /** Counts what passed since the last time, so that a tunnel open for hours shows its bytes when they pass. */
  #countBytes(edge: EdgeCounter, flow: FlowRecord, before: OpenFlow | undefined): void {
    const requestBytes = flow.requestHeadBytes + flow.requestBodyBytes;
    const responseBytes = flow.responseHeadBytes + flow.responseBodyBytes;
    edge.addBytes(
      Math.max(0, requestBytes - (before?.requestBytes ?? 0)),
      Math.max(0, responseBytes - (before?.responseBytes ?? 0)),
    );
    if (before === undefined) return;
    before.requestBytes = requestBytes;
    before.responseBytes = responseBytes;
  }

  #edgeOf(flow: FlowRecord): EdgeCounter {
    const { caller, callee } = flow;
    const protocol = protocolOf(flow);
    const known = this.#edges.get(caller.name)?.get(callee.name)?.get(protocol);
    if (known !== undefined) return known;
    if (this.#edgeCount < this.#limits.maxEdges) return this.#newEdge(caller.name, callee.name, protocol);
    return this.#edges.get(other)?.get(other)?.get(other) ?? this.#newEdge(other, other, other);
  }

  #newEdge(caller: string, callee: string, protocol: string): EdgeCounter {
    const edge = new EdgeCounter(caller, callee, protocol);
    let byCallee = this.#edges.get(caller);
    if (byCallee === undefined) this.#edges.set(caller, (byCallee = new Map()));
    let byProtocol = byCallee.get(callee);
    if (byProtocol === undefined) byCallee.set(callee, (byProtocol = new Map()));
    byProtocol.set(protocol, edge);
    this.#edgeCount += 1;
    return edge;
  }
}

/**
 * The protocol of a flow's edge. A refused request and a failed handshake belong to the edge that the call would have
 * been on, so that the map shows them there.
 */
export function protocolOf(flow: FlowRecord): string {
  if (flow.kind === 'tcp' || flow.kind === 'websocket') return flow.kind;
  // gRPC is HTTP/2 only (its specification, "Transport"), so that others are not searched.
  return flow.httpVersion === '2' && grpcContent.test(flow.requestFields) ? 'grpc' : 'http';
}

const grpcContent = /^content-type:\s*application\/grpc/im;
