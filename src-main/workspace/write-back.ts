import { isDeepStrictEqual } from 'node:util';
import { sameDefinitions } from './definition-changes.ts';
import { editedByDocument } from './document-edit.ts';
import { editsFor } from './edits.ts';
import type { Edit } from './edits.ts';
import type { Environment } from './environment.ts';
import { parseWorkspace } from './parse-workspace.ts';
import type { Definitions, ParsedWorkspace } from './parse-workspace.ts';
import { spliced } from './text-splice.ts';

/**
 * The file's text with its definitions changed to `target`, everything else left as it was. The result is read again before
 * it is given out; null when no way of writing led to what was meant (an anchor that several places share).
 */
export function writeBack(
  parsed: ParsedWorkspace,
  target: Definitions,
  environment: Environment,
): string | null {
  for (const edited of [spliced, editedByDocument]) {
    const text = edited(parsed, editsFor(parsed, target));
    const written = text === null ? null : withIds(edited, text, target, environment);
    if (written !== null && keepsTheRest(parsed, written)) return written.text;
  }
  return null;
}

type Editor = (parsed: ParsedWorkspace, edits: readonly Edit[]) => string | null;

/** A rule whose name no longer gives its id (it was renamed, or another took the name) gets it written; the others stay without. */
function withIds(
  edited: Editor,
  text: string,
  target: Definitions,
  environment: Environment,
): ParsedWorkspace | null {
  const result = parseWorkspace(text, environment);
  if (!result.ok) return null;
  const { parsed } = result;
  if (sameDefinitions(parsed, target)) return parsed;
  const again = edited(parsed, idEdits(parsed, target));
  const final = again === null ? null : parseWorkspace(again, environment);
  return final?.ok === true && sameDefinitions(final.parsed, target) ? final.parsed : null;
}

function idEdits(parsed: ParsedWorkspace, target: Definitions): Edit[] {
  const wanted = new Map(target.rules.map(({ name, id }) => [name, id]));
  return parsed.rules.flatMap(({ name, id }, index): Edit[] => {
    const value = wanted.get(name);
    if (value === undefined || value === id) return [];
    return [{ kind: 'set', path: ['rules', index, 'id'], value, keyOrder: ['name', 'id'] }];
  });
}

/** Settings that no edit was about must come out as they went in. */
function keepsTheRest(before: ParsedWorkspace, after: ParsedWorkspace): boolean {
  const rest = ({ workspace: { rules: _rules, routes: _routes, ...settings } }: ParsedWorkspace) => settings;
  return isDeepStrictEqual(rest(before), rest(after));
}
