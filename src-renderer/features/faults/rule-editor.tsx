import { useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { CircleAlert, Copy, Lock, Trash2, Zap } from 'lucide-react';
import { Switch, Tabs } from 'radix-ui';
import type { Origin } from '#shared/routes/route.ts';
import type { FoundRule } from '#shared/rules/rule-findings.ts';
import type { Rule } from '#shared/rules/rule.ts';
import { useRules } from '../../stores/rules-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { useKeys } from '../../ui/keys.ts';
import { Notice } from '../../ui/notice.tsx';
import { counted } from '../../ui/words.ts';
import { changeDraft, saveNewRule, startNewRule, useDraft } from './draft-store.ts';
import type { SaveState } from './draft-store.ts';
import { FaultsBlock } from './faults-block.tsx';
import { FindingLines } from './finding-lines.tsx';
import { MatchBlock } from './match-block.tsx';
import { OftenBlock } from './often-block.tsx';
import { PreviewPane } from './preview-pane.tsx';
import { readDraft } from './rule-draft.ts';
import type { DraftReading, EditedRule, RuleDraft } from './rule-draft.ts';
import { ruleYaml } from './rule-yaml.ts';
import { useFindings } from './use-findings.ts';
import { YamlPane } from './yaml-pane.tsx';

interface RuleEditorProps {
  /** null: a rule that does not exist yet. */
  rule: Rule | null;
  draft: RuleDraft;
  onToggle: (rule: Rule) => void;
  onRemove: (rule: Rule) => void;
  onCancel: () => void;
}

export function RuleEditor(props: RuleEditorProps) {
  const { rule, draft } = props;
  const save = useDraft((store) => store.save);
  const [adding, setAdding] = useState(false);
  const [tab, setTab] = useState('form');
  const reading = readDraft(draft);
  const shown = useLastValid(reading, rule);
  const origin = rule?.origin;
  useKeys({ f: () => setAdding(origin === undefined) });
  const yaml = shown === null ? '' : ruleYaml({ ...shown, enabled: rule?.enabled ?? false });
  const problems = reading.problems ?? {};
  const findings = useOwnFindings(rule, shown);
  const about = (part: string) => findings.filter(({ field }) => field?.split('.')[0] === part);
  return (
    <Tabs.Root className="ed" value={tab} onValueChange={setTab}>
      <EditorHead {...props} save={save} valid={reading.problems === null} />
      <Tabs.List className="tabs narrow-tabs" aria-label="Form or file">
        <Tabs.Trigger value="form">Form</Tabs.Trigger>
        <Tabs.Trigger value="yaml">YAML</Tabs.Trigger>
      </Tabs.List>
      <section className="form" aria-label="Rule editor" data-shown={tab === 'form'}>
        {save.kind === 'refused' && (
          <Notice tone="error" icon={CircleAlert}>
            {save.message} The rule from before stays in force.
          </Notice>
        )}
        {origin !== undefined && (
          <Notice tone="info" icon={Lock}>
            {originWords[origin]}
          </Notice>
        )}
        <fieldset disabled={origin !== undefined}>
          <NameBlock draft={draft} problem={problems['name']}>
            <FindingLines findings={findings.filter(({ field }) => field === null)} />
          </NameBlock>
          <MatchBlock match={draft.match} problems={problems} findings={about('match')} />
          <OftenBlock trigger={draft.trigger} problems={problems} findings={about('trigger')} />
          <FaultsBlock
            faults={draft.faults}
            problems={problems}
            findings={about('faults')}
            adding={adding}
            onAdding={setAdding}
          />
        </fieldset>
      </section>
      <div className="yaml-side" data-shown={tab === 'yaml'}>
        <YamlPane
          yaml={yaml}
          stale={reading.problems !== null}
          isNew={rule === null}
          isForeign={origin !== undefined}
        />
        <PreviewPane rule={shown} />
      </div>
    </Tabs.Root>
  );
}

/** Rules that are not changed here: whoever made them would not know. */
const originWords: Readonly<Record<Origin, string>> = {
  toxiproxy:
    'Made by a client of Toxiproxy’s API, which alone can change it. Here it is turned on and off, and removed.',
  scenario: 'Belongs to a scenario, and is changed there.',
};

/** While the form is invalid, the file shows the rule as it last was. */
function useLastValid(reading: DraftReading, rule: Rule | null): EditedRule | null {
  const [last, setLast] = useState<{ rule: EditedRule; key: string } | null>(null);
  const key = JSON.stringify(reading.rule);
  if (reading.rule !== null && last?.key !== key) setLast({ rule: reading.rule, key });
  return reading.rule ?? last?.rule ?? rule;
}

/** What is odd with the rule as it stands in the form, among those that there are. */
function useOwnFindings(rule: Rule | null, shown: EditedRule | null) {
  const rules = useRules((store) => store.rules) ?? [];
  const id = rule?.id ?? '';
  // A new rule will be on sooner or later: what would then be in its way is said now.
  const edited: FoundRule | null = shown === null ? null : { ...shown, id, enabled: rule?.enabled ?? true };
  const all: FoundRule[] = rules.map((other) => (other.id === id && edited !== null ? edited : other));
  if (rule === null && edited !== null) all.push(edited);
  return useFindings(all).filter(({ ruleId }) => ruleId === id);
}

interface NameBlockProps {
  draft: RuleDraft;
  problem: string | undefined;
  children: ReactNode;
}

function NameBlock({ draft, problem, children }: NameBlockProps) {
  return (
    <div className="blk name-block">
      <label className="f">
        <span>Name</span>
        <span className="field" data-invalid={problem === undefined ? undefined : true}>
          <input
            id="rule-name"
            value={draft.name}
            aria-invalid={problem !== undefined}
            aria-describedby={problem === undefined ? undefined : 'rule-name-problem'}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => changeDraft({ name: event.target.value })}
          />
        </span>
      </label>
      {problem !== undefined && (
        <p id="rule-name-problem" className="problem">
          {problem}
        </p>
      )}
      {children}
    </div>
  );
}

