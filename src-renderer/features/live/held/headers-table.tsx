import { useRef } from 'react';
import { Plus, X } from 'lucide-react';
import { Icon } from '../../../ui/icon.tsx';
import type { HeaderDraft, HeldProblems } from './held-draft.ts';

interface HeadersTableProps {
  headers: readonly HeaderDraft[];
  /** Those that follow the message by themselves: shown, not edited. */
  fixed?: readonly (readonly [string, string])[];
  problems: HeldProblems;
  onChange: (headers: readonly HeaderDraft[]) => void;
}

/** Fields to edit, one a row; a name may come more than once. */
export function HeadersTable({ headers, fixed = [], problems, onChange }: HeadersTableProps) {
  const table = useRef<HTMLDivElement>(null);
  const add = () => {
    const key = Math.max(-1, ...headers.map((header) => header.key)) + 1;
    onChange([...headers, { key, name: '', value: '' }]);
    // The row is there after this event.
    requestAnimationFrame(() =>
      table.current?.querySelector<HTMLElement>(`[data-key="${key}"] input`)?.focus(),
    );
  };
  return (
    <div className="headers-table" ref={table}>
      {headers.map((header, index) => (
        <HeaderRow
          key={header.key}
          header={header}
          number={index + 1}
          problems={problems}
          onChange={(changed) =>
            onChange(headers.map((other) => (other.key === changed.key ? changed : other)))
          }
          onRemove={() => onChange(headers.filter((other) => other.key !== header.key))}
        />
      ))}
      {problems['headers'] !== undefined && <p className="xs error">{problems['headers']}</p>}
      <button type="button" className="btn ghost sm" onClick={add}>
        <Icon of={Plus} />
        Add a header
      </button>
      {fixed.length > 0 && <FixedHeaders fixed={fixed} />}
    </div>
  );
}

interface HeaderRowProps {
  header: HeaderDraft;
  number: number;
  problems: HeldProblems;
  onChange: (header: HeaderDraft) => void;
  onRemove: () => void;
}

function HeaderRow({ header, number, problems, onChange, onRemove }: HeaderRowProps) {
  const nameProblem = problems[`headers.${header.key}.name`];
  const valueProblem = problems[`headers.${header.key}.value`];
  const problem = nameProblem ?? valueProblem;
  const problemId = `header-problem-${header.key}`;
  return (
    <div className="header-row" data-key={header.key} role="group" aria-label={`Header ${number}`}>
      <input
        className="mono"
        aria-label={`Name of header ${number}`}
        aria-invalid={nameProblem !== undefined}
        aria-describedby={nameProblem === undefined ? undefined : problemId}
        placeholder="name"
        autoComplete="off"
        spellCheck={false}
        value={header.name}
        onChange={(event) => onChange({ ...header, name: event.target.value })}
      />
      <input
        className="mono"
        aria-label={`Value of header ${number}`}
        aria-invalid={valueProblem !== undefined}
        aria-describedby={valueProblem === undefined ? undefined : problemId}
        placeholder="value"
        autoComplete="off"
        spellCheck={false}
        title={header.value}
        value={header.value}
        onChange={(event) => onChange({ ...header, value: event.target.value })}
      />
      <button
        type="button"
        className="btn ghost sm icon"
        aria-label={`Remove ${header.name === '' ? `header ${number}` : header.name}`}
        title="Remove"
        onClick={onRemove}
      >
        <Icon of={X} size={12} />
      </button>
      {problem !== undefined && (
        <p id={problemId} className="xs error">
          {problem}
        </p>
      )}
    </div>
  );
}

function FixedHeaders({ fixed }: { fixed: readonly (readonly [string, string])[] }) {
  return (
    <>
      <p className="xs t3 fixed-note">These follow the message by themselves:</p>
      {fixed.map(([name, value], index) => (
        <div key={index} className="header-row fixed mono t3">
          <span className="clip">{name}</span>
          <span className="clip" title={value}>
            {value}
          </span>
        </div>
      ))}
    </>
  );
}
