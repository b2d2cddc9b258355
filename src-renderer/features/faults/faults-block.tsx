import { ChevronDown, X } from 'lucide-react';
import type { RuleFinding } from '#shared/rules/rule-findings.ts';
import { Icon } from '../../ui/icon.tsx';
import { changeDraft } from './draft-store.ts';
import { faultForms, readFault } from './fault-fields.ts';
import type { FaultField, FieldKind } from './fault-fields.ts';
import { faultIcon } from './fault-icons.ts';
import { FaultMenu } from './fault-menu.tsx';
import { ChoiceField, LinesField, TextField } from './field.tsx';
import { FindingLines } from './finding-lines.tsx';
import { LatencyPicture } from './latency-picture.tsx';
import { newFaultDraft } from './rule-draft.ts';
import type { FaultDraft, Problems } from './rule-draft.ts';

const mostFaults = 16;

interface FaultsBlockProps {
  faults: readonly FaultDraft[];
  problems: Problems;
  findings: readonly RuleFinding[];
  adding: boolean;
  onAdding: (adding: boolean) => void;
}

/** What happens to the calls, in this order. */
export function FaultsBlock({ faults, problems, findings, adding, onAdding }: FaultsBlockProps) {
  const put = (next: readonly FaultDraft[]) => changeDraft({ faults: next });
  return (
    <div className="blk">
      <h3>Do this</h3>
      {faults.map((fault) => (
        <FaultCard
          key={fault.key}
          fault={fault}
          problems={problems}
          onChange={(changed) => put(faults.map((other) => (other.key === changed.key ? changed : other)))}
          onRemove={() => put(faults.filter((other) => other.key !== fault.key))}
        />
      ))}
      {problems['faults'] !== undefined && <p className="problem">{problems['faults']}</p>}
      <FindingLines findings={findings} />
      <FaultMenu
        open={adding}
        disabled={faults.length >= mostFaults}
        onOpen={onAdding}
        onAdd={(type) => put([...faults, newFaultDraft(type)])}
      />
    </div>
  );
}

interface FaultCardProps {
  fault: FaultDraft;
  problems: Problems;
  onChange: (fault: FaultDraft) => void;
  onRemove: () => void;
}

function FaultCard({ fault, problems, onChange, onRemove }: FaultCardProps) {
  const form = faultForms[fault.type];
  const read = readFault(fault.type, fault.fields).fault;
  const direction = form.fields.find((field) => field.key === 'direction' && field.kind === 'choice');
  const fields = form.fields.filter((field) => field !== direction && isInUse(field, fault));
  return (
    <div className="flt" role="group" aria-label={form.title}>
      <div className="row">
        <Icon of={faultIcon(form.icon)} className="fault" />
        <span className="m">{form.title}</span>
        {direction !== undefined && (
          <DirectionSelect
            field={direction}
            value={fault.fields['direction'] ?? ''}
            onChange={(text) => onChange({ ...fault, fields: { ...fault.fields, direction: text } })}
          />
        )}
        <span className="grow" />
        <button
          className="btn ghost sm icon"
          aria-label={`Remove ${form.title}`}
          title="Remove"
          onClick={onRemove}
        >
          <Icon of={X} />
        </button>
      </div>
      {form.description !== null && <p className="xs t3 fault-words">{form.description}</p>}
      <div className="g3">
        {inFormOrder(fields).map((field) => (
          <GeneratedField
            key={field.key}
            field={field}
            value={fault.fields[field.key] ?? ''}
            problem={problems[`faults.${fault.key}.${field.key}`]}
            onChange={(text) => onChange({ ...fault, fields: { ...fault.fields, [field.key]: text } })}
          />
        ))}
      </div>
      {read?.type === 'latency' && <LatencyPicture fault={read} />}
    </div>
  );
}

interface DirectionSelectProps {
  field: FaultField;
  value: string;
  onChange: (text: string) => void;
}

/** Which bytes are touched is the first thing that one asks: it stands beside the name. */
function DirectionSelect({ field, value, onChange }: DirectionSelectProps) {
  return (
    <span className="row direction t3 sm" title={field.description ?? undefined}>
      <select aria-label={field.title} value={value} onChange={(event) => onChange(event.target.value)}>
        {field.choices.map((choice) => (
          <option key={choice} value={choice}>
            on the {choice}
          </option>
        ))}
      </select>
      <Icon of={ChevronDown} size={12} />
    </span>
  );
}

/** Percentiles are drawn from only where that is chosen; what is given shows in any case. */
function isInUse(field: FaultField, { type, fields }: FaultDraft): boolean {
  if (type !== 'latency' || field.key !== 'percentiles') return true;
  return fields['distribution'] === 'percentiles' || fields['percentiles'] !== '';
}

const formRank: Readonly<Record<FieldKind, number>> = {
  number: 0,
  switch: 1,
  choice: 1,
  text: 2,
  numbers: 3,
  record: 3,
  list: 3,
  multiline: 4,
  json: 4,
};

/** Numbers first, choices after them, texts that need the width last. */
function inFormOrder(fields: readonly FaultField[]): readonly FaultField[] {
  return [...fields].sort((a, b) => formRank[a.kind] - formRank[b.kind]);
}

interface GeneratedFieldProps {
  field: FaultField;
  value: string;
  problem: string | undefined;
  onChange: (text: string) => void;
}

function GeneratedField({ field, value, problem, onChange }: GeneratedFieldProps) {
  const common = { title: field.title, value, problem, hint: field.description, onChange };
  switch (field.kind) {
    case 'number':
      return <TextField {...common} number unit={field.unit} />;
    case 'choice':
      return <ChoiceField {...common} choices={field.choices} />;
    case 'switch':
      return <ChoiceField {...common} choices={['true', 'false']} words={{ true: 'yes', false: 'no' }} />;
    case 'text':
      return <TextField {...common} mono unit={field.unit} className="wide-field" />;
    case 'record':
      return <LinesField {...common} placeholder="retry-after: 30" />;
    case 'numbers':
      return <LinesField {...common} placeholder={'p50: 120\np99: 900'} />;
    case 'list':
      return <LinesField {...common} placeholder="one a line" />;
    case 'multiline':
    case 'json':
      return <LinesField {...common} placeholder="none" />;
  }
}
