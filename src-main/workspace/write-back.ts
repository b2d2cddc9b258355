import { isDeepStrictEqual } from 'node:util';
import { sameDefinitions } from './definition-changes.ts';
import { editedByDocument } from './document-edit.ts';
import { editsFor } from './edits.ts';
import type { Edit } from './edits.ts';
import type { Environment } from './environment.ts';
import { parseWorkspace } from './parse-workspace.ts';
import type { Definitions, ParsedWorkspace } from './parse-workspace.ts';
import { reorderedByDocument, reorderedText } from './rule-reordering.ts';
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
    const written = text === null ? null : inPlace(edited, text, target, environment);
    if (written !== null && keepsTheRest(parsed, written)) return written.text;
  }
  return null;
}

type Editor = (parsed: ParsedWorkspace, edits: readonly Edit[]) => string | null;

/** The text with its rules in the order of the target; then the ids, which depend on the order where two names make the same. */
function inPlace(
  edited: Editor,
  text: string,
  target: Definitions,
  environment: Environment,
): ParsedWorkspace | null {
  const result = parseWorkspace(text, environment);
  if (!result.ok) return null;
  const order = orderOf(result.parsed, target);
  if (order === null) return withIds(edited, text, target, environment);
  for (const reordered of [reorderedText, reorderedByDocument]) {
    const ordered = reordered(result.parsed, order);
    const written = ordered === null ? null : withIds(edited, ordered, target, environment);
    if (written !== null) return written;
  }
  return null;
}

/** Where each rule of the target stands in the file; null: they stand as they should. By name: ids may still differ. */
function orderOf({ rules }: ParsedWorkspace, target: Definitions): number[] | null {
  const places = new Map(rules.map(({ name }, index) => [name, index]));
  const order = target.rules.flatMap(({ name }) => places.get(name) ?? []);
  return order.length !== rules.length || order.every((place, index) => place === index) ? null : order;
}

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
