import { useId, useState } from 'react';
import { ChevronDown } from 'lucide-react';
import { Popover } from 'radix-ui';
import { Icon } from './icon.tsx';
import './combobox.css';

interface ComboboxProps {
  label: string;
  value: string;
  /** What is known; any other text may be typed as well. */
  options: readonly string[];
  placeholder?: string;
  invalid?: boolean;
  describedBy?: string | undefined;
  mono?: boolean;
  onChange: (value: string) => void;
}

/** A text with the known values offered below it. Arrows choose, Enter takes, Esc closes. */
export function Combobox(props: ComboboxProps) {
  const { value, options, onChange } = props;
  const [open, setOpen] = useState(false);
  const [filter, setFilter] = useState('');
  const [active, setActive] = useState(-1);
  const listId = useId();
  const shown = options.filter((option) => option.toLowerCase().includes(filter.toLowerCase()));
  const show = (next: boolean) => {
    setOpen(next);
    setActive(-1);
    setFilter('');
  };
  const take = (option: string) => {
    onChange(option);
    show(false);
  };
  const isOpen = open && shown.length > 0;
  const press = (event: React.KeyboardEvent) => {
    const command = commandOf(event, isOpen, shown[active]);
    if (command === null) return;
    event.preventDefault();
    if (command.kind === 'take') return take(command.option);
    if (command.kind === 'close') {
      event.stopPropagation();
      return show(false);
    }
    setOpen(true);
    setActive((now) => Math.min(shown.length - 1, Math.max(0, now + command.step)));
  };
  return (
    <Popover.Root open={isOpen} onOpenChange={show}>
      <Popover.Anchor asChild>
        <span className={props.mono ? 'field mono' : 'field'} data-invalid={props.invalid || undefined}>
          <input
            role="combobox"
            aria-label={props.label}
            aria-expanded={isOpen}
            aria-controls={listId}
            aria-activedescendant={active >= 0 ? `${listId}-${active}` : undefined}
            aria-autocomplete="list"
            aria-invalid={props.invalid ?? false}
            aria-describedby={props.describedBy}
            className="grow"
            autoComplete="off"
            spellCheck={false}
            value={value}
            placeholder={props.placeholder}
            onChange={(event) => {
              onChange(event.target.value);
              setFilter(event.target.value);
              setActive(-1);
              setOpen(true);
            }}
            onKeyDown={press}
            onBlur={() => show(false)}
          />
          <OpenList label={props.label} onPress={() => show(!open)} />
        </span>
      </Popover.Anchor>
      <Popover.Portal>
        <Popover.Content
          className="pop options"
          align="start"
          sideOffset={4}
          onOpenAutoFocus={(event) => event.preventDefault()}
          onInteractOutside={(event) => event.preventDefault()}
        >
          <Options id={listId} label={props.label} options={shown} active={active} onTake={take} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

type ComboboxCommand = { kind: 'step'; step: 1 | -1 } | { kind: 'take'; option: string } | { kind: 'close' };

/** What a key does; null: it is the text's. */
function commandOf(
  event: React.KeyboardEvent,
  isOpen: boolean,
  active: string | undefined,
): ComboboxCommand | null {
  if (event.key === 'ArrowDown') return { kind: 'step', step: 1 };
  if (event.key === 'ArrowUp') return { kind: 'step', step: -1 };
  if (event.key === 'Enter' && isOpen && active !== undefined) return { kind: 'take', option: active };
  return event.key === 'Escape' && isOpen ? { kind: 'close' } : null;
}

/** The arrow at the end; the input keeps the focus, which it is given if it has not. */
function OpenList({ label, onPress }: { label: string; onPress: () => void }) {
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label={`Known values of ${label}`}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.parentElement?.querySelector('input')?.focus();
        onPress();
      }}
    >
      <Icon of={ChevronDown} className="t3" />
    </button>
  );
}

interface OptionsProps {
  id: string;
  label: string;
  options: readonly string[];
  active: number;
  onTake: (option: string) => void;
}

function Options({ id, label, options, active, onTake }: OptionsProps) {
  return (
    <ul id={id} role="listbox" aria-label={label}>
      {options.map((option, index) => (
        <li
          key={option}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          className="clip"
          onPointerDown={(event) => {
            event.preventDefault(); // a blur would close the list before the choice
            onTake(option);
          }}
        >
          {option}
        </li>
      ))}
    </ul>
  );
}
