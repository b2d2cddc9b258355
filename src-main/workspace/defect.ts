import { basename } from 'node:path';
import type { WorkspaceStatus } from '#shared/contract/status.ts';

/** Why a workspace file cannot be applied. */
export interface Defect {
  /** From 1; 0 where the file as a whole is meant, such as one that cannot be read. */
  readonly line: number;
  /** From 1, in UTF-16 units; 0 with line 0. */
  readonly column: number;
  /** What is wrong and what was expected, as a sentence; no place in it. */
  readonly sentence: string;
  /** The line and its neighbours; empty with line 0. */
  readonly excerpt: readonly { readonly line: number; readonly text: string }[];
}

const neighbours = 2;
const excerptWidth = 200;

/** A defect at an offset of the text. */
export function defectAt(text: string, offset: number, sentence: string): Defect {
  const lines = text.split(/\r\n|\r|\n/);
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  const line = before.length;
  const column = (before.at(-1) ?? '').length + 1;
  const first = Math.max(0, line - 1 - neighbours);
  const excerpt = lines
    .slice(first, line + neighbours)
    .map((content, index) => ({ line: first + index + 1, text: content.slice(0, excerptWidth) }));
  return { line, column, sentence, excerpt };
}

/** A defect of the file as a whole. */
export function wholeFileDefect(sentence: string): Defect {
  return { line: 0, column: 0, sentence, excerpt: [] };
}

const placeOf = (path: string, { line, column }: Defect): string =>
  line === 0 ? path : `${path}:${line}:${column}`;

/** What the window shows when an edit was refused. */
export function problemOf(path: string, defect: Defect): NonNullable<WorkspaceStatus['problem']> {
  const place = placeOf(basename(path), defect);
  return {
    line: defect.line,
    column: defect.column,
    message: `${place} was not applied. ${defect.sentence} The rules from before stay in force.`,
    excerpt: [...defect.excerpt],
  };
}

/** The workspace file cannot be used, and there is no state before it to fall back on. */
export class WorkspaceFileError extends Error {
  readonly path: string;
  readonly defect: Defect;

  constructor(path: string, defect: Defect) {
    super(`${placeOf(path, defect)}: ${defect.sentence}${drawn(defect)}`);
    this.name = 'WorkspaceFileError';
    this.path = path;
    this.defect = defect;
  }
}

/** The excerpt as text, with a mark under the place. */
function drawn({ excerpt, line, column }: Defect): string {
  if (excerpt.length === 0) return '';
  const width = String(excerpt.at(-1)?.line ?? 0).length;
  const rows = excerpt.flatMap((row) => {
    const shown = `  ${String(row.line).padStart(width)} | ${row.text}`;
    return row.line === line ? [shown, `  ${' '.repeat(width)} | ${markBelow(row.text, column)}`] : [shown];
  });
  return `\n${rows.join('\n')}`;
}

/** Tabs stay tabs, so that the mark stands where a terminal draws the character. */
function markBelow(text: string, column: number): string {
  return `${text.slice(0, column - 1).replaceAll(/[^\t]/g, ' ')}^`;
}
