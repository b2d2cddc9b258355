import type { z } from 'zod';
import type { FaultInput } from '../fault.ts';
import type { Match, ValueTest } from '../match.ts';
import type { RuleInput } from '../rule.ts';
import { aboutHttp, latencyOf, mostImportedRules, rulePartsOf, shareOf } from './imported.ts';
import type { DrawnFault, Imported, ImportNote } from './imported.ts';
import { VirtualServiceSchema } from './istio-schema.ts';
import type {
  FaultBlock,
  HttpRoute,
  MatchBlock,
  ReadShare,
  ReadStringMatch,
  VirtualService,
} from './istio-schema.ts';
import { beginningWith, exactly, matching } from './text-match.ts';
import { mayTakeTheSame } from './istio-overlap.ts';

/** Says something of a place in the VirtualService. */
type Note = (at: string, message: string) => void;

/** Rules that do what the faults of a VirtualService do: one for each host, match and independent draw. */
export function importVirtualService(value: unknown): Imported {
  const parsed = VirtualServiceSchema.safeParse(value);
  if (!parsed.success) return { ok: false, issues: parsed.error.issues };
  const excess = excessIssue(parsed.data);
  if (excess !== null) return { ok: false, issues: [excess] };
  const notes: ImportNote[] = [];
  const note: Note = (at, message) => notes.push({ at, message });
  const { spec } = parsed.data;
  const hasFaults = spec.http.some(({ fault }) => fault !== undefined);
  if (!hasFaults) note('spec.http', 'There is no fault in it.');
  else if (spec.hosts.length === 0) note('spec.hosts', 'Without hosts it is about no service: no rule.');
  if (hasFaults && spec.gateways.some((gateway) => gateway !== 'mesh'))
    note('spec.gateways', 'Spike knows no gateways: the rules are about all calls that pass through it.');
  const rules = spec.http.flatMap((_, index) => rulesOfRoute(parsed.data, index, note));
  return { ok: true, rules, notes };
}

/** Before any is made: hosts and matches multiply. */
function excessIssue({ spec }: VirtualService): z.core.$ZodIssue | null {
  const blocks = spec.http.flatMap(({ fault, match }) =>
    fault === undefined ? [] : Math.max(1, match.length),
  );
  const count = spec.hosts.length * blocks.reduce((sum, of) => sum + of, 0);
  if (count <= mostImportedRules) return null;
  const message = `Its hosts and matches make more than ${mostImportedRules} rules.`;
  return { code: 'custom', path: ['spec'], message, input: spec };
}

function rulesOfRoute(service: VirtualService, index: number, note: Note): RuleInput[] {
  const { http, hosts } = service.spec;
  const route = http[index];
  if (route?.fault === undefined) return [];
  const at = `spec.http[${index}]`;
  const parts = rulePartsOf(drawnFaults(route.fault, `${at}.fault`, note));
  if (parts.length === 0 || isTakenBefore(http, index, note)) return [];
  const blocks = route.match.length === 0 ? [{}] : route.match;
  const places = placesOf(hosts);
  const matches = blocks.map((block, n) => readBlock(block, `${at}.match[${n}]`, note));
  return places
    .flatMap((place, placeIndex) =>
      matches.flatMap((match, block) =>
        parts.map(({ label, trigger, faults }) => {
          const name =
            nameOf(service, index) + suffix(places, placeIndex, 'host') + suffix(matches, block, 'match');
          return match === null
            ? null
            : { name: name + label, match: aboutHttp({ ...place, ...match }), trigger, faults };
        }),
      ),
    )
    .filter((rule) => rule !== null);
}

function nameOf({ metadata, spec }: VirtualService, index: number): string {
  const own = spec.http[index]?.name?.trim();
  if (own !== undefined && own !== '') return own;
  const name = metadata?.name?.trim() || 'VirtualService';
  return spec.http.filter(({ fault }) => fault !== undefined).length > 1 ? `${name} http[${index}]` : name;
}

function suffix(all: readonly unknown[], index: number, word: string): string {
  return all.length > 1 ? ` ${word} ${index + 1}` : '';
}

/** Istio gives a call to the first route that matches; Spike asks every rule. */
function isTakenBefore(http: readonly HttpRoute[], index: number, note: Note): boolean {
  const before = http.slice(0, index);
  const own = http[index]?.match ?? [];
  const catchAll = before.findIndex(({ match }) => match.length === 0);
  if (catchAll >= 0) {
    note(
      `spec.http[${index}]`,
      `http[${catchAll}] takes every call before it: Istio never comes here, no rule.`,
    );
    return true;
  }
  const first = before.findIndex(({ match }) => mayTakeTheSame(match, own));
  if (first >= 0)
    note(
      `spec.http[${index}]`,
      `In Istio the calls that an earlier entry such as http[${first}] matches do not come here; the rule hits those as well.`,
    );
  return false;
}

/** A service of the mesh is a callee by its first label; any other name is a host. Two names of one service are one place. */
function placesOf(hosts: readonly string[]): Match[] {
  const places = hosts.map((host): Match => {
    if (host === '*') return {};
    const service = /^([a-z0-9-]+)(?:\.[a-z0-9-]+\.svc(?:\..+)?)?$/i.exec(host)?.[1];
    return service === undefined ? { host } : { callee: service };
  });
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}

