import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RulePreview } from '#shared/contract/rule-preview.ts';
import { previewHead, previewNotes } from '../../../../../src-renderer/features/faults/preview-words.ts';
import type { EditedRule } from '../../../../../src-renderer/features/faults/rule-draft.ts';
import { PreviewAsker, quietMs } from '../../../../../src-renderer/features/faults/use-preview.ts';

const preview: RulePreview = {
  windowMs: 300_000,
  considered: 85_800,
  complete: true,
  matching: 3510,
  hits: 1755,
  share: 1,
  undecided: 0,
  bars: [],
  notes: [],
  flows: [],
};

describe('the words of a preview', () => {
  it('says how many of how many, and what is left alone', () => {
    expect(previewHead(preview)).toBe('Would have hit 1,755 of 85,800 calls in the last 5 minutes');
    expect(previewNotes(preview)).toEqual(['3,510 match; half of them are left alone.']);
    expect(previewNotes({ ...preview, hits: 3509 })).toEqual(['3,510 match; 1 of them is left alone.']);
    expect(previewNotes({ ...preview, hits: 0 })).toEqual(['3,510 match; all of them are left alone.']);
    expect(previewNotes({ ...preview, hits: 3510 })).toEqual([]);
  });

  it('says that a share without a seed is what is to be expected', () => {
    const share = {
      ...preview,
      hits: 3510,
      share: 0.25,
      notes: ['Draws without a seed are not foretold: x.'],
    };
    expect(previewHead(share)).toBe('Would have hit about 878 of 85,800 calls in the last 5 minutes');
    expect(previewNotes(share)).toEqual(['3,510 match; 2,632 of them are left alone.']);
  });

  it('says what is not known', () => {
    const unsure = { ...preview, matching: 0, hits: 0, undecided: 1, complete: false, notes: ['Why.'] };
    expect(previewNotes(unsure)).toEqual([
      'No call matches.',
      '1 call cannot be decided.',
      'Only the newest calls were looked at: there was no time for more.',
      'Why.',
    ]);
    expect(previewNotes({ ...preview, considered: 0, matching: 0 })).toEqual([
      'No call was captured in that time.',
    ]);
  });
});

describe('PreviewAsker', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const ruleOf = (name: string): EditedRule => ({ name, match: {}, trigger: {}, faults: [] });

  it('asks once after the typing, one at a time, and the last of what was typed meanwhile', async () => {
    const asked: string[] = [];
    const answers: ((preview: RulePreview) => void)[] = [];
    const told: unknown[] = [];
    const asker = new PreviewAsker(
      ({ name }) => {
        asked.push(name);
        return new Promise((resolve) => answers.push(resolve));
      },
      (state) => told.push(state),
    );
    for (const name of ['a', 'ab', 'abc']) asker.want(ruleOf(name));
    await vi.advanceTimersByTimeAsync(quietMs - 1);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toEqual(['abc']);
    for (const name of ['abcd', 'abcde']) {
      asker.want(ruleOf(name));
      await vi.advanceTimersByTimeAsync(quietMs);
    }
    expect(asked).toEqual(['abc']);
    answers[0]!(preview);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(['abc', 'abcde']);
    expect(told).toEqual([{ asking: true }, { asking: false, preview, problem: null }, { asking: true }]);
    asker.close();
    answers[1]!(preview);
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toHaveLength(3);
  });

  it('tells why it got no answer, and can be asked again', async () => {
    const told: unknown[] = [];
    const asker = new PreviewAsker(
      () => Promise.reject(new Error('The agent is away.')),
      (state) => told.push(state),
    );
    asker.want(ruleOf('a'));
    await vi.advanceTimersByTimeAsync(quietMs);
    expect(told.at(-1)).toEqual({ asking: false, preview: null, problem: 'The agent is away.' });
    asker.want(ruleOf('b'));
    await vi.advanceTimersByTimeAsync(quietMs);
    expect(told).toHaveLength(4);
    asker.close();
  });
});
