import type { AnswerDraft } from './held-draft.ts';

export interface AnswerTemplate {
  readonly label: string;
  readonly draft: AnswerDraft;
}

function template(label: string, status: string, body: string, more: readonly [string, string][] = []) {
  const headers: readonly [string, string][] = [['content-type', 'application/json'], ...more];
  return {
    label,
    draft: { status, body, headers: headers.map(([name, value], key) => ({ key, name, value })) },
  };
}

export const answerTemplates: readonly AnswerTemplate[] = [
  template('200, empty object', '200', '{}'),
  template('404, not found', '404', '{ "error": "not found" }'),
  template('429, retry later', '429', '{ "error": "too many requests" }', [['retry-after', '30']]),
  template('500, failed', '500', '{ "error": "internal error" }'),
  template('503, overloaded', '503', '{ "error": "overloaded" }', [['retry-after', '5']]),
];

const first = answerTemplates[0]!.draft;
let last: AnswerDraft | null = null;

/** What an answer begins with: the last one that was given, since who answers by hand answers the like again. */
export function firstAnswer(): AnswerDraft {
  return last ?? first;
}

export function rememberAnswer(draft: AnswerDraft): void {
  last = draft;
}

export function offeredTemplates(): readonly AnswerTemplate[] {
  return last === null
    ? answerTemplates
    : [{ label: `Last answer, ${last.status}`, draft: last }, ...answerTemplates];
}
