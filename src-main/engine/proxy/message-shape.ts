import type { FaultPlan } from '../rules/fault-plan.ts';
import type { MessageShape } from '../rules/faults/stage.ts';
import { bodyLength } from './forwarding.ts';
import type { HttpVersion, MessageHead } from './http1/head.ts';
import type { LocalResponse } from './local-response.ts';

/**
 * What links are told of a message in HTTP/1.
 * @param headBytes Of the head as it is sent on.
 * @param version What the receiver understands.
 */
export function http1Shape(head: MessageHead, headBytes: number, version: HttpVersion): MessageShape {
  const { framing } = head;
  return { headBytes, bodyBytes: bodyLength(head), httpVersion: version, framing, fields: null };
}

/**
 * The same for a message in HTTP/2.
 * @param bodyBytes null when nobody can know it yet.
 * @param mayHaveBody Not so for what ended with its head, and for what has no body by its nature.
 */
export function http2Shape(headBytes: number, bodyBytes: number | null, mayHaveBody: boolean): MessageShape {
  const framing = mayHaveBody ? 'stream' : 'none';
  return { headBytes, bodyBytes, httpVersion: '2', framing, fields: null };
}

/** Whether a body may follow a response (RFC 9110, sections 6.4.1 and 9.3.2). */
export function mayHaveBody(status: number, requestMethod: string): boolean {
  return requestMethod !== 'HEAD' && status >= 200 && status !== 204 && status !== 304;
}

/** The method with which the upstream is asked: rules may have made it another one. */
export function methodSent(asked: string, plan: FaultPlan | null): string {
  const line = plan?.shapeOut('request').startLine;
  return line === undefined ? asked : line.slice(0, line.indexOf(' '));
}

/** What links are told of an answer of our own in HTTP/1. */
export function localShape(
  { status }: LocalResponse,
  requestMethod: string,
  headBytes: number,
  bodyBytes: number,
  version: HttpVersion,
): MessageShape {
  const framing = mayHaveBody(status, requestMethod) ? 'length' : 'none';
  return { headBytes, bodyBytes, httpVersion: version, framing, fields: null };
}
