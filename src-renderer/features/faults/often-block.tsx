import { Check, Plus } from 'lucide-react';
import { Checkbox, DropdownMenu, Slider } from 'radix-ui';
import type { RuleFinding } from '#shared/rules/rule-findings.ts';
import { Icon } from '../../ui/icon.tsx';
import { Segments } from '../../ui/segments.tsx';
import { RemoveButton } from './conditions.tsx';
import { changeDraft } from './draft-store.ts';
import { readNumber } from './fault-fields.ts';
import { TextField } from './field.tsx';
import { FindingLines } from './finding-lines.tsx';
import type { Problems } from './rule-draft.ts';
import { chooseOften, drawsShare, offeredParts } from './trigger-draft.ts';
import type { Often, TriggerDraft, TriggerKey, TriggerPart } from './trigger-draft.ts';

const choices = [
  { value: 'every', label: 'Every call' },
  { value: 'some', label: 'Some' },
  { value: 'first', label: 'First n' },
  { value: 'nth', label: 'Every nth' },
  { value: 'window', label: 'From, to' },
] as const satisfies readonly { value: Often; label: string }[];

/** `word` in the row of what can be added, `title` in the menu and at the part. */
const partTitles: Readonly<Record<TriggerPart, { word: string; title: string }>> = {
  after: { word: 'after', title: 'After the first n' },
  rate: { word: 'quota', title: 'Beyond a quota' },
  maxConcurrent: { word: 'at once', title: 'At most so many at once' },
  schedule: { word: 'schedule', title: 'On a schedule' },
  seed: { word: 'seed', title: 'Seed' },
  some: { word: 'share', title: 'A share of them' },
  first: { word: 'first n', title: 'The first n' },
  nth: { word: 'every nth', title: 'Every nth' },
  window: { word: 'from, to', title: 'From, to' },
};

interface OftenProps {
  trigger: TriggerDraft;
  problems: Problems;
}

/** How many of the matching calls are hit, and when. */
export function OftenBlock({
  trigger,
  problems,
  findings,
}: OftenProps & { findings: readonly RuleFinding[] }) {
  const change = (next: TriggerDraft) => changeDraft({ trigger: next });
  const { often, parts } = trigger;
  return (
    <div className="blk">
      <h3>How often</h3>
      <div className="row often-head">
        <Segments
          label="Trigger"
          value={often}
          options={choices}
          onChange={(next) => change(chooseOften(trigger, next))}
        />
      </div>
      {often !== 'every' && (
        <div className="row often">
          <Part part={often} trigger={trigger} problems={problems} main />
        </div>
      )}
      {parts.map((part) => (
        <div key={part} className="condition" role="group" aria-label={partTitles[part].title}>
          <div className="row often grow">
            <Part part={part} trigger={trigger} problems={problems} main={false} />
          </div>
          <RemoveButton
            what={partTitles[part].title}
            onPress={() =>
              change({
                ...trigger,
                parts: parts.filter((other) => other !== part),
                texts: part === 'seed' ? { ...trigger.texts, seed: '' } : trigger.texts,
              })
            }
          />
        </div>
      ))}
      <FindingLines findings={findings} />
      <div className="row often-foot">
        <TurnOffAfter trigger={trigger} problems={problems} />
        <AddPart trigger={trigger} onAdd={(part) => change({ ...trigger, parts: [...parts, part] })} />
      </div>
    </div>
  );
}

