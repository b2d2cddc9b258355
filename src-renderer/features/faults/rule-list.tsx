import { memo, useEffect, useRef, useState } from 'react';
import { Switch } from 'radix-ui';
import type { Rule } from '#shared/rules/rule.ts';
import { ruleSentenceParts } from '#shared/rules/sentence.ts';
import { openView } from '../../stores/view-store.ts';
import { counted } from '../../ui/words.ts';
import { onForWords } from './on-for.ts';

interface RuleListProps {
  rules: readonly Rule[];
  selectedId: string | null;
  onToggle: (rule: Rule) => void;
}

/** The rules in the order in which they are tried. */
export function RuleList({ rules, selectedId, onToggle }: RuleListProps) {
  return (
    <ul className="rules" aria-label="Fault rules">
      {rules.map((rule) => (
        <RuleItem key={rule.id} rule={rule} selected={rule.id === selectedId} onToggle={onToggle} />
      ))}
    </ul>
  );
}

interface RuleItemProps {
  rule: Rule;
  selected: boolean;
  onToggle: (rule: Rule) => void;
}

const RuleItem = memo(function RuleItem({ rule, selected, onToggle }: RuleItemProps) {
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
        {rule.enabled && rule.enabledAt !== null && <OnFor since={rule.enabledAt} />}
      </button>
    </li>
  );
});

function RuleSentence({ rule }: { rule: Rule }) {
  return (
    <span className="sm t2 sentence">
      {ruleSentenceParts(rule).map((part, index) =>
        part.strong ? <b key={index}>{part.text}</b> : <span key={index}>{part.text}</span>,
      )}
    </span>
  );
}

function OnFor({ since }: { since: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span className="xs t3 on-for">{onForWords(now - Date.parse(since))}</span>;
}
