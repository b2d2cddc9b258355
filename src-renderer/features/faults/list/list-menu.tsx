import { Ellipsis } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { Rule } from '#shared/rules/rule.ts';
import { Icon } from '../../../ui/icon.tsx';
import type { Grouping } from '../rule-groups.ts';
import { SwitchItems } from './group-head.tsx';
import { useList } from './list-store.ts';

interface ListMenuProps {
  /** What is listed: the search has left it. */
  rules: readonly Rule[];
  onImport: () => void;
  onExport: (ids: readonly string[]) => void;
}

const groupingLabels: readonly [Grouping, string][] = [
  ['callee', 'By callee'],
  ['scenario', 'By scenario'],
  ['origin', 'By who made them'],
  ['none', 'In the order they are tried'],
];

/** What is done with all the rules that are listed. */
export function ListMenu({ rules, onImport, onExport }: ListMenuProps) {
  const grouping = useList((store) => store.grouping);
  const ids = rules.map(({ id }) => id);
  const on = rules.filter(({ enabled }) => enabled).length;
  const choose = (value: string) => {
    const chosen = groupingLabels.find(([known]) => known === value);
    if (chosen !== undefined) useList.setState({ grouping: chosen[0] });
  };
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="btn ghost icon" aria-label="All rules" title="Import, export, group">
        <Icon of={Ellipsis} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="pop menu" align="end" sideOffset={4}>
          <DropdownMenu.Item onSelect={onImport}>Import rules…</DropdownMenu.Item>
          <DropdownMenu.Item disabled={ids.length === 0} onSelect={() => onExport(ids)}>
            Export rules…
          </DropdownMenu.Item>
          <DropdownMenu.Separator />
          <SwitchItems ids={ids} on={on} />
          <DropdownMenu.Separator />
          <DropdownMenu.RadioGroup value={grouping} onValueChange={choose} aria-label="Group the list">
            {groupingLabels.map(([value, label]) => (
              <DropdownMenu.RadioItem key={value} value={value}>
                {label}
                <DropdownMenu.ItemIndicator>✓</DropdownMenu.ItemIndicator>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
