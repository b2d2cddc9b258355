import { Slider } from 'radix-ui';
import { Segments } from '../../ui/segments.tsx';
import { changeDraft } from './draft-store.ts';
import { readNumber } from './fault-fields.ts';
import { TextField } from './field.tsx';
import type { Often, Problems, RuleDraft } from './rule-draft.ts';

const choices = [
  { value: 'every', label: 'Every call' },
  { value: 'some', label: 'Some' },
  { value: 'first', label: 'First n' },
] as const satisfies readonly { value: Often; label: string }[];

/** How many of the matching calls are hit. */
export function OftenBlock({ draft, problems }: { draft: RuleDraft; problems: Problems }) {
  const choose = (often: Often) => {
    // "First n" alone means all of those; a share that was set for "Some" is offered again there.
    const percent = often === 'first' ? '100' : draft.percent === '100' ? '50' : draft.percent;
    changeDraft({ often, percent });
  };
  return (
    <div className="blk">
      <h3>How often</h3>
      <Segments label="Trigger" value={draft.often} options={choices} onChange={choose} />
      {draft.often !== 'every' && (
        <div className="row often">
          {draft.often === 'first' && (
            <TextField
              title="The first"
              number
              className="short"
              unit="calls"
              value={draft.first}
              problem={problems['first']}
              onChange={(first) => changeDraft({ first })}
            />
          )}
          {draft.often === 'some' && <Share percent={draft.percent} />}
          <TextField
            title={draft.often === 'first' ? 'Of those' : 'Share'}
            mono
            className="short"
            unit="%"
            value={draft.percent}
            problem={problems['percent']}
            onChange={(percent) => changeDraft({ percent })}
          />
          <TextField
            title="Seed"
            mono
            className="short"
            value={draft.seed}
            placeholder="none"
            hint="Makes the draws repeat for the same order of calls."
            problem={problems['seed']}
            onChange={(seed) => changeDraft({ seed })}
          />
        </div>
      )}
    </div>
  );
}

function Share({ percent }: { percent: string }) {
  const value = readNumber(percent) ?? NaN;
  return (
    <Slider.Root
      className="slider"
      min={0}
      max={100}
      step={1}
      value={[Number.isFinite(value) ? Math.min(100, Math.max(0, value)) : 0]}
      onValueChange={([next]) => changeDraft({ percent: String(next) })}
    >
      <Slider.Track className="slider-track">
        <Slider.Range className="slider-range" />
      </Slider.Track>
      <Slider.Thumb className="slider-thumb" aria-label="Share of the calls, percent" />
    </Slider.Root>
  );
}
