import type { RulePreview } from '#shared/contract/rule-preview.ts';
import { counted, formatCount } from '../../ui/words.ts';

/** `Would have hit 1,755 of 85,800 calls in the last 5 minutes` */
export function previewHead({ hits, share, considered, windowMs }: RulePreview): string {
  const expected = Math.round(hits * share);
  // A share without a seed is a chance: the number is what is to be expected of it.
  const about = share < 1 && hits > 0 ? 'about ' : '';
  return `Would have hit ${about}${formatCount(expected)} of ${counted(considered, 'call')} in the last ${windowWords(windowMs)}`;
}

function windowWords(ms: number): string {
  return counted(Math.round(ms / 60_000), 'minute');
}

/** `3,510 match; half of them are left alone.`, and what is not known. */
export function previewNotes(preview: RulePreview): string[] {
  const { matching, hits, share, undecided, complete, notes, considered } = preview;
  const lines: string[] = [];
  if (considered === 0) return ['No call was captured in that time.'];
  const spared = matching - Math.round(hits * share);
  if (matching === 0) lines.push('No call matches.');
  else if (spared > 0)
    lines.push(`${formatCount(matching)} match; ${leftAlone(spared, matching)} left alone.`);
  if (undecided > 0) lines.push(`${counted(undecided, 'call')} cannot be decided.`);
  if (!complete) lines.push('Only the newest calls were looked at: there was no time for more.');
  if (matching === 0 && undecided === 0) return lines;
  // That draws are not foretold is said by "about".
  return [...lines, ...notes.filter((note) => !note.startsWith('Draws without a seed'))];
}

function leftAlone(spared: number, matching: number): string {
  if (spared === matching) return 'all of them are';
  if (spared * 2 === matching) return 'half of them are';
  return `${formatCount(spared)} of them ${spared === 1 ? 'is' : 'are'}`;
}
