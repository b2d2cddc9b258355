import { faultEffect } from './fault-effects.ts';
import { calledWords, conditionWords, plain, strong } from './match-words.ts';
import type { SentencePart } from './match-words.ts';
import type { RuleDefinition } from './rule.ts';
import { boundWords, howMany, quotaWords } from './trigger-words.ts';
import type { HowMany } from './trigger-words.ts';

export type { SentencePart };

type Sayable = Pick<RuleDefinition, 'match' | 'trigger' | 'faults'>;

/**
 * What a rule does, in words: how many calls, whose, which, to whom, what happens to them, when.
 * "Half of checkout's POST /v1/charge/* calls to payments wait 2 s ± 500 ms."
 */
export function ruleSentence(rule: Sayable): string {
  return ruleSentenceParts(rule)
    .map((part) => part.text)
    .join('');
}

export function ruleSentenceParts({ match, trigger, faults }: Sayable): SentencePart[] {
  const count = howMany(trigger);
  const effects = faults.map((fault) => faultEffect(fault, count.many));
  const list =
    effects.length < 3 ? effects.join(' and ') : `${effects.slice(0, -1).join(', ')} and ${effects.at(-1)}`;
  const parts = [
    ...subject(count, match),
    ...conditionWords(match, count.many),
    plain(quotaWords(trigger)),
    plain(` ${list}${boundWords(trigger)}.`),
  ];
  return parts.filter((part) => part.text !== '');
}

/** "Half of checkout's calls", "The first 3 calls", "All calls". */
function subject({ text, many, direct }: HowMany, match: Sayable['match']): SentencePart[] {
  const { caller } = match;
  const isDirect = direct && caller === undefined;
  // "every 5th of the calls", but "every 5th call".
  const called = calledWords(match, isDirect ? many : true);
  const owner = caller === undefined ? [plain('the ')] : [strong(caller), plain("'s ")];
  const head = text ?? 'All';
  return isDirect ? [plain(`${head} `), ...called] : [plain(`${head} of `), ...owner, ...called];
}
