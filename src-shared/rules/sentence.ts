import { faultEffect } from './fault-effects.ts';
import type { Match, RuleDefinition, Trigger } from './rule.ts';

/** A piece of a sentence; what is `strong` comes from the rule and is set off in the window. */
export interface SentencePart {
  readonly text: string;
  readonly strong: boolean;
}

type Sayable = Pick<RuleDefinition, 'match' | 'trigger' | 'faults'>;

/**
 * What a rule does, in words: how many calls, which, from whom to whom, what happens to them.
 * "Half of the POST /v1/charge/* calls from checkout to payments wait 2 s ± 500 ms."
 */
export function ruleSentence(rule: Sayable): string {
  return ruleSentenceParts(rule)
    .map((part) => part.text)
    .join('');
}

export function ruleSentenceParts(rule: Sayable): SentencePart[] {
  const many = isPlural(rule.trigger);
  const parts = [plain(howMany(rule.trigger)), ...which(rule.match, rule.trigger), ...between(rule.match)];
  const effects = rule.faults.map((fault) => faultEffect(fault, many));
  const list =
    effects.length < 3 ? effects.join(' and ') : `${effects.slice(0, -1).join(', ')} and ${effects.at(-1)}`;
  return [...parts, plain(` ${list}.`)].filter((part) => part.text !== '');
}

function plain(text: string): SentencePart {
  return { text, strong: false };
}

function strong(text: string): SentencePart {
  return { text, strong: true };
}

/** "The first call" is one; every other form speaks of several. */
function isPlural(trigger: Trigger): boolean {
  return trigger.first !== 1;
}

function howMany({ probability, first }: Trigger): string {
  const share = probability === undefined || probability === 1 ? null : shareOf(probability);
  if (first !== undefined) {
    const head = first === 1 ? 'The first' : `The first ${first.toLocaleString('en-US')}`;
    return share === null
      ? `${head} `
      : `${share} the first ${first === 1 ? '' : `${first.toLocaleString('en-US')} `}`;
  }
  return share === null ? 'All ' : `${share} the `;
}

function shareOf(probability: number): string {
  if (probability === 0) return 'None of';
  if (probability === 0.5) return 'Half of';
  const oneIn = 1 / probability;
  if (Number.isInteger(oneIn) && oneIn <= 1000) return `1 in ${oneIn.toLocaleString('en-US')} of`;
  return `${Number((probability * 100).toPrecision(3))} % of`;
}

function which(match: Match, trigger: Trigger): SentencePart[] {
  const what = [match.method, match.path].filter((part) => part !== undefined).join(' ');
  const noun = isPlural(trigger) ? 'calls' : 'call';
  return what === '' ? [plain(noun)] : [strong(what), plain(` ${noun}`)];
}

function between({ caller, callee, host }: Match): SentencePart[] {
  const parts: SentencePart[] = [];
  if (caller !== undefined) parts.push(plain(' from '), strong(caller));
  if (callee !== undefined) parts.push(plain(' to '), strong(callee));
  if (host !== undefined) parts.push(plain(callee === undefined ? ' to ' : ' at '), strong(host));
  return parts;
}
