import { memo, useEffect, useState } from 'react';
import { GripVertical, TriangleAlert } from 'lucide-react';
import { Switch } from 'radix-ui';
import type { RuleFinding } from '#shared/rules/rule-findings.ts';
import type { Rule } from '#shared/rules/rule.ts';
import { ruleSentenceParts } from '#shared/rules/sentence.ts';
import { useRules } from '../../../stores/rules-store.ts';
import { openView } from '../../../stores/view-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { counted } from '../../../ui/words.ts';
import { HitSparkline } from '../hit-sparkline.tsx';
import { onForWords, turnsOffWords } from '../on-for.ts';

interface RuleItemProps {
  rule: Rule;
  /** What stands in its way, or in that of others. */
  finding: RuleFinding | undefined;
  selected: boolean;
  onToggle: (rule: Rule) => void;
}

/** A rule in the list: its switch, its sentence, and what it has done since it is on. */
export const RuleItem = memo(function RuleItem({ rule, finding, selected, onToggle }: RuleItemProps) {
  return (
    <>
      {rule.origin === undefined && (
        <span
          className="grip"
          title="Drag, or Alt and an arrow: the order in which rules are tried"
          aria-hidden
        >
          <Icon of={GripVertical} size={12} />
        </span>
      )}
      <Switch.Root
        className="sw"
        aria-label={rule.name}
        checked={rule.enabled}
        onCheckedChange={() => onToggle(rule)}
      />
      <button
        className="rule-open"
        aria-current={selected || undefined}
        onClick={() => openView('faults', rule.id)}
      >
        <span className="row">
          <span className={rule.enabled ? 'm clip grow' : 'm t2 clip grow'} title={rule.name}>
            {rule.name}
          </span>
          {rule.hits > 0 && <span className="xs fault nowrap">{counted(rule.hits, 'hit')}</span>}
        </span>
        <RuleSentence rule={rule} />
        {finding !== undefined && (
          <span className="xs warn never">
            <Icon of={TriangleAlert} size={12} /> {finding.severity === 'never' && 'Hits nothing. '}
            {finding.sentence}
          </span>
        )}
        {rule.enabled && rule.enabledAt !== null && <OnFor rule={rule} since={rule.enabledAt} />}
      </button>
    </>
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
