import { ChevronDown, ChevronRight, Ellipsis } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { switchRules } from '../../../stores/rules-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { formatCount } from '../../../ui/words.ts';
import type { RuleGroup } from '../rule-groups.ts';
import { toggleGroup } from './list-store.ts';

interface GroupHeadProps {
  group: RuleGroup;
  title: string;
  closed: boolean;
  onExport: (ids: readonly string[]) => void;
}

/** A heading of the list: what the rules have in common, how many of them are on, and what is done to all of them. */
export function GroupHead({ group: { rules }, title, closed, onExport }: GroupHeadProps) {
  const on = rules.filter(({ enabled }) => enabled).length;
  const ids = rules.map(({ id }) => id);
  return (
    <div className="rule-group">
      <button className="row grow group-open" aria-expanded={!closed} onClick={() => toggleGroup(title)}>
        <Icon of={closed ? ChevronRight : ChevronDown} size={12} className="t3" />
        <h2 className="clip" title={title}>
          {title}
        </h2>
      </button>
      <span className={on > 0 ? 'num fault nowrap' : 'num t3 nowrap'}>
        {on > 0 ? `${formatCount(on)} of ${formatCount(rules.length)} on` : formatCount(rules.length)}
      </span>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger className="btn ghost icon sm" aria-label={`All rules of ${title}`}>
          <Icon of={Ellipsis} />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className="pop menu" align="end" sideOffset={2}>
            <SwitchItems ids={ids} on={on} />
            <DropdownMenu.Separator />
            <DropdownMenu.Item onSelect={() => onExport(ids)}>Export these rules…</DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </div>
  );
}

/** Menu items that turn several rules on or off. @param on How many of them are on. */
export function SwitchItems({ ids, on }: { ids: readonly string[]; on: number }) {
  return (
    <>
      <DropdownMenu.Item disabled={on === ids.length} onSelect={() => void switchRules(ids, true)}>
        Turn all {formatCount(ids.length)} on
      </DropdownMenu.Item>
      <DropdownMenu.Item disabled={on === 0} onSelect={() => void switchRules(ids, false)}>
        Turn all {formatCount(ids.length)} off
      </DropdownMenu.Item>
    </>
  );
}
