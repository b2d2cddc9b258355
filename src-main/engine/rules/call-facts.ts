import type { MatchProtocol } from '#shared/rules/match.ts';

/**
 * What is known of a call when rules are looked up. What costs something to find out is a getter of whoever hands the facts
 * in: most calls have no rule that asks.
 */
export interface CallFacts {
  readonly caller: string;
  readonly callee: string;
  readonly method: string;
  readonly host: string;
  /** Path and query, as they are asked for. */
  readonly path: string;
  /** The route that leads to the destination; null for none. */
  readonly route: string | null;
  /** The route whose port the client used; null: the proxy port. */
  readonly listener: string | null;
  /** Fields of the request: [name, value, name, value, ...] in their order. */
  readonly fields: readonly string[];
  /** The protocol that the request wants to switch to (Upgrade, or `:protocol` of RFC 8441); null for none. */
  readonly upgrade: string | null;
}

export type TunnelFacts = Pick<CallFacts, 'caller' | 'callee' | 'host' | 'route' | 'listener'>;

/** Rules ask one after the other, and often for the same field: the fields of a call do not change while they are asked. */
let lastAsked: {
  readonly fields: readonly string[];
  readonly name: string;
  readonly values: readonly string[];
} = {
  fields: [],
  name: '',
  values: [],
};

/** As `fieldValues`, for rules of one call. */
export function askedValues(fields: readonly string[], name: string): readonly string[] {
  if (lastAsked.fields !== fields || lastAsked.name !== name)
    lastAsked = { fields, name, values: fieldValues(fields, name) };
  return lastAsked.values;
}

/** Every value of a field, whatever the case of its name. `name` in lower case. */
export function fieldValues(fields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const candidate = fields[at] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name)
      values.push(fields[at + 1] as string);
  }
  return values;
}

export function protocolOf(facts: Pick<CallFacts, 'fields' | 'upgrade'>): MatchProtocol {
  if (facts.upgrade?.toLowerCase() === 'websocket') return 'websocket';
  return isGrpc(facts.fields) ? 'grpc' : 'http';
}

/** As gRPC over HTTP/2 has it (Requests): `application/grpc`, with or without what follows a `+` or `;`. */
export function isGrpc(fields: readonly string[]): boolean {
  return fieldValues(fields, 'content-type').some((value) => /^application\/grpc(?:$|[+; ])/i.test(value));
}

/** Service and method of a gRPC call's path, `/package.Service/Method`; null for a path that has another form. */
export function grpcCall(path: string): { readonly service: string; readonly method: string } | null {
  const parts = /^\/([^/?]+)\/([^/?]+)(?:\?|$)/.exec(path);
  return parts === null ? null : { service: parts[1] as string, method: parts[2] as string };
}

// W3C Trace Context, sections 3.2.2 and 4.3: version ff and ids of zeros only are invalid; version 00 has four parts.
const traceparent = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** The trace id of a request; null without a valid traceparent, or with more than one. */
export function traceIdOf(fields: readonly string[]): string | null {
  const values = fieldValues(fields, 'traceparent');
  if (values.length !== 1) return null;
  const parts = traceparent.exec((values[0] as string).trim());
  if (parts === null || (parts[1] === '00' && parts[3] !== undefined)) return null;
  return parts[2] as string;
}

type QueryValues = ReadonlyMap<string, readonly string[]>;

/** The rules of one call ask one after the other: it is read for the first of them. */
let lastQuery: { readonly path: string; readonly values: QueryValues } = { path: '', values: new Map() };

/** Parameters of the query of a path, by name, decoded (`+` is a space, as forms have it). What cannot be decoded stays as it is. */
export function queryValues(path: string): QueryValues {
  if (lastQuery.path !== path) lastQuery = { path, values: readQuery(path) };
  return lastQuery.values;
}

function readQuery(path: string): QueryValues {
  const values = new Map<string, string[]>();
  const question = path.indexOf('?');
  if (question < 0) return values;
  for (const [name, value] of new URLSearchParams(path.slice(question + 1))) {
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return values;
}
