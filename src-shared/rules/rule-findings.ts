import { durationMs as ms } from './duration.ts';
import type { Fault } from './fault.ts';
import type { Match, ValueTest } from './match.ts';
import { compileText, isPlain } from './pattern.ts';
import type { RuleDefinition } from './rule.ts';
import { parseStatus } from './status-range.ts';
import type { Trigger } from './trigger.ts';

/** Something that an author of rules should see. `never`: it can hit nothing as it is; `hint`: it may well be meant. */
export interface RuleFinding {
  readonly ruleId: string;
  readonly severity: 'never' | 'hint';
  /** The field that it is about, as in `match.route`; null: the rule as a whole. */
  readonly field: string | null;
  readonly sentence: string;
  /** The other rule of a conflict. */
  readonly otherRuleId: string | null;
}

/** What an agent has seen so far; an empty set says nothing. */
export interface SeenNames {
  readonly services: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
}

export type FoundRule = Pick<RuleDefinition, 'name' | 'enabled' | 'match' | 'trigger' | 'faults'> & {
  readonly id: string;
};

/** What is wrong, or odd, with rules: pure, so that a form can ask it with each key. In the order of the rules. */
export function ruleFindings(rules: readonly FoundRule[], seen: SeenNames): RuleFinding[] {
  const takers = new Takers();
  return rules.flatMap((rule) => {
    const found = [
      ...impossibleMatch(rule),
      ...impossibleTrigger(rule),
      ...unknownNames(rule, seen),
      ...shadowed(rule, takers),
    ];
    takers.add(rule);
    return found;
  });
}

function finding(
  rule: FoundRule,
  severity: RuleFinding['severity'],
  field: string | null,
  sentence: string,
  otherRuleId: string | null = null,
): RuleFinding {
  return { ruleId: rule.id, severity, field, sentence, otherRuleId };
}

/** Fields that only an HTTP call has. */
const httpFields = ['method', 'path', 'query', 'header', 'grpc', 'traceId', 'body', 'status'] as const;

function impossibleMatch(rule: FoundRule): RuleFinding[] {
  const { match } = rule;
  const found: RuleFinding[] = [];
  const never = (field: string, sentence: string): void =>
    void found.push(finding(rule, 'never', field, sentence));
  if (match.protocol === 'tcp') {
    for (const field of httpFields) {
      if (match[field] !== undefined)
        never(`match.${field}`, `Bytes that are not opened have no ${wordOf[field]}.`);
    }
    if (rule.faults.every(actsOnHttpOnly))
      never('faults', 'None of its faults can act on bytes that are not opened.');
  }
  const isGrpc = match.grpc !== undefined || match.protocol === 'grpc';
  if (match.grpc !== undefined && match.protocol !== undefined && match.protocol !== 'grpc')
    never('match.protocol', `A gRPC call is never of the protocol ${match.protocol}.`);
  if (isGrpc && excludes(match.method, 'POST', false)) never('match.method', 'gRPC calls are always POST.');
  const holdsOnly = rule.faults.length > 0 && rule.faults.every(({ type }) => type === 'breakpoint');
  if (match.protocol === 'websocket' && holdsOnly)
    never('faults', 'A breakpoint does not hold what switches to another protocol.');
  if (match.protocol === 'websocket' && match.body !== undefined)
    never('match.body', 'The handshake of a WebSocket has no body.');
  if (match.path !== undefined && /\?[^/]*=/.test(match.path) && !match.path.startsWith('/^'))
    found.push(
      finding(
        rule,
        'hint',
        'match.path',
        'A path has no query here: ? stands for one character. Use query for parameters.',
      ),
    );
  if (match.path !== undefined && isPlain(match.path) && !match.path.startsWith('/') && match.path !== '*')
    never('match.path', 'Paths begin with a slash.');
  if (match.grpc !== undefined && match.path !== undefined && !grpcPathFits(match))
    never('match.path', 'The path of a gRPC call is /service/method, and these do not agree.');
  return found;
}

const wordOf: Readonly<Record<(typeof httpFields)[number], string>> = {
  method: 'method',
  path: 'path',
  query: 'query',
  header: 'header',
  grpc: 'gRPC method',
  traceId: 'trace id',
  body: 'body',
  status: 'status',
};

/** Faults that answer, or hold messages: they do nothing to bytes. */
function actsOnHttpOnly({ type }: Fault): boolean {
  return type === 'status' || type === 'breakpoint';
}

/** Whether a pattern is given that this value does not match. */
function excludes(pattern: string | undefined, value: string, caseSensitive: boolean): boolean {
  return pattern !== undefined && !compileText(pattern, caseSensitive)(value);
}

function grpcPathFits({ grpc, path }: Match): boolean {
  const { service, method } = grpc ?? {};
  if (service === undefined || method === undefined || !isPlain(service) || !isPlain(method)) return true;
  return !excludes(path, `/${service}/${method}`, true);
}

function impossibleTrigger(rule: FoundRule): RuleFinding[] {
  const { probability, first, every, window, expires, schedule, seed } = rule.trigger;
  const found: RuleFinding[] = [];
  const add = (severity: RuleFinding['severity'], field: string, sentence: string): void =>
    void found.push(finding(rule, severity, `trigger.${field}`, sentence));
  if (probability === 0) add('never', 'probability', 'With a probability of 0 it hits nothing.');
  if (first !== undefined && every !== undefined && every > first)
    add('never', 'every', `Among the first ${first} calls there is no ${every}th.`);
  if (expires !== undefined && window?.from !== undefined && ms(expires) <= ms(window.from))
    add('never', 'expires', 'It turns itself off before its window begins.');
  if (window?.to !== undefined && schedule !== undefined && sleepsThrough(rule.trigger))
    add('never', 'schedule', 'Its schedule sleeps all through its window.');
  if (seed !== undefined && (probability === undefined || probability === 1))
    add('hint', 'seed', 'Without a probability there is nothing to draw, so the seed does nothing.');
  return found;
}

