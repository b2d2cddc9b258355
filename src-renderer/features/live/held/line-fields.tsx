import type { HeldMessage } from '#shared/contract/held.ts';
import { httpStatusNames } from '../../../stores/status-words.ts';
import { Combobox } from '../../../ui/combobox.tsx';
import { changePart } from './desk-store.ts';
import type { HeldDraft, HeldProblems } from './held-draft.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const statuses = [
  '200',
  '201',
  '204',
  '301',
  '400',
  '401',
  '403',
  '404',
  '409',
  '429',
  '500',
  '502',
  '503',
  '504',
];

interface LineFieldsProps {
  id: string;
  message: HeldMessage['message'];
  draft: HeldDraft;
  problems: HeldProblems;
}

/** The first line of the message: method and target, or the status. */
export function LineFields({ id, message, draft, problems }: LineFieldsProps) {
  if (message.kind === 'response') {
    return (
      <div className="line-fields">
        <StatusField
          value={draft.status ?? String(message.status)}
          problem={problems['status']}
          onChange={(status) => changePart(id, 'status', status)}
        />
        {draft.status !== null && <span className="xs fault changed">changed</span>}
      </div>
    );
  }
  const problem = problems['method'] ?? problems['target'];
  return (
    <div className="line-fields">
      <span className="method">
        <Combobox
          label="Method"
          mono
          value={draft.method ?? message.method}
          options={methods}
          invalid={problems['method'] !== undefined}
          onChange={(method) => changePart(id, 'method', method)}
        />
      </span>
      <span className="field mono grow" data-invalid={problems['target'] !== undefined || undefined}>
        <input
          aria-label="Target"
          aria-invalid={problems['target'] !== undefined}
          autoComplete="off"
          spellCheck={false}
          value={draft.target ?? message.target}
          onChange={(event) => changePart(id, 'target', event.target.value)}
        />
        {(draft.method ?? draft.target) !== null && <span className="xs fault changed">changed</span>}
      </span>
      {problem !== undefined && <p className="xs error line-problem">{problem}</p>}
    </div>
  );
}

interface StatusFieldProps {
  value: string;
  problem: string | undefined;
  onChange: (status: string) => void;
}

/** A status with its name. */
export function StatusField({ value, problem, onChange }: StatusFieldProps) {
  return (
    <>
      <span className="method">
        <Combobox
          label="Status"
          mono
          value={value}
          options={statuses}
          invalid={problem !== undefined}
          onChange={onChange}
        />
      </span>
      <span className="sm t2 clip grow">{httpStatusNames[Number(value)] ?? ''}</span>
      {problem !== undefined && <p className="xs error line-problem">{problem}</p>}
    </>
  );
}
