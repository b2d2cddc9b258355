import type { Direction } from '../../flow/flow.ts';
import { askingFields } from '../faults/asked.ts';
import type { Match, ValueTest } from '../match.ts';
import { HttpFaultSchema, runtimeFields } from './envoy-schema.ts';
import type { HeaderMatcher, HttpFault, Percentage, StringMatcher } from './envoy-schema.ts';
import { aboutHttp, latencyOf, rulePartsOf } from './imported.ts';
import type { DrawnFault, Imported, ImportNote } from './imported.ts';
import { beginningWith, containing, endingWith, exactly, matching } from './text-match.ts';

type Note = (at: string, message: string) => void;
type Path = readonly (string | number)[];

type AskedWhat = keyof typeof askingFields;

interface FoundFilter {
  readonly path: Path;
  readonly config: Readonly<Record<string, unknown>>;
}

const faultType =
  /(^|\/)envoy\.(extensions\.filters\.http\.fault\.v3|config\.filter\.http\.fault\.v2)\.HTTPFault$/;
/** A bootstrap file nests some fifteen deep. */
const deepest = 64;

/** The configurations of the fault filter in a document, wherever they stand: alone, among http_filters, in a listener. */
export function findFaultFilters(value: unknown, path: Path = []): FoundFilter[] {
  if (typeof value !== 'object' || value === null || path.length > deepest) return [];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  const config = value as Record<string, unknown>;
  if (typeof config['@type'] === 'string' && faultType.test(config['@type'])) return [{ path, config }];
  return entries.flatMap(([key, child]) => findFaultFilters(child, [...path, key]));
}

/** Rules that do what one configuration of the fault filter does. Places in notes and issues are below `config`. */
export function importFaultFilter({ path, config }: FoundFilter, name: string): Imported {
  const notes: ImportNote[] = [];
  const note: Note = (at, message) => notes.push({ at, message });
  if (path.some((key) => key === 'typed_per_filter_config' || key === 'typedPerFilterConfig')) {
    note('', 'It is for one route of Envoy, which is not read: no rule.');
    return { ok: true, rules: [], notes };
  }
  const parsed = HttpFaultSchema.safeParse(snakeCased(config));
  if (!parsed.success) return { ok: false, issues: parsed.error.issues };
  const fault = parsed.data;
  for (const field of runtimeFields) if (field in fault) note(field, 'Runtime values of Envoy are not read.');
  if (fault.max_active_faults === 0) {
    note('max_active_faults', 'With 0 it acts on no call: no rule.');
    return { ok: true, rules: [], notes };
  }
  const parts = rulePartsOf(drawnFaults(fault, note), fault.max_active_faults);
  if (parts.length > 1 && fault.max_active_faults !== undefined)
    note(
      'max_active_faults',
      'Envoy counts the faults of the filter together; here each rule counts its own.',
    );
  const match = parts.length === 0 ? null : readMatch(fault, note);
  if (match === null) return { ok: true, rules: [], notes };
  const rules = parts.map(({ label, header, trigger, faults }) => ({
    name: name + label,
    match: header === undefined ? match : { ...match, header: { ...match.header, [header]: true } },
    trigger,
    faults,
  }));
  return { ok: true, rules, notes };
}

/** Envoy reads its JSON with both names of a field. Values, and the keys of `@type`, stay. */
function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, child]) => [
    key.replace(/[A-Z]/g, (sign) => `_${sign.toLowerCase()}`),
    snakeCased(child),
  ]);
  return Object.fromEntries(entries);
}

function drawnFaults({ delay, abort, response_rate_limit: limit }: HttpFault, note: Note): DrawnFault[] {
  const abortShare = abort === undefined ? 0 : readShare(abort.percentage, 'abort', note);
  const aborts =
    abort === undefined || abortShare === 0
      ? []
      : readAbort(abort, note).map((one) => ({ ...one, probability: abortShare }));
  const drawn: DrawnFault[] = [];
  if (delay !== undefined) {
    const probability = readShare(delay.percentage, 'delay', note);
    const isBeforeAbort = aborts.some(({ header }) => header === undefined);
    const read = readDelay(delay, isBeforeAbort, note);
    if (read !== null && probability > 0) drawn.push({ kind: 'delay', ...read, probability });
  }
  if (limit !== undefined) {
    const probability = readShare(limit.percentage, 'response_rate_limit', note);
    const read = readLimit(limit, note);
    if (read !== null && probability > 0) drawn.push({ kind: 'bandwidth', ...read, probability });
  }
  drawn.push(...aborts);
  if (drawn.length > 1 && drawn.some(({ probability, header }) => probability < 1 && header === undefined))
    note('', 'What it does is drawn independently: a rule each. A delay beside an abort holds the answer.');
  return drawn;
}

type ReadFault = Pick<DrawnFault, 'fault' | 'header'>;

/** What a call asks for itself, as far as the filter lets it. */
function asked(what: AskedWhat, percentage: Percentage, direction: Direction = 'request'): ReadFault {
  const shareOf = percentage === undefined ? 100 : percentage.of;
  return { fault: { type: 'asked-by-header', what, direction, shareOf }, header: askingFields[what] };
}

