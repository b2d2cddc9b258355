import { z } from 'zod';
import { longestDelayMs } from '../faults/parts.ts';
import type { FaultInput } from '../fault.ts';
import type { Match } from '../match.ts';
import { expressionProblem, longestPattern } from '../pattern.ts';
import type { RuleInput } from '../rule.ts';
import type { Trigger } from '../trigger.ts';

/** Something of a foreign configuration that a rule does not say, or says differently. */
export interface ImportNote {
  /** The place, as one writes it in JavaScript: `spec.http[0].fault.delay`. */
  readonly at: string;
  readonly message: string;
}

/** The rules that a configuration makes, or what is wrong with it: then nothing of it is taken. */
export type Imported =
  | { readonly ok: true; readonly rules: readonly RuleInput[]; readonly notes: readonly ImportNote[] }
  | { readonly ok: false; readonly issues: readonly z.core.$ZodIssue[] };

/** What one import may make: hosts, matches and faults multiply. */
export const mostImportedRules = 1000;

/** Rules make expressions of texts, which grow by what is escaped. */
const longestText = Math.floor(longestPattern / 2) - 16;
export const importedText = z.string().max(longestText);
export const importedExpression = importedText.min(1).superRefine((source, context) => {
  const problem = source === '*' ? null : expressionProblem(source);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** A duration in ms, from 1 ms to the longest that a rule may have. */
export function delaySchema(parse: (text: string) => number | null, example: string) {
  return z.string().transform((text, context) => {
    const ms = parse(text);
    if (ms !== null && ms >= 1 && ms <= longestDelayMs) return ms;
    context.addIssue({ code: 'custom', message: `Expected a duration from 1ms to 1h, such as ${example}.` });
    return z.NEVER;
  });
}

/** One of the faults that Envoy's filter draws for, each by itself. */
export interface DrawnFault {
  readonly kind: 'delay' | 'abort' | 'gRPC abort' | 'bandwidth';
  readonly fault: FaultInput;
  /** A field that a call must have to be meant; absent: any call is. */
  readonly header?: string;
  /** Above 0. */
  readonly probability: number;
}

interface RulePart {
  /** What tells the rules of one filter apart. */
  readonly label: string;
  /** As in `DrawnFault`. */
  readonly header?: string;
  readonly trigger: Trigger;
  readonly faults: FaultInput[];
}

/**
 * The delay comes before the abort. Where calls are aborted it holds the answer, which an abort makes without the request
 * being sent; elsewhere it holds the request, as Envoy does.
 */
export function latencyOf(latencyMs: number, beforeAbort: boolean): FaultInput {
  return { type: 'latency', direction: beforeAbort ? 'response' : 'request', latencyMs };
}

/** What all calls meet is one rule; what is drawn for by itself is a rule each, since the draws are independent. */
export function rulePartsOf(drawn: readonly DrawnFault[], maxConcurrent?: number): RulePart[] {
  const limit = maxConcurrent === undefined ? {} : { maxConcurrent };
  if (drawn.length === 0) return [];
  if (drawn.every(({ probability, header }) => probability === 1 && header === undefined)) {
    return [{ label: '', trigger: limit, faults: drawn.map(({ fault }) => fault) }];
  }
  return drawn.map(({ kind, fault, header, probability }) => ({
    label: drawn.length > 1 ? ` ${kind}` : '',
    ...(header !== undefined && { header }),
    trigger: { ...(probability < 1 && { probability }), ...limit },
    faults: [fault],
  }));
}

/** A share of 1 of so many of a hundred, without the tail that binary fractions leave. */
export function shareOf(count: number, of: number): number {
  return Number((count / of).toPrecision(12));
}

/** HTTP filters see no bytes that are not opened: a match that asks nothing of HTTP would take these as well. */
export function aboutHttp(match: Match): Match {
  const asksHttp = match.path ?? match.method ?? match.header ?? match.query;
  return asksHttp === undefined ? { ...match, path: '/*' } : match;
}

/** Names are unique in a workspace. */
export function withUniqueNames(rules: readonly RuleInput[]): RuleInput[] {
  const taken = new Set<string>();
  return rules.map((rule) => {
    const wanted = rule.name.trim().slice(0, 190);
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted} (${n})`;
    taken.add(name);
    return { ...rule, name };
  });
}
