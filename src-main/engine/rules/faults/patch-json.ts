import { pointerParts } from '#shared/rules/json-patch.ts';
import type { JsonPatch, JsonPatchOperation } from '#shared/rules/json-patch.ts';
import { copyOf, isEqual, isList, isObject, setMember } from './json-document.ts';
import type { Json } from './json-document.ts';

/** An operation that does not fit the document: the patch as a whole does nothing (RFC 6902, section 5). */
export class PatchMisfit extends Error {}

interface Place {
  /** null: the whole document. */
  readonly parent: Json[] | { [name: string]: Json } | null;
  readonly name: string;
}

/** The document as the patch makes it. Throws a `PatchMisfit`; the document is changed in place and of no use then. */
export function patchJson(document: Json, patch: JsonPatch): Json {
  return patch.reduce(apply, document);
}

function apply(document: Json, operation: JsonPatchOperation): Json {
  const { path } = operation;
  switch (operation.op) {
    case 'add':
      return add(document, path, copyOf(operation.value as Json));
    case 'remove':
      return remove(document, path);
    case 'replace':
      find(document, path);
      return replace(document, path, copyOf(operation.value as Json));
    case 'copy':
      return add(document, path, copyOf(find(document, operation.from)));
    case 'move': {
      const moved = find(document, operation.from);
      if (path === operation.from) return document;
      if (path.startsWith(`${operation.from}/`)) misfit(path, 'lies in what is moved');
      return add(remove(document, operation.from), path, moved);
    }
    case 'test':
      if (!isEqual(find(document, path), operation.value as Json)) misfit(path, 'is not what test asks for');
      return document;
  }
}

function add(document: Json, path: string, value: Json): Json {
  const { parent, name } = place(document, path);
  if (parent === null) return value;
  if (isList(parent))
    parent.splice(name === '-' ? parent.length : indexIn(parent.length + 1, name, path), 0, value);
  else setMember(parent, name, value);
  return document;
}

function replace(document: Json, path: string, value: Json): Json {
  const { parent, name } = place(document, path);
  if (parent === null) return value;
  if (isList(parent)) parent[Number(name)] = value;
  else setMember(parent, name, value);
  return document;
}

function remove(document: Json, path: string): Json {
  find(document, path);
  const { parent, name } = place(document, path);
  if (parent === null) return null;
  if (isList(parent)) parent.splice(Number(name), 1);
  else delete parent[name];
  return document;
}

/** The value at a path that has to be there. */
function find(document: Json, path: string): Json {
  return pointerParts(path).reduce((value, part) => member(value, part, path), document);
}

function place(document: Json, path: string): Place {
  const parts = pointerParts(path);
  const name = parts.pop();
  if (name === undefined) return { parent: null, name: '' };
  const parent = parts.reduce((value, part) => member(value, part, path), document);
  if (!isList(parent) && !isObject(parent)) misfit(path, 'is not in the document');
  return { parent: parent as NonNullable<Place['parent']>, name };
}

function member(value: Json, name: string, path: string): Json {
  if (isList(value)) return value[indexIn(value.length, name, path)] as Json;
  if (isObject(value) && Object.hasOwn(value, name)) return value[name] as Json;
  return misfit(path, 'is not in the document');
}

/** RFC 6901, section 4: no leading zeros. */
function indexIn(length: number, name: string, path: string): number {
  if (/^(0|[1-9]\d*)$/.test(name) && Number(name) < length) return Number(name);
  return misfit(path, 'is not in the document');
}

function misfit(path: string, why: string): never {
  throw new PatchMisfit(`${path === '' ? 'the whole' : path} ${why}`);
}

/** The document as a merge patch makes it (RFC 7396, section 2). */
export function mergeJson(target: Json, patch: Json): Json {
  if (!isObject(patch)) return copyOf(patch);
  const merged: { [name: string]: Json } = isObject(target) ? target : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else
      setMember(merged, name, mergeJson(Object.hasOwn(merged, name) ? (merged[name] as Json) : null, value));
  }
  return merged;
}