function readDelay(
  delay: NonNullable<HttpFault['delay']>,
  isBeforeAbort: boolean,
  note: Note,
): ReadFault | null {
  if (delay.fixed_delay !== undefined) return { fault: latencyOf(delay.fixed_delay, isBeforeAbort) };
  if (delay.header_delay !== undefined)
    return asked('delay', delay.percentage, isBeforeAbort ? 'response' : 'request');
  note('delay', 'Expected fixed_delay or header_delay: no rule.');
  return null;
}

function readLimit(limit: NonNullable<HttpFault['response_rate_limit']>, note: Note): ReadFault | null {
  if (limit.fixed_limit !== undefined) {
    const bytesPerSecond = limit.fixed_limit.limit_kbps * 1024;
    return { fault: { type: 'bandwidth', direction: 'response', bytesPerSecond } };
  }
  if (limit.header_limit !== undefined) return asked('throughput', limit.percentage);
  note('response_rate_limit', 'Expected fixed_limit or header_limit: no rule.');
  return null;
}

function readAbort(
  abort: NonNullable<HttpFault['abort']>,
  note: Note,
): Pick<DrawnFault, 'kind' | 'fault' | 'header'>[] {
  if (abort.http_status !== undefined)
    return [{ kind: 'abort', fault: { type: 'status', status: abort.http_status } }];
  if (abort.grpc_status !== undefined) {
    note(
      'abort.grpc_status',
      'It acts on gRPC calls in HTTP/2; Envoy answers other calls with an HTTP status.',
    );
    return [{ kind: 'abort', fault: { type: 'grpc-status', status: abort.grpc_status } }];
  }
  if (abort.header_abort !== undefined)
    // A call that asks for both gets the HTTP status, as with Envoy: the first rule that answers does.
    return [
      { kind: 'abort', ...asked('status', abort.percentage) },
      { kind: 'gRPC abort', ...asked('grpc-status', abort.percentage) },
    ];
  note('abort', 'Expected http_status, grpc_status or header_abort: no rule.');
  return [];
}

function readShare(percentage: Percentage, at: string, note: Note): number {
  const share = percentage?.share;
  if (share === undefined) note(at, 'Without a percentage it acts on no call: no rule.');
  else if (share === 0) note(at, 'A percentage of 0 acts on no call: no rule.');
  return share ?? 0;
}

/** null: it asks for what a rule cannot ask, which would hit more calls than were meant. */
function readMatch(
  { upstream_cluster: cluster, headers, downstream_nodes: nodes }: HttpFault,
  note: Note,
): Match | null {
  const match: Match = cluster === undefined || cluster === '' ? {} : { callee: exactly(cluster) };
  const header: Record<string, ValueTest> = {};
  for (const [index, matcher] of headers.entries()) {
    const test = testOf(matcher);
    const name = matcher.name.toLowerCase();
    const field = pseudoFields.get(name);
    const isKnown = Object.hasOwn(header, name) || (field !== undefined && match[field] !== undefined);
    const isPossible = name !== ':scheme' && !isKnown && (field === undefined || typeof test === 'string');
    if (test === null || !isPossible) {
      note(`headers[${index}]`, 'A rule cannot ask for this: no rule for this filter.');
      return null;
    }
    if (field === undefined) header[name] = test;
    else match[field] = test as string;
    if (name === ':path') note(`headers[${index}]`, 'The path is compared without its query.');
    if (name === ':authority') note(`headers[${index}]`, 'The host is compared without its port.');
  }
  if (nodes.length > 0) header['x-envoy-downstream-service-node'] = anyOf(nodes);
  return aboutHttp({ ...match, ...(Object.keys(header).length > 0 && { header }) });
}

const pseudoFields = new Map<string, 'path' | 'method' | 'host'>([
  [':path', 'path'],
  [':method', 'method'],
  [':authority', 'host'],
]);

/** null: there is no such test. A matcher that asks nothing asks for the field. */
function testOf(matcher: HeaderMatcher): ValueTest | null {
  const { present_match: present, invert_match: inverted = false } = matcher;
  if (matcher.range_match !== undefined || matcher.treat_missing_header_as_empty === true) return null;
  const text = textPattern({
    ...matcher.string_match,
    ...(matcher.exact_match !== undefined && { exact: matcher.exact_match }),
    ...(matcher.prefix_match !== undefined && { prefix: matcher.prefix_match }),
    ...(matcher.suffix_match !== undefined && { suffix: matcher.suffix_match }),
    ...(matcher.contains_match !== undefined && { contains: matcher.contains_match }),
    ...(matcher.safe_regex_match !== undefined && { safe_regex: matcher.safe_regex_match }),
  });
  if (text === null) return (present ?? true) !== inverted;
  return inverted ? null : text;
}

function textPattern(text: StringMatcher): string | null {
  const anyCase = text.ignore_case ?? false;
  if (text.exact !== undefined) return exactly(text.exact, anyCase);
  if (text.prefix !== undefined) return beginningWith(text.prefix, anyCase);
  if (text.suffix !== undefined) return endingWith(text.suffix, anyCase);
  if (text.contains !== undefined) return containing(text.contains, anyCase);
  // Envoy: expressions are compared with case, whatever ignore_case says.
  return text.safe_regex === undefined ? null : matching(text.safe_regex.regex);
}

function anyOf(texts: readonly string[]): string {
  const [only] = texts;
  if (texts.length === 1 && only !== undefined) return exactly(only);
  return matching(texts.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'));
}
