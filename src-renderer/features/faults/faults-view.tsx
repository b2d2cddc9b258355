import { useCallback, useEffect, useMemo, useState } from 'react';
import { FileInput, Plus, Search, Zap } from 'lucide-react';
import type { Rule } from '#shared/rules/rule.ts';
import { setRuleEnabled, useRules } from '../../stores/rules-store.ts';
import { useScenarios } from '../../stores/scenario-store.ts';
import { openView, useView } from '../../stores/view-store.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Icon } from '../../ui/icon.tsx';
import { useKeys } from '../../ui/keys.ts';
import { discardDraft, editRule, newRuleItem, startNewRule, useDraft } from './draft-store.ts';
import './faults.css';
import { ExportDialog } from './interop/export-dialog.tsx';
import { ImportDialog } from './interop/import-dialog.tsx';
import { ListFoot } from './list/list-foot.tsx';
import { ListMenu } from './list/list-menu.tsx';
import { useList } from './list/list-store.ts';
import { RuleList } from './list/rule-list.tsx';
import { useListKeys } from './list/use-list-keys.ts';
import { PresetsMenu } from './presets-menu.tsx';
import { removeRule } from './remove-rule.ts';
import { RuleEditor } from './rule-editor.tsx';
import { fewRules, groupRules, searchRules } from './rule-groups.ts';
import { ScenarioStrip } from './scenario/scenario-strip.tsx';
import { useFindings } from './use-findings.ts';

type OpenDialog = { readonly kind: 'import' } | { readonly kind: 'export'; readonly ids: readonly string[] };

/** The rules, and the one that is edited. Which one is in the address: `#/faults/payments-is-slow`. */
export function FaultsView() {
  const rules = useRules((store) => store.rules);
  const draft = useDraft((store) => store.draft);
  const draftOf = useDraft((store) => store.ruleId);
  const isNew = useView((view) => view.item) === newRuleItem && draft !== null && draftOf === null;
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const { groups, listed } = useListed(rules ?? []);
  const findings = useFindings(rules ?? []);
  const selected = useSelected(rules, listed);
  const toggle = useCallback((rule: Rule) => void setRuleEnabled(rule.id, !rule.enabled), []);
  const said = useListKeys(groups, isNew ? null : selected, toggle);
  const exportRules = useCallback((ids: readonly string[]) => setDialog({ kind: 'export', ids }), []);
  if (rules === null) return <Loading />;
  const edited = isNew ? null : selected;
  const ready = draft !== null && (isNew || (selected !== null && draftOf === selected.id));
  const importRules = () => setDialog({ kind: 'import' });
  const isEmpty = rules.length === 0 && !isNew;
  return (
    <div className="fx" data-empty={isEmpty || undefined}>
      {isEmpty ? (
        <NoRules onImport={importRules} />
      ) : (
        <section className="list" aria-label="Rules">
          <div className="toolbar">
            <h1 className="grow">Faults</h1>
            <ListMenu rules={listed} onImport={importRules} onExport={exportRules} />
            <PresetsMenu />
            <NewRuleButton />
          </div>
          <RuleSearch count={rules.length} />
          <RuleList
            groups={groups}
            findings={findings}
            selectedId={edited?.id ?? null}
            onToggle={toggle}
            onExport={exportRules}
          >
            {listed.length === 0 && rules.length > 0 && (
              <p className="sm t3 no-rule">No rule has these words.</p>
            )}
            <ListFoot />
          </RuleList>
          <p className="sr-only" role="status">
            {said}
          </p>
        </section>
      )}
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
      {dialog?.kind === 'import' && <ImportDialog onClose={() => setDialog(null)} />}
      {dialog?.kind === 'export' && <ExportDialog ids={dialog.ids} onClose={() => setDialog(null)} />}
    </div>
  );
}

/** The list as it is searched and grouped. */
function useListed(rules: readonly Rule[]) {
  const search = useList((store) => store.search);
  const grouping = useList((store) => store.grouping);
  const scenarios = useScenarios((store) => store.scenarios);
  return useMemo(() => {
    const found = searchRules(rules, search);
    const groups = groupRules(found, grouping, scenarios ?? []);
    return { groups, listed: groups.flatMap((group) => group.rules) };
  }, [rules, search, grouping, scenarios]);
}

function RuleSearch({ count }: { count: number }) {
  const search = useList((store) => store.search);
  const change = (text: string) => useList.setState({ search: text });
  useKeys({ '/': () => document.getElementById('rule-search')?.focus() });
  if (count <= fewRules && search === '') return null;
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
        value={search}
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          change('');
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

function NoRules({ onImport }: { onImport: () => void }) {
  return (
    <section className="fx-none" aria-label="Rules">
      <div className="toolbar">
        <h1 className="grow">Faults</h1>
      </div>
      <div className="fx-empty">
        <EmptyState
          icon={Zap}
          title="No faults yet"
          actions={
            <>
              <PresetsMenu />
              <NewRuleButton />
              <button className="btn" onClick={onImport}>
                <Icon of={FileInput} />
                Import rules…
              </button>
            </>
          }
        >
          A rule says which calls are hit, how often, and what happens to them: they wait, trickle, get a
          status, are reset or hang. Nothing else is touched, and Stop all turns every rule off at once.
        </EmptyState>
      </div>
    </section>
  );
}

/** Until the agent has said which rules there are: a moment, or for as long as it cannot be reached. */
function Loading() {
  return (
    <section className="fx-none" aria-label="Rules" aria-busy>
      <div className="toolbar">
        <h1 className="grow">Faults</h1>
      </div>
      <p className="sm t3 no-rule">Asking the agent for its rules…</p>
    </section>
  );
}

/** The rule in the address, else the first that is listed; it is taken into the editor. */
function useSelected(rules: readonly Rule[] | null, listed: readonly Rule[]): Rule | null {
  const item = useView((view) => view.item);
  const selected = rules?.find((rule) => rule.id === item) ?? listed[0] ?? rules?.[0] ?? null;
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