function drawnFaults({ delay, abort }: FaultBlock, at: string, note: Note): DrawnFault[] {
  const drawn: DrawnFault[] = [];
  const abortFault = abort === undefined ? null : readAbort(abort, `${at}.abort`, note);
  const abortShare = abortFault === null ? 0 : readShare(abort ?? {}, `${at}.abort`, note);
  if (delay !== undefined) {
    const probability = readShare(delay, `${at}.delay`, note);
    if (delay.fixedDelay === undefined) note(`${at}.delay`, 'Only fixedDelay has a counterpart: no rule.');
    else if (probability > 0)
      drawn.push({ kind: 'delay', fault: latencyOf(delay.fixedDelay, abortShare > 0), probability });
  }
  if (abortFault !== null && abortShare > 0)
    drawn.push({ kind: 'abort', fault: abortFault, probability: abortShare });
  if (drawn.length === 2 && drawn.some(({ probability }) => probability < 1))
    note(
      at,
      'Delay and abort are drawn independently: a rule each. The delay holds the answer, not the request.',
    );
  return drawn;
}

function readAbort(abort: NonNullable<FaultBlock['abort']>, at: string, note: Note): FaultInput | null {
  if (abort.httpStatus !== undefined) return { type: 'status', status: abort.httpStatus };
  if (abort.grpcStatus === undefined) {
    note(at, 'Only httpStatus and grpcStatus have a counterpart: no rule.');
    return null;
  }
  note(`${at}.grpcStatus`, 'It acts on gRPC calls in HTTP/2; Envoy answers other calls with an HTTP status.');
  return { type: 'grpc-status', status: abort.grpcStatus };
}

function readShare({ percentage, percent }: ReadShare, at: string, note: Note): number {
  const value = percentage?.value ?? percent;
  if (value === undefined) note(at, 'Without a percentage it acts on no call: no rule.');
  else if (value === 0) note(at, 'A percentage of 0 acts on no call: no rule.');
  return shareOf(value ?? 0, 100);
}

/** null: it asks for what a rule cannot ask, which would hit more calls than were meant. */
function readBlock(block: MatchBlock, at: string, note: Note): Match | null {
  const unknown = unknownConditions(block);
  for (const name of unknown) note(`${at}.${name}`, 'A rule cannot ask for this: no rule for this match.');
  if (unknown.length > 0) return null;
  for (const name of ['gateways', 'sourceNamespace'] as const)
    if (block[name] !== undefined)
      note(`${at}.${name}`, 'Spike knows neither gateways nor namespaces: not asked.');
  const { uri, method, authority, headers = {}, withoutHeaders = {}, queryParams = {}, sourceLabels } = block;
  const app = sourceLabels?.['app'];
  const header: Record<string, ValueTest> = {};
  for (const [name, test] of Object.entries(headers)) header[name.toLowerCase()] = valueTest(test);
  for (const name of Object.keys(withoutHeaders)) header[name.toLowerCase()] = false;
  const query = Object.fromEntries(
    Object.entries(queryParams).map(([name, test]) => [name, valueTest(test)]),
  );
  if (authority?.regex !== undefined || authority?.prefix !== undefined)
    note(`${at}.authority`, 'It is compared with the host alone, without its port.');
  return {
    ...(app !== undefined && { caller: exactly(app) }),
    ...(method && { method: pattern(method) }),
    ...(authority && { host: pattern({ ...authority, ...withoutPort(authority.exact) }) }),
    ...(uri && { path: pattern(uri, block.ignoreUriCase) }),
    ...(Object.keys(query).length > 0 && { query }),
    ...(Object.keys(header).length > 0 && { header }),
  };
}

function unknownConditions({
  scheme,
  port,
  sourceLabels = {},
  headers = {},
  withoutHeaders = {},
}: MatchBlock): string[] {
  const asksValue = ([, test]: [string, ReadStringMatch]): boolean => valueTest(test) !== true;
  // Keys that Istio itself ignores: these have fields of their own.
  const ignored = new Set(['uri', 'scheme', 'method', 'authority']);
  return [
    ...(scheme === undefined ? [] : ['scheme']),
    ...(port === undefined ? [] : ['port']),
    ...Object.keys(sourceLabels)
      .filter((label) => label !== 'app')
      .map((label) => `sourceLabels.${label}`),
    ...Object.keys(headers)
      .filter((name) => ignored.has(name))
      .map((name) => `headers.${name}`),
    ...Object.entries(withoutHeaders)
      .filter(asksValue)
      .map(([name]) => `withoutHeaders.${name}`),
    ...Object.keys(withoutHeaders)
      .filter((name) => Object.hasOwn(headers, name))
      .map((name) => `withoutHeaders.${name}`),
  ];
}

const withoutPort = (host: string | undefined) =>
  host === undefined ? {} : { exact: host.replace(/:\d+$/, '') };

/** Istio takes an empty match, and the expression `*`, for "present". */
function valueTest(test: ReadStringMatch): ValueTest {
  return test === null || test.regex === '*' || Object.keys(test).length === 0 ? true : pattern(test);
}

function pattern(test: NonNullable<ReadStringMatch>, anyCase = false): string {
  if (test.exact !== undefined) return exactly(test.exact, anyCase);
  if (test.prefix !== undefined) return beginningWith(test.prefix, anyCase);
  return test.regex === '*' ? '*' : matching(test.regex ?? '', anyCase);
}
