import { ChevronDown } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { CodeEditor } from '../../../ui/code-editor.tsx';
import { Icon } from '../../../ui/icon.tsx';
import { offeredTemplates } from './answer-templates.ts';
import { changeAnswer } from './desk-store.ts';
import { HeadersTable } from './headers-table.tsx';
import { contentTypeOf, languageOf } from './held-body.ts';
import type { AnswerDraft, HeldProblems } from './held-draft.ts';
import { StatusField } from './line-fields.tsx';

interface AnswerFormProps {
  id: string;
  answer: AnswerDraft;
  /** What it takes the place of: "Answer instead of payments". */
  title: string;
  problems: HeldProblems;
}

/** An answer that somebody writes instead of the upstream. */
export function AnswerForm({ id, answer, title, problems }: AnswerFormProps) {
  const contentType = contentTypeOf(answer.headers.map(({ name, value }) => [name, value] as const));
  return (
    <section className="answer-form" aria-label="Answer">
      <div className="row answer-head">
        <span className="sm m grow">{title}</span>
        <Templates id={id} />
      </div>
      <div className="line-fields">
        <StatusField
          value={answer.status}
          problem={problems['status']}
          onChange={(status) => changeAnswer(id, { status })}
        />
      </div>
      <HeadersTable
        headers={answer.headers}
        problems={problems}
        onChange={(headers) => changeAnswer(id, { headers })}
      />
      <CodeEditor
        label="Body of the answer"
        text={answer.body}
        language={languageOf(contentType)}
        onChange={(body) => changeAnswer(id, { body })}
      />
      {problems['body'] !== undefined && <p className="xs error body-note">{problems['body']}</p>}
    </section>
  );
}

function Templates({ id }: { id: string }) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="btn sm">
        Template
        <Icon of={ChevronDown} className="t3" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="pop menu" align="end" sideOffset={4}>
          {offeredTemplates().map(({ label, draft }) => (
            <DropdownMenu.Item key={label} onSelect={() => changeAnswer(id, draft)}>
              {label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
