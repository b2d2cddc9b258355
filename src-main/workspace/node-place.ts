import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Document, Node, Pair } from 'yaml';

export type Path = readonly PropertyKey[];

export interface Place {
  /** The node at the path, or the nearest that there is above it. */
  readonly node: Node;
  /** The pair that it is the value of; null in a list and at the top. */
  readonly pair: Pair | null;
  /** How many steps of the path there are in the document. */
  readonly depth: number;
}

/** Follows a path, through aliases, as far as it goes. Null in a document without contents. */
export function placeOf(document: Document, path: Path): Place | null {
  const top = document.contents;
  if (!isNode(top)) return null;
  let place: Place = { node: top, pair: null, depth: 0 };
  for (const step of path) {
    const next = stepInto(document, place, step);
    if (next === null) break;
    place = next;
  }
  return place;
}

function stepInto(document: Document, { node: from, depth }: Place, step: PropertyKey): Place | null {
  const node = isAlias(from) ? from.resolve(document) : from;
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return isNode(item) ? { node: item, pair: null, depth: depth + 1 } : null;
  }
  const pair = isMap(node) ? pairOf(node.items, step) : undefined;
  if (pair === undefined) return null;
  const value = isNode(pair.value) ? pair.value : (pair.key as Node);
  return { node: value, pair, depth: depth + 1 };
}

function pairOf(pairs: readonly Pair[], name: PropertyKey): Pair | undefined {
  return pairs.find(({ key }) => isScalar(key) && String(key.value) === String(name));
}

/** Where the key of a path stands; null when there is none. */
export function keyOffset(document: Document, path: Path): number | null {
  const place = placeOf(document, path);
  if (place === null || place.depth < path.length || !isNode(place.pair?.key)) return null;
  return place.pair.key.range?.[0] ?? null;
}

/** Where the node at a path, or the nearest above it, begins. */
export function valueOffset(document: Document, path: Path): number {
  return placeOf(document, path)?.node.range?.[0] ?? 0;
}

/** Whether there is something at the path. */
export function isPresent(document: Document, path: Path): boolean {
  return placeOf(document, path)?.depth === path.length;
}
