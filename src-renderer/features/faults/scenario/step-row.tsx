import { ArrowDown, ArrowUp, X } from 'lucide-react';
import { useRules } from '../../../stores/rules-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { TextField } from '../field.tsx';
import type { ScenarioProblems, StepDraft } from './scenario-draft.ts';

interface StepRowProps {
  step: StepDraft;
  /** From 1. */
  number: number;
  isLast: boolean;
  problems: ScenarioProblems;
  onChange: (step: StepDraft) => void;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}

/** A moment of a scenario: when, for how long, and what is turned on and off. */
export function StepRow({ step, number, isLast, problems, onChange, onMove, onRemove }: StepRowProps) {
  const problem = (field: string) => problems[`steps.${step.key}.${field}`];
  const set = (field: 'at' | 'for' | 'name') => (text: string) => onChange({ ...step, [field]: text });
  const whole = problem('step');
  return (
    <li className="step" aria-label={`Step ${number}`}>
      <div className="step-times">
        <TextField
          title="At"
          mono
          value={step.at}
          placeholder="0s"
          problem={problem('at')}
          onChange={set('at')}
        />
        <TextField
          title="For"
          mono
          value={step.for}
          placeholder="on"
          hint="How long what it turns on stays on. Empty: until another step, or the end."
          problem={problem('for')}
          onChange={set('for')}
        />
        <TextField
          title="Name of the phase"
          value={step.name}
          placeholder="by what is on"
          problem={problem('name')}
          onChange={set('name')}
        />
        <StepTools number={number} isLast={isLast} onMove={onMove} onRemove={onRemove} />
      </div>
      <RuleChoice
        title="Turns on"
        ids={step.enable}
        other={step.disable}
        problem={problem('enable')}
        onChange={(enable) => onChange({ ...step, enable })}
      />
      <RuleChoice
        title="Turns off"
        ids={step.disable}
        other={step.enable}
        problem={problem('disable')}
        onChange={(disable) => onChange({ ...step, disable })}
      />
      {step.rule !== undefined && (
        <div className="row step-rules">
          <span className="xs t3 step-label">Brings along</span>
          <span
            className="tag fault"
            title="A rule that exists only while the scenario runs. It is changed in the file."
          >
            {step.rule.name}
            <button
              aria-label={`Leave out ${step.rule.name}`}
              onClick={() => onChange({ ...step, rule: undefined })}
            >
              <Icon of={X} size={12} />
            </button>
          </span>
        </div>
      )}
      {whole !== undefined && <p className="problem">{whole}</p>}
    </li>
  );
}

type StepToolsProps = Pick<StepRowProps, 'number' | 'isLast' | 'onMove' | 'onRemove'>;

function StepTools({ number, isLast, onMove, onRemove }: StepToolsProps) {
  return (
    <span className="row step-tools">
      <button
        className="btn ghost icon sm"
        aria-label={`Move step ${number} up`}
        disabled={number === 1}
        onClick={() => onMove(-1)}
      >
        <Icon of={ArrowUp} />
      </button>
      <button
        className="btn ghost icon sm"
        aria-label={`Move step ${number} down`}
        disabled={isLast}
        onClick={() => onMove(1)}
      >
        <Icon of={ArrowDown} />
      </button>
      <button className="btn ghost icon sm" aria-label={`Remove step ${number}`} onClick={onRemove}>
        <Icon of={X} />
      </button>
    </span>
  );
}

interface RuleChoiceProps {
  title: string;
  ids: readonly string[];
  /** Those of the opposite: a rule is not turned on and off at once. */
  other: readonly string[];
  problem: string | undefined;
  onChange: (ids: readonly string[]) => void;
}

/** Rules of the workspace, as tags, and a menu with the others. */
function RuleChoice({ title, ids, other, problem, onChange }: RuleChoiceProps) {
  const rules = useRules((store) => store.rules) ?? [];
  const nameOf = (id: string) => rules.find((rule) => rule.id === id)?.name ?? id;
  const offered = rules.filter(
    ({ id, origin }) => origin === undefined && !ids.includes(id) && !other.includes(id),
  );
  return (
    <>
      <div className="row step-rules">
        <span className="xs t3 step-label">{title}</span>
        {ids.map((id) => (
          <span key={id} className="tag">
            <span className="clip">{nameOf(id)}</span>
            <button
              aria-label={`Remove ${nameOf(id)} from ${title.toLowerCase()}`}
              onClick={() => onChange(ids.filter((known) => known !== id))}
            >
              <Icon of={X} size={12} />
            </button>
          </span>
        ))}
        {offered.length > 0 && (
          <select
            className="step-add xs"
            aria-label={title}
            value=""
            onChange={(event) => onChange([...ids, event.target.value])}
          >
            <option value="">add a rule…</option>
            {offered.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </div>
      {problem !== undefined && <p className="problem">{problem}</p>}
    </>
  );
}
