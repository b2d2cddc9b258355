import { useId, useState } from 'react';
import type { ReactNode } from 'react';
import { ChevronDown } from 'lucide-react';
import { Combobox } from '../../ui/combobox.tsx';
import { Icon } from '../../ui/icon.tsx';

interface FieldFrameProps {
  title: string;
  hint?: string | null;
  problem: string | undefined;
  className?: string;
  children: (ids: { describedBy: string | undefined; invalid: boolean }) => ReactNode;
}

/** A field under its title, with what is wrong with it below. */
export function FieldFrame({ title, hint, problem, className = '', children }: FieldFrameProps) {
  const id = useId();
  const describedBy = problem === undefined ? undefined : id;
  return (
    <div className={`f ${className}`} title={hint ?? undefined}>
      <span aria-hidden>{title}</span>
      {children({ describedBy, invalid: problem !== undefined })}
      {problem !== undefined && (
        <p id={id} className="problem">
          {problem}
        </p>
      )}
    </div>
  );
}

interface TextFieldProps {
  title: string;
  value: string;
  problem: string | undefined;
  hint?: string | null;
  unit?: string | null;
  mono?: boolean;
  placeholder?: string;
  className?: string;
  /** Thousands get their commas while nobody types. */
  number?: boolean;
  onChange: (value: string) => void;
}

export function TextField(props: TextFieldProps) {
  // What was typed stays as it was typed until the field is left; focus alone changes nothing under the caret.
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed ?? (props.number ? withCommas(props.value) : props.value);
  return (
    <FieldFrame
      title={props.title}
      hint={props.hint ?? null}
      problem={props.problem}
      className={props.className ?? ''}
    >
      {({ describedBy, invalid }) => (
        <span
          className={props.mono || props.number ? 'field mono' : 'field'}
          data-invalid={invalid || undefined}
        >
          <input
            aria-label={props.title}
            aria-invalid={invalid}
            aria-describedby={describedBy}
            autoComplete="off"
            spellCheck={false}
            inputMode={props.number ? 'numeric' : 'text'}
            placeholder={props.placeholder}
            value={shown}
            onBlur={() => setTyped(null)}
            onChange={(event) => {
              setTyped(event.target.value);
              props.onChange(event.target.value);
            }}
          />
          {props.unit && <span className="t3">{props.unit}</span>}
        </span>
      )}
    </FieldFrame>
  );
}

function withCommas(text: string): string {
  return /^\d{4,15}$/.test(text) ? Number(text).toLocaleString('en-US') : text;
}

interface LinesFieldProps {
  title: string;
  value: string;
  problem: string | undefined;
  hint?: string | null;
  placeholder?: string;
  onChange: (value: string) => void;
}

export function LinesField({ title, value, problem, hint, placeholder, onChange }: LinesFieldProps) {
  return (
    <FieldFrame title={title} hint={hint ?? null} problem={problem} className="wide-field">
      {({ describedBy, invalid }) => (
        <span className="field lines mono" data-invalid={invalid || undefined}>
          <textarea
            aria-label={title}
            aria-invalid={invalid}
            aria-describedby={describedBy}
            spellCheck={false}
            rows={Math.min(8, Math.max(1, value.split('\n').length))}
            placeholder={placeholder}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
        </span>
      )}
    </FieldFrame>
  );
}

interface ChoiceFieldProps {
  title: string;
  value: string;
  choices: readonly string[];
  /** How a choice is called, where its value is not the word. */
  words?: Readonly<Record<string, string>>;
  problem: string | undefined;
  hint?: string | null;
  onChange: (value: string) => void;
}

export function ChoiceField({ title, value, choices, words, problem, hint, onChange }: ChoiceFieldProps) {
  return (
    <FieldFrame title={title} hint={hint ?? null} problem={problem}>
      {({ describedBy, invalid }) => (
        <span className="field" data-invalid={invalid || undefined}>
          <select
            aria-label={title}
            aria-describedby={describedBy}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          >
            {choices.map((choice) => (
              <option key={choice} value={choice}>
                {words?.[choice] ?? choice}
              </option>
            ))}
          </select>
          <Icon of={ChevronDown} className="t3" />
        </span>
      )}
    </FieldFrame>
  );
}

interface KnownFieldProps {
  title: string;
  value: string;
  options: readonly string[];
  placeholder: string;
  problem: string | undefined;
  hint: string;
  onChange: (value: string) => void;
}

/** A text with the known values offered. */
export function KnownField({ title, problem, hint, ...rest }: KnownFieldProps) {
  return (
    <FieldFrame title={title} hint={hint} problem={problem}>
      {({ describedBy, invalid }) => (
        <Combobox label={title} invalid={invalid} describedBy={describedBy} {...rest} />
      )}
    </FieldFrame>
  );
}
