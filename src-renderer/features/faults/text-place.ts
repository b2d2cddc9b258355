import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Document, Node } from 'yaml';

export type Path = readonly PropertyKey[];

/** Where something stands in a text, from 1, as editors count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

interface Found {
  readonly node: Node;
  /** The key that it is the value of; null in a list and at the top. */
  readonly key: Node | null;
  /** How many steps of the path there are. */
  readonly depth: number;
}

/** The node at a path, through aliases, or the nearest that there is above it. */
function find(document: Document, path: Path): Found | null {
  if (!isNode(document.contents)) return null;
  let found: Found = { node: document.contents, key: null, depth: 0 };
  for (const step of path) {
    const next = stepInto(document, found, step);
    if (next === null) break;
    found = next;
  }
  return found;
}

function stepInto(document: Document, { node: from, depth }: Found, step: PropertyKey): Found | null {
  const node = isAlias(from) ? from.resolve(document) : from;
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return isNode(item) ? { node: item, key: null, depth: depth + 1 } : null;
  }
  if (!isMap(node)) return null;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  if (pair === undefined) return null;
  const key = pair.key as Node;
  return { node: isNode(pair.value) ? pair.value : key, key, depth: depth + 1 };
}

/** Where the value at a path begins, or the nearest above it. */
export function valueOffset(document: Document, path: Path): number {
  return find(document, path)?.node.range?.[0] ?? 0;
}

/** Where the key of a path begins; where there is none, the nearest value above it. */
export function keyOffset(document: Document, path: Path): number {
  const found = find(document, path);
  const isThere = found?.depth === path.length && found.key !== null;
  return isThere ? (found.key?.range?.[0] ?? 0) : valueOffset(document, path);
}

/** Whether there is something at the path. */
export function isPresent(document: Document, path: Path): boolean {
  return find(document, path)?.depth === path.length;
}
