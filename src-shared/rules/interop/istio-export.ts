import type { Fault } from '../fault.ts';
import type { Match, ValueTest } from '../match.ts';
import { expressionOf, isPlain } from '../pattern.ts';
import type { RuleDefinition } from '../rule.ts';
import { ruleIdFromName } from '../rule.ts';
import { stringMatchOf } from './text-match.ts';
import type { StringMatch } from './text-match.ts';

/** What became of a rule, where that is not all that it says. */
export interface ExportNote {
  readonly rule: string;
  readonly message: string;
}

export interface IstioExport {
  /** VirtualServices, one for each host. */
  readonly services: readonly object[];
  readonly notes: readonly ExportNote[];
}

type ExportedRule = Pick<RuleDefinition, 'name' | 'match' | 'trigger' | 'faults'>;

interface IstioFault {
  delay?: { fixedDelay: string; percentage: { value: number } };
  abort?: { httpStatus?: number; grpcStatus?: string; percentage: { value: number } };
}

interface Entry {
  readonly name: string;
  readonly match: Readonly<Record<string, unknown>>;
  readonly fault: IstioFault;
}

/** Rules as VirtualServices, in their order; those that Istio cannot express are left out, and named with the reason. */
export function exportIstio(rules: readonly ExportedRule[]): IstioExport {
  const notes: ExportNote[] = [];
  const byHost = new Map<string, Entry[]>();
  for (const rule of rules) {
    const note = (message: string): number => notes.push({ rule: rule.name, message });
    const reason = reasonAgainst(rule);
    const host = rule.match.callee ?? rule.match.host;
    if (reason !== null || host === undefined) note(`left out: ${reason ?? 'it names no host'}`);
    else {
      const entries = byHost.get(host) ?? [];
      byHost.set(host, entries);
      enter(entries, { name: rule.name, match: matchOf(rule.match), fault: faultOf(rule, note) }, note);
    }
  }
  const names = namesFor([...byHost.keys()]);
  return { services: [...byHost].map(([host, entries], n) => serviceOf(host, entries, names[n])), notes };
}

/** A delay and an abort of the same calls are one fault in Istio, which draws for each. */
function enter(entries: Entry[], entry: Entry, note: (message: string) => void): void {
  const same = entries.find(({ match }) => JSON.stringify(match) === JSON.stringify(entry.match));
  if (same !== undefined && entry.fault.delay === undefined && same.fault.abort === undefined) {
    if (entry.fault.abort !== undefined) same.fault.abort = entry.fault.abort;
    return;
  }
  if (same !== undefined) note(`Istio asks "${same.name}" first, which takes the same calls`);
  else if (entries.length > 0)
    note(
      'Istio applies the first entry that matches a call, Spike every rule: calls of entries above it are spared',
    );
  entries.push(entry);
}

