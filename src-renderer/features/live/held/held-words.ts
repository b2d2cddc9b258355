import type { HeldCall } from '#shared/contract/held.ts';
import { splitUrl } from '#shared/flow/flow-summary.ts';
import type { HeldEnd } from '../../../stores/held-store.ts';
import { formatBytes } from '../../../ui/words.ts';

/** `POST /v1/charge/card`. */
export function heldTitle({ method, url }: HeldCall): string {
  return `${method} ${splitUrl(url).path}`;
}

export function callerOf({ caller }: HeldCall): string {
  return caller ?? 'The caller';
}

/** `checkout → payments · request · 286 B`. */
export function heldFacts(call: HeldCall): string {
  const what = call.at === 'request' ? 'request' : `response ${call.status ?? ''}`.trim();
  return `${call.caller ?? 'unknown'} → ${call.callee ?? 'unknown'} · ${what}${call.sizeBytes === 0 ? '' : ` · ${formatBytes(call.sizeBytes)}`}`;
}

/** The accessible name of a row. */
export function heldName(call: HeldCall): string {
  const what = call.at === 'request' ? 'request' : `response ${call.status ?? ''}`.trim();
  return `${heldTitle(call)}, ${call.caller ?? 'unknown'} to ${call.callee ?? 'unknown'}, ${what}`;
}

/** What waits for whom, and what happens by itself. */
export function waitingWords(call: HeldCall): string {
  const waits =
    call.at === 'request'
      ? `${callerOf(call)} waits, ${call.callee ?? 'the upstream'} has not heard of it.`
      : `${callerOf(call)} waits for this answer of ${call.callee ?? 'the upstream'}.`;
  return `${waits} ${call.onTimeout === 'release' ? 'Released as it came' : 'Dropped'} at 0:00.`;
}

/** Above an answer that is written here. */
export function answerTitle({ at, callee }: HeldCall): string {
  const who = callee ?? 'the upstream';
  return at === 'request' ? `Answer instead of ${who}` : `Replace the answer of ${who}`;
}

/** How much time is left: `0:24`, `12:05`, `1:00:00`; a second that has begun counts. */
export function formatLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (part: number) => String(part).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** For the place of the time that is left. */
export const endWord: Readonly<Record<HeldEnd, string>> = {
  released: 'released',
  edited: 'released',
  answered: 'answered',
  dropped: 'dropped',
  'timed-out': 'timed out',
  'rule-off': 'let go',
  'caller-gone': 'hung up',
  'broken-off': 'broken off',
  passed: 'passed',
  unknown: 'not known',
};

/** What became of a call while somebody looked at it. */
export function endSentence(call: HeldCall, end: HeldEnd, isEdited: boolean): string {
  const lost = isEdited && end !== 'unknown' ? ' What you wrote was not sent.' : '';
  return whatHappened(call, end) + lost;
}

function whatHappened(call: HeldCall, end: HeldEnd): string {
  switch (end) {
    case 'released':
      return 'It was released as it came.';
    case 'edited':
      return 'It was edited and released elsewhere.';
    case 'answered':
      return 'It was answered elsewhere.';
    case 'dropped':
      return `It was dropped elsewhere: ${callerOf(call)} was cut off.`;
    case 'timed-out':
      return call.onTimeout === 'release'
        ? 'The time was up: it went on as it came.'
        : `The time was up: it was dropped, and ${callerOf(call)} was cut off.`;
    case 'rule-off':
      return `“${call.ruleName}” was turned off or changed: it went on as it came.`;
    case 'caller-gone':
      return goneWords(call);
    case 'broken-off':
      return 'The call ended otherwise: the upstream failed, another rule cut it, or its worker was lost.';
    case 'passed':
      return 'It went on as it came: its body turned out to be more than may be held in all.';
    case 'unknown':
      return 'It is no longer held. What became of it is not known here, since the agent was out of reach.';
  }
}

/** That the caller has hung up. */
export function goneWords(call: HeldCall): string {
  return call.at === 'request'
    ? `${callerOf(call)} hung up before anybody decided. Nothing was sent to ${call.callee ?? 'the upstream'}.`
    : `${callerOf(call)} hung up before anybody decided. The answer reaches nobody.`;
}