function sleepsThrough({ window, schedule }: Trigger): boolean {
  if (window?.to === undefined || schedule === undefined) return false;
  const from = ms(window.from ?? '0s');
  const every = ms(schedule.every);
  const isAsleep = from % every >= ms(schedule.for);
  return isAsleep && Math.ceil(from / every) * every >= ms(window.to);
}

function unknownNames(rule: FoundRule, { services, routes }: SeenNames): RuleFinding[] {
  const { caller, callee, route, listener } = rule.match;
  const found: RuleFinding[] = [];
  const look = (
    field: string,
    pattern: string | undefined,
    known: ReadonlySet<string>,
    what: string,
  ): void => {
    if (pattern === undefined || known.size === 0) return;
    const matches = compileText(pattern, false);
    if ([...known].some(matches)) return;
    found.push(finding(rule, 'hint', `match.${field}`, `${what} ${pattern} so far.`));
  };
  look('caller', caller, services, 'No call has been seen from a service called');
  look('callee', callee, services, 'No call has been seen to a service called');
  look('route', route, routes, 'There is no route called');
  look('listener', listener, new Set([...routes, 'proxy']), 'There is no listener called');
  return found;
}

/** Pairs of rules that are compared at the most: with 10,000 rules of one callee the last ones are not looked at. */
const mostComparisons = 200_000;

/** Rules that are on and leave nothing of a call to those behind them, found by the callee that they name. */
class Takers {
  readonly #byCallee = new Map<string | undefined, FoundRule[]>();
  #comparisons = 0;

  add(rule: FoundRule): void {
    if (
      !rule.enabled ||
      !takesEveryCall(rule) ||
      !rule.faults.some((fault) => endsAtOnce(fault) || answers(fault))
    )
      return;
    const { callee } = rule.match;
    const key = callee !== undefined && isPlain(callee) ? callee : undefined;
    const known = this.#byCallee.get(key);
    if (known === undefined) this.#byCallee.set(key, [rule]);
    else known.push(rule);
  }

  /** The first that is about all the calls of this one, as far as that is certain. */
  find({ match }: FoundRule): FoundRule | undefined {
    const ofCallee = match.callee === undefined ? [] : (this.#byCallee.get(match.callee) ?? []);
    return [...ofCallee, ...(this.#byCallee.get(undefined) ?? [])].find((one) => {
      this.#comparisons += 1;
      return this.#comparisons <= mostComparisons && isAboutAll(one.match, match);
    });
  }
}

/**
 * An earlier rule that leaves nothing of a call to this one: it is on, ends or answers each of its calls, and is about all
 * the calls that this one is about. Only what is certain is said: patterns count where they are equal.
 */
function shadowed(rule: FoundRule, takers: Takers): RuleFinding[] {
  const other = rule.enabled ? takers.find(rule) : undefined;
  if (other === undefined || !isMadePointless(other, rule)) return [];
  const sentence = `“${other.name}” comes before it and leaves nothing of its calls for it to act on.`;
  return [finding(rule, 'never', null, sentence, other.id)];
}

function takesEveryCall({ trigger }: FoundRule): boolean {
  const { seed: _seed, probability = 1, expires: _expires, ...rest } = trigger;
  return probability === 1 && Object.values(rest).every((part) => part === undefined);
}

/** A call that is refused at once leaves nothing; one that is answered leaves the response to faults on the bytes of it. */
function isMadePointless(other: FoundRule, rule: FoundRule): boolean {
  if (other.match.status !== undefined) return false;
  if (other.faults.some(endsAtOnce)) return true;
  return other.faults.some(answers) && rule.faults.every((fault) => answers(fault) || isOnRequest(fault));
}

function endsAtOnce(fault: Fault): boolean {
  return (fault.type === 'reset' || fault.type === 'close') && fault.at === 'start';
}

function answers({ type }: Fault): boolean {
  return type === 'status';
}

function isOnRequest(fault: Fault): boolean {
  if (fault.type === 'breakpoint') return fault.at === 'request';
  return 'direction' in fault && fault.direction === 'request';
}

/** Whether every call that `narrow` is about is one that `wide` is about; false where that is not certain. */
export function isAboutAll(wide: Match, narrow: Match): boolean {
  return (Object.keys(wide) as (keyof Match)[]).every((field) => {
    const asked = wide[field];
    const given = narrow[field];
    if (asked === undefined || asked === '*') return true;
    if (given === undefined) return false;
    if (JSON.stringify(asked) === JSON.stringify(given)) return true;
    if (field === 'query' || field === 'header') return areIncluded(wide[field] ?? {}, narrow[field] ?? {});
    if (field === 'status') return statusIncluded(String(asked), given as number | string);
    const isPattern = typeof asked === 'string' && typeof given === 'string' && field !== 'protocol';
    return isPattern && isPlain(given) && compileText(asked, isCaseSensitive(field))(given);
  });
}

function areIncluded(
  wide: Readonly<Record<string, ValueTest>>,
  narrow: Readonly<Record<string, ValueTest>>,
): boolean {
  return Object.entries(wide).every(([name, test]) => narrow[name] === test);
}

function statusIncluded(wide: string, narrow: number | string): boolean {
  const outer = parseStatus(wide);
  const inner = parseStatus(narrow);
  if (outer === null || inner === null) return false;
  for (let status = 100; status < 600; status += 1) if (inner(status) && !outer(status)) return false;
  return true;
}

function isCaseSensitive(field: keyof Match): boolean {
  return field === 'path' || field === 'traceId';
}