/** `a.b` and `a-b` are one name to Kubernetes, and the second object would replace the first. */
function namesFor(hosts: readonly string[]): string[] {
  const taken = new Set<string>();
  return hosts.map((host) => {
    const wanted = `spike-${ruleIdFromName(host)}`.slice(0, 58).replace(/-+$/, '');
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted}-${n}`;
    taken.add(name);
    return name;
  });
}

function serviceOf(host: string, entries: readonly Entry[], name: string | undefined): object {
  const route = [{ destination: { host } }];
  const http = entries.map(({ name: entry, match, fault }) => ({
    name: entry,
    ...(Object.keys(match).length > 0 && { match: [match] }),
    fault,
    route,
  }));
  const hasCatchAll = entries.some(({ match }) => Object.keys(match).length === 0);
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name },
    spec: { hosts: [host], http: hasCatchAll ? http : [...http, { route }] },
  };
}

/** Why Istio cannot express a rule; null where it can. */
function reasonAgainst({ match, trigger, faults }: ExportedRule): string | null {
  const { probability, ...otherTriggers } = trigger;
  const [triggerField] = Object.keys(otherTriggers);
  if (triggerField !== undefined) return `Istio has no trigger "${triggerField}"`;
  if (probability === 0) return 'its probability is 0';
  return reasonAgainstMatch(match) ?? reasonAgainstFaults(faults, probability ?? 1);
}

const unknownFields = ['route', 'listener', 'protocol', 'traceId', 'body', 'status'] as const;

function reasonAgainstMatch(match: Match): string | null {
  const field = unknownFields.find((name) => match[name] !== undefined);
  if (field !== undefined) return `Istio cannot match by ${field}`;
  for (const name of ['caller', 'callee'] as const)
    if (match[name] !== undefined && !isPlain(match[name])) return `Istio needs a plain name as ${name}`;
  if (match.callee === undefined && match.host === undefined)
    return 'it names neither callee nor host, and a VirtualService is about one';
  if (!/^(\*\.)?[a-z0-9][a-z0-9.-]*$/i.test(match.callee ?? match.host ?? ''))
    return 'Istio needs a DNS name, or *. before one, as callee or host';
  if (Object.values(match.query ?? {}).includes(false)) return 'Istio cannot ask that a parameter is absent';
  if (match.grpc !== undefined && match.path !== undefined) return 'it has both path and grpc';
  return match.grpc === undefined ? null : reasonAgainstGrpc(match.grpc);
}

function reasonAgainstGrpc({ service, method }: NonNullable<Match['grpc']>): string | null {
  const plain = [service, method].every((name) => name === undefined || isPlain(name));
  return service !== undefined && plain ? null : 'Istio matches gRPC by its path: it needs a plain service';
}

function reasonAgainstFaults(faults: readonly Fault[], probability: number): string | null {
  const [first, second] = faults;
  if (first === undefined || faults.length > 2) return 'Istio has one delay and one abort';
  for (const fault of faults) {
    const reason = reasonAgainstFault(fault);
    if (reason !== null) return reason;
  }
  if (second === undefined) return null;
  if (first.type !== 'latency' || second.type === 'latency') return 'Istio has one delay and then one abort';
  return probability === 1 ? null : 'Istio draws for delay and abort independently, the rule draws once';
}

function reasonAgainstFault(fault: Fault): string | null {
  if (fault.type === 'status' || fault.type === 'grpc-status') return null;
  if (fault.type !== 'latency') return `Istio has no fault "${fault.type}"`;
  if (fault.latencyMs === 0) return 'a delay in Istio is at least 1ms';
  return fault.jitterMs === 0 && fault.distribution !== 'percentiles' ? null : 'delays of Istio are fixed';
}

function faultOf({ trigger, faults }: ExportedRule, note: (message: string) => void): IstioFault {
  const percentage = { value: Number(((trigger.probability ?? 1) * 100).toPrecision(12)) };
  const fault: IstioFault = {};
  for (const one of faults) {
    if (one.type === 'latency') fault.delay = { fixedDelay: fixedDelay(one.latencyMs), percentage };
    if (one.type === 'status') {
      fault.abort = { httpStatus: one.status, percentage };
      if (one.body !== '' || Object.keys(one.headers).length > 0)
        note('Istio answers with the status alone: body and headers are left out');
    }
    if (one.type === 'grpc-status') {
      fault.abort = { grpcStatus: one.status, percentage };
      if (one.message !== '' || one.form !== 'trailers-only')
        note('Istio answers with the gRPC status alone: message and form are left out');
    }
  }
  const alone = faults.length === 1 && faults[0]?.type === 'latency' ? faults[0] : undefined;
  if (alone?.direction === 'response') note('Istio delays the request, the rule the answer');
  return fault;
}

/** Durations of Kubernetes; seconds where they are whole. */
function fixedDelay(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function matchOf(match: Match): Record<string, unknown> {
  const { caller, callee, method, host, grpc, path, query = {}, header = {} } = match;
  const uri = grpc === undefined ? uriOf(path) : grpcUri(grpc);
  const headers = testsOf(header, (test) => test !== false);
  const withoutHeaders = testsOf(header, (test) => test === false);
  const queryParams = testsOf(query, () => true);
  return {
    ...(uri !== null && { uri }),
    ...(method !== undefined && method !== '*' && { method: stringMatchOf(inUpperCase(method), true) }),
    ...(callee !== undefined && host !== undefined && host !== '*' && { authority: stringMatchOf(host) }),
    ...(headers !== null && { headers }),
    ...(withoutHeaders !== null && { withoutHeaders }),
    ...(queryParams !== null && { queryParams }),
    ...(caller !== undefined && { sourceLabels: { app: caller } }),
  };
}

/** Methods have case in Istio, and none in Spike. */
function inUpperCase(method: string): string {
  return expressionOf(method) === null ? method.toUpperCase() : method;
}

function uriOf(path: string | undefined): StringMatch | null {
  return path === undefined || path === '*' || path === '/*' ? null : stringMatchOf(path);
}

function grpcUri({ service, method }: NonNullable<Match['grpc']>): StringMatch {
  return method === undefined ? { prefix: `/${service}/` } : { exact: `/${service}/${method}` };
}

function testsOf(
  tests: Readonly<Record<string, ValueTest>>,
  isWanted: (test: ValueTest) => boolean,
): Record<string, StringMatch> | null {
  const wanted = Object.entries(tests).filter(([, test]) => isWanted(test));
  if (wanted.length === 0) return null;
  return Object.fromEntries(
    wanted.map(([name, test]) => [name, typeof test === 'boolean' ? {} : stringMatchOf(test)]),
  );
}
