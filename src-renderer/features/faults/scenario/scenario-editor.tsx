import { useMemo, useState } from 'react';
import { CircleAlert, Plus, Trash2 } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { parseDuration, printDuration } from '#shared/rules/duration.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import { timelineOf } from '#shared/scenarios/timeline.ts';
import { errorMessage } from '../../../bridge/error-message.ts';
import { useRules } from '../../../stores/rules-store.ts';
import { removeScenario, saveScenario, useScenarios } from '../../../stores/scenario-store.ts';
import { useStatus } from '../../../stores/status-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { FieldFrame, TextField } from '../field.tsx';
import { movedStep, newStep, readScenarioDraft } from './scenario-draft.ts';
import type { ScenarioDraft, ScenarioProblems, ScenarioReading } from './scenario-draft.ts';
import { ScenarioTimeline } from './scenario-timeline.tsx';
import { StepRow } from './step-row.tsx';

interface ScenarioEditorProps {
  /** The scenario that is changed; null: a new one. */
  scenario: Scenario | null;
  start: ScenarioDraft;
  onSaved: (name: string) => void;
  onClose: () => void;
}

/** The part of the workspace file that a scenario is, as a form; with its timeline as it would be. */
export function ScenarioEditor({ scenario, start, onSaved, onClose }: ScenarioEditorProps) {
  const [draft, setDraft] = useState(start);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const reading = useReading(draft, scenario);
  const file = useStatus((store) => store.status?.workspace.path?.split(/[\\/]/).at(-1));
  const save = async () => {
    if (reading.scenario === null) return;
    setSaving(true);
    try {
      await saveScenario(scenario?.name ?? null, reading.scenario);
      onSaved(reading.scenario.name);
    } catch (error) {
      setRefusal(errorMessage(error));
      setSaving(false);
    }
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="pop dialog interop scn-editor">
          <Dialog.Title>{scenario === null ? 'New scenario' : 'Edit scenario'}</Dialog.Title>
          <Dialog.Description className="t2 sm">
            {file === undefined
              ? 'Kept in memory: there is no workspace file.'
              : `Written into ${file}; its comments stay.`}
          </Dialog.Description>
          <div className="scn-form">
            <ScenarioFields draft={draft} problems={reading.problems} onChange={setDraft} />
          </div>
          {reading.scenario !== null && (
            <ScenarioTimeline timeline={timelineOf(reading.scenario).timeline} nowMs={null} />
          )}
          {refusal !== null && (
            <p className="sm error row" role="alert">
              <Icon of={CircleAlert} />
              {refusal}
            </p>
          )}
          <div className="row actions">
            {scenario !== null && (
              <button
                className="btn ghost"
                onClick={() => {
                  void removeScenario(scenario);
                  onClose();
                }}
              >
                <Icon of={Trash2} />
                Delete
              </button>
            )}
            <span className="grow" />
            <Dialog.Close className="btn">Cancel</Dialog.Close>
            <button
              className="btn primary"
              disabled={saving || reading.scenario === null}
              onClick={() => void save()}
            >
              Save scenario
            </button>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function useReading(draft: ScenarioDraft, scenario: Scenario | null): ScenarioReading {
  const rules = useRules((store) => store.rules);
  const scenarios = useScenarios((store) => store.scenarios);
  return useMemo(
    () =>
      readScenarioDraft(draft, {
        rules: (rules ?? []).filter(({ origin }) => origin === undefined),
        others: (scenarios ?? []).filter(({ name }) => name !== scenario?.name),
      }),
    [draft, rules, scenarios, scenario],
  );
}

interface ScenarioFieldsProps {
  draft: ScenarioDraft;
  problems: ScenarioProblems;
  onChange: (draft: ScenarioDraft) => void;
}

function ScenarioFields({ draft, problems, onChange }: ScenarioFieldsProps) {
  const set = (change: Partial<ScenarioDraft>) => onChange({ ...draft, ...change });
  const { steps } = draft;
  return (
    <>
      <div className="scn-names">
        <TextField
          title="Scenario"
          value={draft.name}
          problem={problems['name']}
          onChange={(name) => set({ name })}
        />
        <TextField
          title="Duration"
          mono
          value={draft.duration}
          placeholder="2m"
          problem={problems['duration']}
          onChange={(duration) => set({ duration })}
        />
      </div>
      <ol className="steps" aria-label="Steps">
        {steps.map((step, index) => (
          <StepRow
            key={step.key}
            step={step}
            number={index + 1}
            isLast={index === steps.length - 1}
            problems={problems}
            onChange={(next) => set({ steps: steps.map((one) => (one.key === step.key ? next : one)) })}
            onMove={(by) => set({ steps: movedStep(steps, step.key, by) })}
            onRemove={() => set({ steps: steps.filter((one) => one.key !== step.key) })}
          />
        ))}
      </ol>
      {problems['steps'] !== undefined && <p className="problem">A scenario needs a step.</p>}
      <button
        className="btn ghost sm add"
        onClick={() => set({ steps: [...steps, newStep({ at: nextTime(draft) })] })}
      >
        <Icon of={Plus} />
        Add a step
      </button>
      <FieldFrame title="Has to hold at the end, one a line" problem={problems['assert']}>
        {({ describedBy, invalid }) => (
          <span className="field lines mono" data-invalid={invalid || undefined}>
            <textarea
              aria-label="Assertions"
              aria-invalid={invalid}
              aria-describedby={describedBy}
              placeholder="checkout.errorRate < 1%"
              spellCheck={false}
              rows={Math.min(5, draft.assert.split('\n').length)}
              value={draft.assert}
              onChange={(event) => set({ assert: event.target.value })}
            />
          </span>
        )}
      </FieldFrame>
    </>
  );
}

/** Ten seconds after the last step. */
function nextTime({ steps }: ScenarioDraft): string {
  const last = steps.at(-1);
  if (last === undefined) return '0s';
  return printDuration((parseDuration(last.at) ?? 0) + (parseDuration(last.for) ?? 10_000));
}