interface EditorHeadProps extends RuleEditorProps {
  save: SaveState;
  valid: boolean;
}

function EditorHead({ rule, draft, save, valid, onToggle, onRemove, onCancel }: EditorHeadProps) {
  const busy = useRef(false);
  const saveNew = async (enabled: boolean) => {
    if (busy.current) return;
    busy.current = true;
    await saveNewRule(enabled);
    busy.current = false;
  };
  if (rule === null) {
    return (
      <div className="toolbar">
        <h1 className="clip grow">{draft.name || 'New rule'}</h1>
        <button className="btn ghost" onClick={onCancel}>
          Cancel
        </button>
        <button
          className="btn"
          disabled={!valid || save.kind === 'saving'}
          onClick={() => void saveNew(false)}
        >
          Save
        </button>
        <button
          className="btn faulty"
          disabled={!valid || save.kind === 'saving'}
          onClick={() => void saveNew(true)}
        >
          Save and turn on
        </button>
      </div>
    );
  }
  return (
    <div className="toolbar">
      <Switch.Root
        className="sw"
        aria-label={`Turn ${rule.name} on`}
        checked={rule.enabled}
        onCheckedChange={() => onToggle(rule)}
      />
      <h1 className="clip">{rule.name}</h1>
      {rule.hits > 0 && (
        <span className="tag fault">
          <Icon of={Zap} />
          {counted(rule.hits, 'hit')}
        </span>
      )}
      <span className="grow" />
      <span className={`sm nowrap ${saveTone(save)}`} role="status">
        {saveWords(save)}
      </span>
      <button
        className="btn ghost icon"
        aria-label="Duplicate rule"
        title="Duplicate (D)"
        onClick={() => startNewRule(rule)}
      >
        <Icon of={Copy} />
      </button>
      <button
        className="btn ghost icon"
        aria-label="Delete rule"
        title="Delete"
        onClick={() => onRemove(rule)}
      >
        <Icon of={Trash2} />
      </button>
    </div>
  );
}

function saveWords(save: SaveState): string {
  switch (save.kind) {
    case 'clean':
      return '';
    case 'invalid':
    case 'refused':
      return 'Not saved';
    case 'waiting':
    case 'saving':
      return 'Saving…';
    case 'saved':
      return 'Saved';
  }
}

function saveTone({ kind }: SaveState): string {
  return kind === 'invalid' || kind === 'refused' ? 'warn' : 't3';
}
