import { useEffect, useId, useRef, useState } from 'react';
import { Plus, Search } from 'lucide-react';
import { Popover } from 'radix-ui';
import type { FaultType } from '#shared/rules/fault.ts';
import { Icon } from '../../ui/icon.tsx';
import { faultIcon } from './fault-icons.ts';
import { searchFaults } from './fault-groups.ts';
import type { FaultChoice } from './fault-groups.ts';

interface FaultMenuProps {
  open: boolean;
  disabled: boolean;
  onOpen: (open: boolean) => void;
  onAdd: (type: FaultType) => void;
}

/** Every fault there is, in groups. Typing searches, arrows choose, Enter adds. */
export function FaultMenu({ open, disabled, onOpen, onAdd }: FaultMenuProps) {
  const trigger = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (open) trigger.current?.scrollIntoView({ block: 'nearest' }); // the key works from anywhere in the form
  }, [open]);
  return (
    <Popover.Root open={open} onOpenChange={onOpen}>
      <Popover.Trigger ref={trigger} className="btn ghost sm add" disabled={disabled}>
        <Icon of={Plus} />
        Add a fault
        <kbd>F</kbd>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="pop fault-menu"
          align="start"
          sideOffset={4}
          collisionPadding={8}
          aria-label="Faults"
        >
          <FaultList
            onTake={(type) => {
              onAdd(type);
              onOpen(false);
            }}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function FaultList({ onTake }: { onTake: (type: FaultType) => void }) {
  const [search, setSearch] = useState('');
  const [active, setActive] = useState(0);
  const listId = useId();
  const groups = searchFaults(search);
  const choices = groups.flatMap((group) => group.faults);
  const chosen = choices[Math.min(active, choices.length - 1)];
  const step = (by: number) => setActive(Math.min(choices.length - 1, Math.max(0, active + by)));
  const press = (event: React.KeyboardEvent) => {
    if (event.key === 'ArrowDown') step(1);
    else if (event.key === 'ArrowUp') step(-1);
    else if (event.key === 'Enter' && chosen !== undefined) onTake(chosen.type);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="row fault-search">
        <Icon of={Search} className="t3" />
        <input
          role="combobox"
          aria-label="Search faults"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={chosen === undefined ? undefined : `${listId}-${chosen.type}`}
          className="grow"
          placeholder="Search faults"
          autoComplete="off"
          spellCheck={false}
          value={search}
          onKeyDown={press}
          onChange={(event) => {
            setSearch(event.target.value);
            setActive(0);
          }}
        />
      </div>
      <div id={listId} role="listbox" aria-label="Faults" className="fault-list">
        {groups.map((group) => (
          <div key={group.title} role="group" aria-label={group.title}>
            <div className="fault-group" aria-hidden>
              {group.title}
            </div>
            {group.faults.map((fault) => (
              <FaultOption
                key={fault.type}
                id={`${listId}-${fault.type}`}
                fault={fault}
                active={fault === chosen || fault.type === chosen?.type}
                onTake={() => onTake(fault.type)}
              />
            ))}
          </div>
        ))}
        {choices.length === 0 && <p className="sm t3 no-fault">No fault has these words.</p>}
      </div>
    </>
  );
}

interface FaultOptionProps {
  id: string;
  fault: FaultChoice;
  active: boolean;
  onTake: () => void;
}

function FaultOption({ id, fault, active, onTake }: FaultOptionProps) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active) element.current?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div
      ref={element}
      id={id}
      role="option"
      aria-selected={active}
      aria-label={fault.title}
      aria-description={fault.description}
      className="fault-option"
      title={fault.description}
      onClick={onTake}
    >
      <Icon of={faultIcon(fault.icon)} className="fault" />
      <span className="nowrap">{fault.title}</span>
      <span className="xs t3 clip">{fault.description}</span>
    </div>
  );
}
