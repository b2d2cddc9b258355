import { useCallback, useEffect, useState } from 'react';
import { Plus, Search, Zap } from 'lucide-react';
import type { Rule } from '#shared/rules/rule.ts';
import { setRuleEnabled, useRules } from '../../stores/rules-store.ts';
import { openView, useView } from '../../stores/view-store.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Icon } from '../../ui/icon.tsx';
import { useKeys } from '../../ui/keys.ts';
import { discardDraft, editRule, newRuleItem, startNewRule, useDraft } from './draft-store.ts';
import './faults.css';
import { PresetsMenu } from './presets-menu.tsx';
import { removeRule } from './remove-rule.ts';
import { RuleEditor } from './rule-editor.tsx';
import { fewRules, groupRules, searchRules } from './rule-groups.ts';
import { RuleList } from './rule-list.tsx';
import { ScenarioStrip } from './scenario/scenario-strip.tsx';
import { useFindings } from './use-findings.ts';

/** The rules, and the one that is edited. Which one is in the address: `#/faults/payments-is-slow`. */
export function FaultsView() {
  const rules = useRules((store) => store.rules);
  const selected = useSelected(rules);
  const draft = useDraft((store) => store.draft);
  const draftOf = useDraft((store) => store.ruleId);
  const isNew = useView((view) => view.item) === newRuleItem && draft !== null && draftOf === null;
  const toggle = useCallback((rule: Rule) => void setRuleEnabled(rule.id, !rule.enabled), []);
  const [search, setSearch] = useState('');
  const groups = groupRules(searchRules(rules ?? [], search));
  const listed = groups.flatMap((group) => group.rules);
  const findings = useFindings(rules ?? []);
  useListKeys(listed, selected, toggle);
  if (rules === null) return null;
  if (rules.length === 0 && !isNew) return <NoRules />;
  const edited = isNew ? null : selected;
  const ready = draft !== null && (isNew || (selected !== null && draftOf === selected.id));
  return (
    <div className="fx">
      <section className="list" aria-label="Rules">
        <div className="toolbar">
          <h1 className="grow">Faults</h1>
          <PresetsMenu />
          <NewRuleButton />
        </div>
        {(rules.length > fewRules || search !== '') && <RuleSearch text={search} onChange={setSearch} />}
        <div className="list-scroll">
          <RuleList groups={groups} findings={findings} selectedId={edited?.id ?? null} onToggle={toggle} />
          {listed.length === 0 && <p className="sm t3 no-rule">No rule has these words.</p>}
          <ListKeys />
        </div>
      </section>
      {ready && (
        <RuleEditor
          rule={edited}
          draft={draft}
          onToggle={toggle}
          onRemove={(rule) => void removeRule(rule)}
          onCancel={() => {
            discardDraft();
            openView('faults', rules[0]?.id ?? null);
          }}
        />
      )}
      <ScenarioStrip />
    </div>
  );
}

function RuleSearch({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  useKeys({ '/': () => document.getElementById('rule-search')?.focus() });
  return (
    <div className="row rule-search">
      <Icon of={Search} className="t3" />
      <input
        id="rule-search"
        type="search"
        aria-label="Search rules"
        placeholder="Search rules; on, off"
        className="grow"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          onChange('');
          event.currentTarget.blur();
        }}
      />
    </div>
  );
}

function NewRuleButton() {
  return (
    <button className="btn primary" title="New rule (N)" onClick={() => startNewRule()}>
      <Icon of={Plus} />
      New rule
    </button>
  );
}

function Begin() {
  return (
    <>
      <PresetsMenu />
      <NewRuleButton />
    </>
  );
}

function NoRules() {
  useKeys({ n: () => startNewRule() });
  return (
    <>
      <div className="toolbar">
        <h1 className="grow">Faults</h1>
      </div>
      <div className="fx-empty">
        <EmptyState icon={Zap} title="No faults yet" actions={<Begin />}>
          A rule says which calls are hit, how often, and what happens to them: they wait, trickle, get a
          status, are reset or hang. Nothing else is touched, and Stop all turns every rule off at once.
        </EmptyState>
      </div>
    </>
  );
}

function ListKeys() {
  return (
    <div className="row xs t3 list-keys">
      <span>
        <kbd>Space</kbd> on or off
      </span>
      <span>
        <kbd>E</kbd> edit
      </span>
      <span>
        <kbd>N</kbd> new
      </span>
      <span>
        <kbd>D</kbd> duplicate
      </span>
    </div>
  );
}

/** The rule in the address, else the first; it is taken into the editor. */
function useSelected(rules: readonly Rule[] | null): Rule | null {
  const item = useView((view) => view.item);
  const selected = rules?.find((rule) => rule.id === item) ?? rules?.[0] ?? null;
  const isNew = item === newRuleItem;
  useEffect(() => {
    if (!isNew && selected !== null) editRule(selected);
  }, [isNew, selected]);
  useEffect(() => {
    // A new rule that was left by Back, or by reloading the page, has nothing to show.
    if (isNew && useDraft.getState().draft === null) openView('faults');
  }, [isNew]);
  return selected;
}

function useListKeys(rules: readonly Rule[], selected: Rule | null, toggle: (rule: Rule) => void): void {
  const step = (by: number) => {
    const at = rules.findIndex((rule) => rule.id === selected?.id);
    const next = rules[at + by];
    if (next) openView('faults', next.id);
  };
  useKeys({
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    n: () => startNewRule(),
    d: () => selected && startNewRule(selected),
    e: () => document.getElementById('rule-name')?.focus(),
    ' ': () => selected && toggle(selected),
  });
}
