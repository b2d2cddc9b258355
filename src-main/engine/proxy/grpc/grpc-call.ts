import type { Direction } from '#shared/flow/flow.ts';
import { grpcStatusOf } from '../../capture/field-text.ts';
import type { FlowRecord } from '../../capture/flow-record.ts';
import { isGrpc } from '../../rules/call-facts.ts';
import type { ProxyEnvironment } from '../environment.ts';
import { GrpcMessages } from './grpc-messages.ts';

/** What a flow says of a call beyond HTTP when it is gRPC: its messages while they pass, and its status. */
export class GrpcCall {
  readonly #flow: FlowRecord;
  readonly #environment: ProxyEnvironment;
  /** null while nothing is recorded. */
  readonly #messages: GrpcMessages | null;

  private constructor(environment: ProxyEnvironment, flow: FlowRecord) {
    this.#environment = environment;
    this.#flow = flow;
    const messages = environment.messagesOf(flow);
    this.#messages = messages === null ? null : new GrpcMessages(messages.tell);
  }

  /** null for a request that does not say that it is gRPC. */
  static of(fields: readonly string[], environment: ProxyEnvironment, flow: FlowRecord): GrpcCall | null {
    return isGrpc(fields) ? new GrpcCall(environment, flow) : null;
  }

  bytes(direction: Direction, chunk: Buffer): void {
    this.#messages?.bytes(direction, chunk, this.#environment.clock.now());
  }

  /** The call is over, and the flow has its fields and trailers. */
  end(): void {
    const { responseFields, trailers } = this.#flow;
    this.#flow.grpcStatus = grpcStatusOf(-1, responseFields, trailers);
  }
}
