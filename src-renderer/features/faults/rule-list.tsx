import { memo, useEffect, useRef, useState } from 'react';
import { TriangleAlert } from 'lucide-react';
import { Switch } from 'radix-ui';
import type { RuleFinding } from '#shared/rules/rule-findings.ts';
import type { Rule } from '#shared/rules/rule.ts';
import { ruleSentenceParts } from '#shared/rules/sentence.ts';
import { useRules } from '../../stores/rules-store.ts';
import { openView } from '../../stores/view-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { counted } from '../../ui/words.ts';
import { HitSparkline } from './hit-sparkline.tsx';
import { onForWords, turnsOffWords } from './on-for.ts';
import type { RuleGroup } from './rule-groups.ts';

interface RuleListProps {
  groups: readonly RuleGroup[];
  findings: readonly RuleFinding[];
  selectedId: string | null;
  onToggle: (rule: Rule) => void;
}

/** The rules in the order in which they are tried, by callee where they are many. */
export function RuleList({ groups, findings, selectedId, onToggle }: RuleListProps) {
  return groups.map(({ title, rules }) => (
    <section key={title ?? ''} aria-label={title ?? undefined}>
      {title !== null && (
        <h2 className="rule-group">
          {title}
          <span className="t3">{rules.length}</span>
        </h2>
      )}
      <ul className="rules" aria-label={title === null ? 'Fault rules' : `Fault rules, ${title}`}>
        {rules.map((rule) => (
          <RuleItem
            key={rule.id}
            rule={rule}
            never={
              findings.find(({ ruleId, severity }) => ruleId === rule.id && severity === 'never')?.sentence
            }
            selected={rule.id === selectedId}
            onToggle={onToggle}
          />
        ))}
      </ul>
    </section>
  ));
}

interface RuleItemProps {
  rule: Rule;
  /** Why it can hit nothing. */
  never: string | undefined;
  selected: boolean;
  onToggle: (rule: Rule) => void;
}

const RuleItem = memo(function RuleItem({ rule, never, selected, onToggle }: RuleItemProps) {
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (selected) item.current?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  return (
    <li ref={item} className={selected ? 'rule sel' : 'rule'} aria-current={selected || undefined}>
      <Switch.Root
        className="sw"
        aria-label={rule.name}
        checked={rule.enabled}
        onCheckedChange={() => onToggle(rule)}
      />
      <button className="rule-open" onClick={() => openView('faults', rule.id)}>
        <span className="row">
          <span className={rule.enabled ? 'm clip grow' : 'm t2 clip grow'}>{rule.name}</span>
          {rule.hits > 0 && <span className="xs fault nowrap">{counted(rule.hits, 'hit')}</span>}
        </span>
        <RuleSentence rule={rule} />
        {never !== undefined && (
          <span className="xs warn never">
            <Icon of={TriangleAlert} size={12} /> Hits nothing. {never}
          </span>
        )}
        {rule.enabled && rule.enabledAt !== null && <OnFor rule={rule} since={rule.enabledAt} />}
      </button>
    </li>
  );
});

function RuleSentence({ rule }: { rule: Rule }) {
  const parts = ruleSentenceParts(rule);
  return (
    <span className="sm t2 sentence" title={parts.map(({ text }) => text).join('')}>
      {parts.map((part, index) =>
        part.strong ? <b key={index}>{part.text}</b> : <span key={index}>{part.text}</span>,
      )}
    </span>
  );
}

/** How long it is on, when it turns itself off, and its hits meanwhile. */
function OnFor({ rule, since }: { rule: Rule; since: string }) {
  const history = useRules((store) => store.histories.get(rule.id));
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span className="row on-for">
      <span className="xs t3 grow">
        <span className="block nowrap">{onForWords(now - Date.parse(since))}</span>
        {rule.expiresAt !== null && (
          <span className="block nowrap">{turnsOffWords(Date.parse(rule.expiresAt) - now)}</span>
        )}
      </span>
      <HitSparkline history={history} now={now} />
    </span>
  );
}
