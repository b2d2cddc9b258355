import { isCollection, isMap, isSeq, visit } from 'yaml';
import type { Document, Node } from 'yaml';
import type { Edit } from './edits.ts';
import { newlineOf } from './text-splice.ts';
import type { ParsedWorkspace } from './parse-workspace.ts';

/**
 * The text with the edits made in its document: comments and order stay, columns may move. Aliases become what they stand
 * for, since a change of one place must not be one of the others.
 */
export function editedByDocument(
  { document: source, text }: ParsedWorkspace,
  edits: readonly Edit[],
): string {
  const document = withoutAliases(source.clone() as Document);
  // Deletions of list items from the end, so that the numbers before stay true.
  for (const edit of edits)
    if (edit.kind === 'set') document.setIn(edit.path, flowNode(document, edit.value));
  const deletions = edits.filter((edit) => edit.kind === 'delete').reverse();
  for (const { path } of deletions) document.deleteIn(path);
  for (const edit of edits) if (edit.kind === 'append') append(document, edit);
  return document.toString({ lineWidth: 0 }).replaceAll(/\r?\n/g, newlineOf(text));
}

/** Scalars stay plain values, which keeps the comment of the scalar that they replace. */
function flowNode(document: Document, value: unknown): unknown {
  return typeof value === 'object' && value !== null ? document.createNode(value, { flow: true }) : value;
}

function append(document: Document, { list, value }: Extract<Edit, { kind: 'append' }>): void {
  const item = document.createNode(value, { flow: list === 'routes' });
  if (isMap(item)) for (const { value: field } of item.items) setFlow(field);
  const sequence = document.get(list);
  if (!isSeq(sequence)) return document.set(list, document.createNode([item]));
  if (sequence.items.length === 0) sequence.flow = false;
  sequence.add(item);
}

/** Lists one item a line, the items themselves on one. */
function setFlow(node: unknown): void {
  if (isSeq(node)) for (const item of node.items) setFlow(item);
  else if (isCollection(node)) node.flow = true;
}

/** Each alias as what it stands for: a change of one place must not be one of the others. */
export function withoutAliases(document: Document): Document {
  visit(document, {
    Alias: (_, alias) => {
      const copy = alias.resolve(document)?.clone() as (Node & { anchor?: string }) | undefined;
      if (copy !== undefined) delete copy.anchor;
      return copy;
    },
  });
  return document;
}
