import type { Match, MatchProtocol, ValueTest } from '#shared/rules/match.ts';
import { compileText, isPlain } from '#shared/rules/pattern.ts';
import type { TextTest } from '#shared/rules/pattern.ts';
import { parseStatus } from '#shared/rules/status-range.ts';
import type { StatusTest } from '#shared/rules/status-range.ts';
import { askedValues, grpcCall, isGrpc, protocolOf, queryValues, traceIdOf } from './call-facts.ts';
import type { CallFacts, TunnelFacts } from './call-facts.ts';
import { compileBodyMatch } from './match-body.ts';
import type { BodyTest } from './match-body.ts';
import { pathKeyOf } from './rule-index.ts';

/** @param path Without the query: cut once for all rules that are asked. */
export type HeadTest = (facts: CallFacts, path: string) => boolean;

/** A match, compiled. What an edge decides is apart from what differs from call to call, and from what is known later. */
export interface CompiledMatch {
  readonly needsCaller: boolean;
  readonly needsCallee: boolean;
  /** Whether it can be about HTTP calls. */
  readonly aboutCalls: boolean;
  /** Whether it can be about bytes that are not opened: these have neither method nor path, fields nor body. */
  readonly aboutTunnels: boolean;
  /** What it can be found by (`OrderedIndex`): the callee in lower case, a path as `pathKeyOf` has it; null: nothing. */
  readonly keys: { readonly callee: string | null; readonly path: string | null };
  edge(caller: string, callee: string, host: string): boolean;
  /** What else the request's head tells, a test for each field that is given; `edge` has been asked before. */
  readonly head: readonly HeadTest[];
  tunnel(facts: TunnelFacts): boolean;
  /** What is asked of the request's body; null: nothing. */
  readonly body: BodyTest | null;
  /** What is asked of the response; null: nothing. */
  readonly status: StatusTest | null;
}

/** Compiles a match. Throws a `SyntaxError` for a regular expression that is none, naming it. */
export function compileMatch(match: Match): CompiledMatch {
  const caller = compileText(match.caller, false);
  const callee = compileText(match.callee, false);
  const host = compileText(match.host, false);
  const place = placeTests(match);
  const head = headTests(match);
  const body = match.body === undefined ? null : compileBodyMatch(match.body);
  const status = match.status === undefined ? null : parseStatus(match.status);
  const needsHttp = head.length > 0 || body !== null || status !== null;
  const { protocol } = match;
  return {
    needsCaller: match.caller !== undefined,
    needsCallee: match.callee !== undefined,
    aboutCalls: protocol !== 'tcp',
    aboutTunnels: !needsHttp && (protocol === undefined || protocol === 'tcp'),
    keys: {
      callee: match.callee !== undefined && isPlain(match.callee) ? match.callee.toLowerCase() : null,
      path: match.path === undefined ? null : pathKeyOf(match.path),
    },
    edge: (callerName, calleeName, hostName) => caller(callerName) && callee(calleeName) && host(hostName),
    head: [...head, ...place],
    tunnel: (facts) => place.every((test) => test(facts)),
    body,
    status,
  };
}

/** Whether the head of a call passes all tests; without closures of its own, since every call comes here. */
export function matchesHead(
  match: CompiledMatch,
  facts: CallFacts,
  path = withoutQuery(facts.path),
): boolean {
  for (const test of match.head) if (!test(facts, path)) return false;
  return true;
}

/** Whether a rule could be about calls from `caller` to `callee` (for the map: nothing else is looked at). */
export function matchesEdge(match: Match, caller: string, callee: string): boolean {
  return compileText(match.caller, false)(caller) && compileText(match.callee, false)(callee);
}

/** Where the client came in, and which way it is led: known of calls and tunnels. */
function placeTests({ route, listener }: Match): ((facts: TunnelFacts) => boolean)[] {
  const tests: ((facts: TunnelFacts) => boolean)[] = [];
  if (route !== undefined) {
    const matches = compileText(route, false);
    tests.push((facts) => facts.route !== null && matches(facts.route));
  }
  if (listener !== undefined) {
    const matches = compileText(listener, false);
    tests.push((facts) => matches(facts.listener ?? 'proxy'));
  }
  return tests;
}

/** One test for each field of the head that is given, cheap ones first. */
function headTests(match: Match): HeadTest[] {
  const tests: HeadTest[] = [];
  if (match.method !== undefined) {
    const method = compileText(match.method, false);
    tests.push((facts) => method(facts.method));
  }
  if (match.path !== undefined) {
    const path = compileText(match.path, true);
    tests.push((_facts, asked) => path(asked));
  }
  if (match.protocol !== undefined && match.protocol !== 'tcp') tests.push(protocolTest(match.protocol));
  if (match.grpc !== undefined) tests.push(grpcTest(match.grpc));
  if (match.query !== undefined) tests.push(queryTest(match.query));
  if (match.header !== undefined) tests.push(headerTest(match.header));
  if (match.traceId !== undefined) {
    const traceId = compileText(match.traceId, true);
    tests.push(({ fields }) => {
      const found = traceIdOf(fields);
      return found !== null && traceId(found);
    });
  }
  return tests;
}

function protocolTest(protocol: MatchProtocol): HeadTest {
  return (facts) => protocolOf(facts) === protocol;
}

function grpcTest(match: NonNullable<Match['grpc']>): HeadTest {
  const service = compileText(match.service, true);
  const method = compileText(match.method, true);
  return ({ fields }, path) => {
    const call = grpcCall(path);
    return call !== null && service(call.service) && method(call.method) && isGrpc(fields);
  };
}

const noValues: readonly string[] = [];

function queryTest(match: Readonly<Record<string, ValueTest>>): HeadTest {
  const tests = Object.entries(match).map(([name, wanted]) => ({ name, test: valuesTest(wanted) }));
  return ({ path }) => {
    const values = queryValues(path);
    for (const { name, test } of tests) if (!test(values.get(name) ?? noValues)) return false;
    return true;
  };
}

function headerTest(match: Readonly<Record<string, ValueTest>>): HeadTest {
  const tests = Object.entries(match).map(([name, wanted]) => ({
    name: name.toLowerCase(),
    test: valuesTest(wanted),
  }));
  return ({ fields }) => {
    for (const { name, test } of tests) if (!test(askedValues(fields, name))) return false;
    return true;
  };
}

function valuesTest(wanted: ValueTest): (values: readonly string[]) => boolean {
  if (typeof wanted === 'boolean') return (values) => values.length > 0 === wanted;
  const matches: TextTest = compileText(wanted, true);
  return (values) => {
    for (const value of values) if (matches(value)) return true;
    return false;
  };
}

export function withoutQuery(path: string): string {
  const question = path.indexOf('?');
  return question < 0 ? path : path.slice(0, question);
}
