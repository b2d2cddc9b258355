import { useEffect, useRef } from 'react';
import { CircleAlert, Gauge, Hourglass, Plus, Timer, Unplug, X, Zap } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { Icon } from '../../ui/icon.tsx';
import { changeDraft } from './draft-store.ts';
import { faultForms, faultTypes, readFault } from './fault-fields.ts';
import type { FaultField } from './fault-fields.ts';
import { ChoiceField, LinesField, TextField } from './field.tsx';
import { LatencyPicture } from './latency-picture.tsx';
import { newFaultDraft } from './rule-draft.ts';
import type { FaultDraft, Problems, RuleDraft } from './rule-draft.ts';

/** By the name that a fault's schema gives. */
const icons: Readonly<Record<string, LucideIcon>> = {
  timer: Timer,
  gauge: Gauge,
  'circle-alert': CircleAlert,
  unplug: Unplug,
  hourglass: Hourglass,
};
const mostFaults = 16;

interface FaultsBlockProps {
  draft: RuleDraft;
  problems: Problems;
  adding: boolean;
  onAdding: (adding: boolean) => void;
}

/** What happens to the calls, in this order. */
export function FaultsBlock({ draft, problems, adding, onAdding }: FaultsBlockProps) {
  const trigger = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (adding) trigger.current?.scrollIntoView({ block: 'nearest' }); // the key works from anywhere in the form
  }, [adding]);
  const put = (faults: readonly FaultDraft[]) => changeDraft({ faults });
  return (
    <div className="blk">
      <h3>Do this</h3>
      {draft.faults.map((fault) => (
        <FaultCard
          key={fault.key}
          fault={fault}
          problems={problems}
          onChange={(changed) =>
            put(draft.faults.map((other) => (other.key === changed.key ? changed : other)))
          }
          onRemove={() => put(draft.faults.filter((other) => other.key !== fault.key))}
        />
      ))}
      {problems['faults'] !== undefined && <p className="problem">{problems['faults']}</p>}
      <DropdownMenu.Root open={adding} onOpenChange={onAdding}>
        <DropdownMenu.Trigger
          ref={trigger}
          className="btn ghost sm add"
          disabled={draft.faults.length >= mostFaults}
        >
          <Icon of={Plus} />
          Add a fault
          <kbd>F</kbd>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className="pop menu fault-menu" align="start" sideOffset={4}>
            {faultTypes.map((type) => (
              <DropdownMenu.Item key={type} onSelect={() => put([...draft.faults, newFaultDraft(type)])}>
                <span className="row">
                  <Icon of={icons[faultForms[type].icon] ?? Zap} className="fault" />
                  {faultForms[type].title}
                </span>
              </DropdownMenu.Item>
            ))}
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
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
  return (
    <div className="flt" role="group" aria-label={form.title}>
      <div className="row">
        <Icon of={icons[form.icon] ?? Zap} className="fault" />
        <span className="m">{form.title}</span>
        {fault.fields['direction'] !== undefined && (
          <span className="t3 sm">on the {fault.fields['direction']}</span>
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
      <div className="g3">
        {inFormOrder(form.fields).map((field) => (
          <GeneratedField
            key={field.key}
            field={field}
            value={fault.fields[field.key] ?? ''}
            problem={problems[`faults.${fault.key}.${field.key}`]}
            onChange={(text) => onChange({ ...fault, fields: { ...fault.fields, [field.key]: text } })}
          />
        ))}
      </div>
      {read?.type === 'latency' && <LatencyPicture latencyMs={read.latencyMs} jitterMs={read.jitterMs} />}
    </div>
  );
}

/** Numbers first, choices after them, texts that need the width last. */
function inFormOrder(fields: readonly FaultField[]): readonly FaultField[] {
  const rank = { number: 0, choice: 1, text: 2, lines: 2 } as const;
  return [...fields].sort((a, b) => rank[a.kind] - rank[b.kind]);
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
    case 'lines':
      return <LinesField {...common} placeholder="retry-after: 30" />;
    case 'text':
      return <LinesField {...common} placeholder="none" />;
  }
}
