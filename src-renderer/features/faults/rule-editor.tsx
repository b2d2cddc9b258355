import { useState } from 'react';
import { CircleAlert, Lock } from 'lucide-react';
import { Tabs } from 'radix-ui';
import type { Origin } from '#shared/routes/route.ts';
import type { FoundRule, RuleFinding } from '#shared/rules/rule-findings.ts';
import type { Rule } from '#shared/rules/rule.ts';
import { useRules } from '../../stores/rules-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { useKeys } from '../../ui/keys.ts';
import { Notice } from '../../ui/notice.tsx';
import { formatCount } from '../../ui/words.ts';
import { useDraft } from './draft-store.ts';
import { EditorHead } from './editor-head.tsx';
import { FaultsBlock } from './faults-block.tsx';
import { FindingLines } from './finding-lines.tsx';
import { HitLog } from './hits/hit-log.tsx';
import { MatchBlock } from './match-block.tsx';
import { OftenBlock } from './often-block.tsx';
import { PreviewPane } from './preview-pane.tsx';
import { readDraft } from './rule-draft.ts';
import type { DraftReading, EditedRule, Problems, RuleDraft } from './rule-draft.ts';
import type { TextProblem } from './rule-text.ts';
import { useSettled } from './use-settled.ts';
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

type Tab = 'form' | 'yaml' | 'hits';
const tabs: readonly Tab[] = ['form', 'yaml', 'hits'];

export function RuleEditor(props: RuleEditorProps) {
  const { rule, draft } = props;
  const save = useDraft((store) => store.save);
  const [adding, setAdding] = useState(false);
  const [chosen, setTab] = useState<Tab>('form');
  // A rule that does not exist yet has hit nothing.
  const tab = rule === null && chosen === 'hits' ? 'form' : chosen;
  const reading = readDraft(draft);
  const shown = useLastValid(reading, rule);
  const origin = rule?.origin;
  const step = (by: -1 | 1) => setTab(tabs[tabs.indexOf(tab) + by] ?? tab);
  useKeys({
    f: () => {
      setTab('form');
      setAdding(origin === undefined);
    },
    '[': () => step(-1),
    ']': () => step(1),
  });
  const problems = reading.problems ?? {};
  const unread = useDraft((store) => store.written?.problem ?? null);
  return (
    <Tabs.Root className="ed" value={tab} onValueChange={(value) => setTab(value as Tab)}>
      <EditorHead
        {...props}
        shown={shown}
        save={save}
        valid={reading.problems === null && unread === null}
        nameProblem={problems['name']}
        onHits={() => setTab('hits')}
      />
      <Tabs.List className="tabs ed-tabs" aria-label="Parts of the rule">
        <Tabs.Trigger value="form">Rule</Tabs.Trigger>
        <Tabs.Trigger value="yaml" className="narrow-only">
          YAML
        </Tabs.Trigger>
        {rule !== null && (
          <Tabs.Trigger value="hits">
            Hits{rule.hits > 0 && <span className="num fault">{formatCount(rule.hits)}</span>}
          </Tabs.Trigger>
        )}
      </Tabs.List>
      <section className="form" aria-label="Rule editor" data-tab={tab} data-shown={tab === 'form'}>
        <EditorNotices save={save} origin={origin} nameProblem={problems['name']} unread={unread} />
        <EditorForm
          {...props}
          shown={shown}
          problems={problems}
          adding={adding}
          onAdding={setAdding}
          locked={origin !== undefined}
        />
      </section>
      {rule !== null && tab === 'hits' && (
        <section className="hit-pane" aria-label="Hits">
          <HitLog key={rule.id} rule={rule} />
        </section>
      )}
      <div className="yaml-side" data-shown={tab === 'yaml'}>
        <YamlPane key={rule?.id ?? ''} rule={rule} shown={shown} stale={reading.problems !== null} />
        <PreviewPane rule={shown} />
      </div>
    </Tabs.Root>
  );
}

interface EditorNoticesProps {
  save: ReturnType<typeof useDraft.getState>['save'];
  origin: Origin | undefined;
  nameProblem: string | undefined;
  unread: TextProblem | null;
}

function EditorNotices({ save, origin, nameProblem, unread }: EditorNoticesProps) {
  const language = useDraft((store) => store.written?.language);
  const settled = useSettled(unread);
  return (
    <>
      {settled !== null && (
        <Notice tone="warn" icon={CircleAlert}>
          The {language === 'json' ? 'JSON' : 'YAML'} is not valid in line {settled.line}. Here is the last
          rule that was.
        </Notice>
      )}
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
      {nameProblem !== undefined && (
        <p id="rule-name-problem" className="problem row name-problem">
          <Icon of={CircleAlert} size={12} />
          {nameProblem}
        </p>
      )}
    </>
  );
}

interface EditorFormProps extends RuleEditorProps {
  shown: EditedRule | null;
  problems: Problems;
  adding: boolean;
  onAdding: (adding: boolean) => void;
  /** Changed elsewhere only. */
  locked: boolean;
}

function EditorForm({ rule, draft, shown, problems, adding, onAdding, locked }: EditorFormProps) {
  const findings = useOwnFindings(rule, shown);
  const about = (part: string) => findings.filter(({ field }) => field?.split('.')[0] === part);
  const ofAll = findings.filter(({ field }) => field === null);
  return (
    <fieldset disabled={locked}>
      {ofAll.length > 0 && (
        <div className="blk about-all">
          <FindingLines findings={ofAll} />
        </div>
      )}
      <MatchBlock match={draft.match} problems={problems} findings={about('match')} />
      <OftenBlock trigger={draft.trigger} problems={problems} findings={about('trigger')} />
      <FaultsBlock
        faults={draft.faults}
        problems={problems}
        findings={about('faults')}
        adding={adding}
        onAdding={onAdding}
      />
    </fieldset>
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
function useOwnFindings(rule: Rule | null, shown: EditedRule | null): RuleFinding[] {
  const rules = useRules((store) => store.rules) ?? [];
  const id = rule?.id ?? '';
  // A new rule will be on sooner or later: what would then be in its way is said now.
  const edited: FoundRule | null = shown === null ? null : { ...shown, id, enabled: rule?.enabled ?? true };
  const all: FoundRule[] = rules.map((other) => (other.id === id && edited !== null ? edited : other));
  if (rule === null && edited !== null) all.push(edited);
  return useFindings(all).filter(({ ruleId }) => ruleId === id);
}