function AddPart({ trigger, onAdd }: { trigger: TriggerDraft; onAdd: (part: TriggerPart) => void }) {
  const offered = offeredParts(trigger);
  if (offered.length === 0) return null;
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="btn ghost sm" aria-label="Add a limit">
        <Icon of={Plus} />
        {capital(
          offered
            .slice(0, 4)
            .map((part) => partTitles[part].word)
            .join(', '),
        )}
        {offered.length > 4 && '…'}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="pop menu" align="start" sideOffset={4}>
          {offered.map((part) => (
            <DropdownMenu.Item key={part} onSelect={() => onAdd(part)}>
              {partTitles[part].title}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

const capital = (text: string): string => (text[0]?.toUpperCase() ?? '') + text.slice(1);

/** The fields of a part of the trigger. */
function Part({ part, trigger, problems, main }: OftenProps & { part: TriggerPart; main: boolean }) {
  const field = (key: TriggerKey, title: string, rest: Partial<FieldRest> = {}) => (
    <TriggerField name={key} title={title} trigger={trigger} problem={problems[key]} {...rest} />
  );
  switch (part) {
    case 'some':
      return (
        <>
          <Share percent={trigger.texts.percent} trigger={trigger} />
          {field('percent', 'Share', { unit: '%' })}
          {drawsShare(trigger) &&
            field('seed', 'Seed', {
              placeholder: 'none',
              hint: 'Makes the draws repeat for the same order of calls.',
            })}
        </>
      );
    case 'first':
      return field('first', 'The first', { number: true, unit: 'calls' });
    case 'nth':
      return field('every', main ? 'Every' : 'Of those, every', { number: true, unit: 'th call' });
    case 'window':
      return (
        <>
          {field('window.from', 'From', { placeholder: 'at once', hint: sinceOn })}
          {field('window.to', 'To', { placeholder: 'for good', hint: sinceOn })}
          <span className="xs t3 beside">after it is turned on</span>
        </>
      );
    case 'after':
      return field('after', 'Spare the first', { number: true, unit: 'calls' });
    case 'rate':
      return (
        <>
          {field('rate', 'Quota', { placeholder: '10/s', hint: '10/s, 100/m or 5000/h.' })}
          <span className="xs t3 beside">pass untouched; calls beyond are hit</span>
        </>
      );
    case 'maxConcurrent':
      return field('maxConcurrent', 'At once', { number: true, unit: 'calls' });
    case 'schedule':
      return (
        <>
          {field('schedule.for', 'On for', { placeholder: '10s' })}
          {field('schedule.every', 'Of every', { placeholder: '60s' })}
        </>
      );
    case 'seed':
      return field('seed', 'Seed', { placeholder: 'none' });
  }
}

const sinceOn = 'Counted from when the rule is turned on: 10s, 5m, 1h30m.';

interface FieldRest {
  number: boolean;
  unit: string;
  placeholder: string;
  hint: string;
}

interface TriggerFieldProps extends Partial<FieldRest> {
  name: TriggerKey;
  title: string;
  trigger: TriggerDraft;
  problem: string | undefined;
}

function TriggerField({ name, title, trigger, problem, number = false, ...rest }: TriggerFieldProps) {
  return (
    <TextField
      title={title}
      mono
      number={number}
      className="short"
      value={trigger.texts[name]}
      problem={problem}
      onChange={(text) => changeDraft({ trigger: { ...trigger, texts: { ...trigger.texts, [name]: text } } })}
      {...rest}
    />
  );
}

function Share({ percent, trigger }: { percent: string; trigger: TriggerDraft }) {
  const value = readNumber(percent) ?? NaN;
  return (
    <Slider.Root
      className="slider"
      min={0}
      max={100}
      step={1}
      value={[Number.isFinite(value) ? Math.min(100, Math.max(0, value)) : 0]}
      onValueChange={([next]) =>
        changeDraft({ trigger: { ...trigger, texts: { ...trigger.texts, percent: String(next) } } })
      }
    >
      <Slider.Track className="slider-track">
        <Slider.Range className="slider-range" />
      </Slider.Track>
      <Slider.Thumb className="slider-thumb" aria-label="Share of the calls, percent" />
    </Slider.Root>
  );
}

/** A rule that is forgotten goes by itself. */
function TurnOffAfter({ trigger, problems }: OftenProps) {
  const { expiring, texts } = trigger;
  const problem = expiring ? problems['expires'] : undefined;
  return (
    <div className="expires">
      <div className="row sm t2">
        <Checkbox.Root
          id="turn-off-after"
          className="cb"
          checked={expiring}
          onCheckedChange={(checked) => changeDraft({ trigger: { ...trigger, expiring: checked === true } })}
        >
          <Checkbox.Indicator>
            <Icon of={Check} size={11} />
          </Checkbox.Indicator>
        </Checkbox.Root>
        <label htmlFor="turn-off-after" className="nowrap">
          Turn off after
        </label>
        <span className="field mono small" data-invalid={problem === undefined ? undefined : true}>
          <input
            aria-label="Time until it turns off"
            aria-invalid={problem !== undefined}
            disabled={!expiring}
            autoComplete="off"
            spellCheck={false}
            value={texts.expires}
            onChange={(event) =>
              changeDraft({ trigger: { ...trigger, texts: { ...texts, expires: event.target.value } } })
            }
          />
        </span>
      </div>
      {problem !== undefined && <p className="problem">{problem}</p>}
    </div>
  );
}
