import { laneGap, narrowestGap, rowPitch, widestGap, widestRowPitch } from './geometry.ts';
import type { LayerMember, Link, Place, Places } from './geometry.ts';

/**
 * Where services stand: in layers from left to right (the agent gives the layer), in an order within the layer that
 * keeps lines from crossing, each near the middle of those it talks with. A line that spans several layers has a lane
 * of its own in each layer between, so that it runs between cards and never behind one. The same services and edges
 * give the same picture, whatever the order in which they came.
 */

interface Options {
  /** How wide the card of a service is, px. */
  cardWidth(name: string): number;
  /** The room that is there, px: columns and rows stand as wide apart as it allows. */
  viewWidth: number;
  viewHeight: number;
}

const sweeps = 8;

/** A picture from nothing. */
export function layOut(services: readonly LayerMember[], links: readonly Link[], options: Options): Places {
  const cards = intoLayers(services);
  const laned = withLanes(cards, links);
  const neighbours = neighboursOf(laned.links);
  const columns = columnCentres(cards, options);
  const rows = rowCentres(orderLayers(laned.layers, neighbours), neighbours, pitchFor(laned.layers, options));
  const places = new Map<string, Place>();
  cards.forEach((layer, index) => {
    for (const name of layer) {
      places.set(name, { x: columns[index]!, y: rows.get(name)!, width: options.cardWidth(name) });
    }
  });
  return places;
}

/** Keeps every service where it stands, and puts new ones at the end of their layer. */
export function joinServices(
  present: Places,
  services: readonly LayerMember[],
  links: readonly Link[],
  options: Options,
): Places {
  const fresh = services.filter((service) => !present.has(service.name));
  if (fresh.length === 0) return present;
  const standing = services.filter((service) => present.has(service.name));
  if (standing.length === 0) return layOut(services, links, options);
  const places = new Map(present);
  for (const service of [...fresh].sort(byName)) {
    places.set(service.name, endOfLayer(service, services, places, options));
  }
  return places;
}

function endOfLayer(
  service: LayerMember,
  services: readonly LayerMember[],
  places: Places,
  options: Options,
): Place {
  const width = options.cardWidth(service.name);
  const standing = services.filter((other) => places.has(other.name));
  const layer = standing.filter((other) => other.depth === service.depth);
  if (layer.length > 0) {
    const inLayer = layer.map((other) => places.get(other.name)!);
    const lowest = inLayer.reduce((low, place) => (place.y > low.y ? place : low));
    return { x: lowest.x, y: lowest.y + rowPitch, width };
  }
  // The first of its layer: beside the nearest layer that has somebody, level with it.
  const nearest = standing.reduce((best, other) =>
    Math.abs(other.depth - service.depth) < Math.abs(best.depth - service.depth) ? other : best,
  );
  const beside = places.get(nearest.name)!;
  const step = (beside.width + width) / 2 + narrowestGap + 20;
  return { x: beside.x + (service.depth - nearest.depth) * step, y: beside.y, width };
}

/** Names by layer; a layer number that nobody has leaves no empty column. */
function intoLayers(services: readonly LayerMember[]): string[][] {
  const depths = [...new Set(services.map((service) => service.depth))].sort((a, b) => a - b);
  return depths.map((depth) =>
    services
      .filter((service) => service.depth === depth)
      .map((service) => service.name)
      .sort(compare),
  );
}

type Ends = Pick<Link, 'caller' | 'callee'>;

/** No service has a NUL in its name, so that a lane is never taken for one. */
const laneMark = '\0';

function isLane(name: string): boolean {
  return name.startsWith(laneMark);
}

/**
 * Cuts each line that spans several layers at a lane in each layer between. Lines to one callee share their lanes:
 * they meet there anyway, and a busy service must not push all others apart.
 */
function withLanes(
  cards: readonly string[][],
  links: readonly Ends[],
): { layers: string[][]; links: Ends[] } {
  const layers = cards.map((layer) => new Set(layer));
  const layerOf = new Map(cards.flatMap((layer, index) => layer.map((name) => [name, index] as const)));
  const pieces = new Map<string, Ends>();
  for (const { caller, callee } of links) {
    const [from, to] = [layerOf.get(caller), layerOf.get(callee)];
    if (from === undefined || to === undefined) continue;
    let here = caller;
    for (let index = from + 1; index < to; index += 1) {
      const lane = `${laneMark}${index} ${callee}`;
      layers[index]!.add(lane);
      pieces.set(`${here}${laneMark}${lane}`, { caller: here, callee: lane });
      here = lane;
    }
    pieces.set(`${here}${laneMark}${callee}`, { caller: here, callee });
  }
  return { layers: layers.map((layer) => [...layer].sort(compare)), links: [...pieces.values()] };
}

function neighboursOf(links: readonly Ends[]): Map<string, string[]> {
  const neighbours = new Map<string, string[]>();
  const add = (name: string, other: string) => {
    const known = neighbours.get(name);
    if (known) known.push(other);
    else neighbours.set(name, [other]);
  };
  for (const { caller, callee } of links) {
    if (caller === callee) continue;
    add(caller, callee);
    add(callee, caller);
  }
  return neighbours;
}

/** Barycentre sweeps, right and left in turn; of all orders met, the one with the fewest crossings. */
function orderLayers(layers: string[][], neighbours: ReadonlyMap<string, readonly string[]>): string[][] {
  let order = layers;
  let best = { order, crossings: countCrossings(order, neighbours) };
  for (let sweep = 0; sweep < sweeps && best.crossings > 0; sweep += 1) {
    order = sweepOnce(order, neighbours, sweep % 2 === 0);
    const crossings = countCrossings(order, neighbours);
    if (crossings < best.crossings) best = { order, crossings };
  }
  return best.order;
}

function sweepOnce(
  order: readonly string[][],
  neighbours: ReadonlyMap<string, readonly string[]>,
  rightwards: boolean,
): string[][] {
  const next = order.map((layer) => [...layer]);
  const indices = next.map((_, index) => index);
  if (!rightwards) indices.reverse();
  for (const index of indices) {
    const ranks = relativeRanks(next);
    const settled = (name: string) => {
      const layer = ranks.layer.get(name)!;
      return rightwards ? layer < index : layer > index;
    };
    const weight = (name: string, at: number): number => {
      const before = (neighbours.get(name) ?? []).filter(settled);
      return mean(before.map((other) => ranks.rank.get(other)!)) ?? relative(at, next[index]!.length);
    };
    const weighted = next[index]!.map((name, at) => ({ name, weight: weight(name, at), at }));
    next[index] = weighted.sort((a, b) => a.weight - b.weight || a.at - b.at).map((entry) => entry.name);
  }
  return next;
}

/** Where each name stands in its layer, from 0 to 1, so that layers of different sizes compare. */
function relativeRanks(layers: readonly string[][]) {
  const rank = new Map<string, number>();
  const layerOf = new Map<string, number>();
  layers.forEach((layer, index) =>
    layer.forEach((name, at) => {
      rank.set(name, relative(at, layer.length));
      layerOf.set(name, index);
    }),
  );
  return { rank, layer: layerOf };
}

function relative(at: number, length: number): number {
  return (at + 0.5) / length;
}

/** Pairs of lines that cross, between all pairs of layers. */
export function countCrossings(
  layers: readonly string[][],
  neighbours: ReadonlyMap<string, readonly string[]>,
): number {
  const { rank, layer } = relativeRanks(layers);
  const lines: [from: number, to: number, fromRank: number, toRank: number][] = [];
  for (const [name, others] of neighbours) {
    for (const other of others) {
      const [from, to] = [layer.get(name), layer.get(other)];
      if (from === undefined || to === undefined || from >= to) continue;
      lines.push([from, to, rank.get(name)!, rank.get(other)!]);
    }
  }
  let crossings = 0;
  for (let a = 0; a < lines.length; a += 1) {
    for (let b = a + 1; b < lines.length; b += 1) {
      const [one, two] = [lines[a]!, lines[b]!];
      const overlap = Math.max(one[0], two[0]) < Math.min(one[1], two[1]);
      if (overlap && (one[2] - two[2]) * (one[3] - two[3]) < 0) crossings += 1;
    }
  }
  return crossings;
}

function columnCentres(layers: readonly string[][], { cardWidth, viewWidth }: Options): number[] {
  const widths = layers.map((layer) => Math.max(...layer.map(cardWidth)));
  const cards = widths.reduce((sum, width) => sum + width, 0);
  const room = (viewWidth - cards - 24) / Math.max(1, layers.length - 1);
  const gap = Math.round(Math.min(widestGap, Math.max(narrowestGap, room)));
  let left = 0;
  return widths.map((width) => {
    const centre = left + width / 2;
    left += width + gap;
    return Math.round(centre);
  });
}

function pitchFor(layers: readonly string[][], { viewHeight }: Options): number {
  const rowsOf = (layer: readonly string[]) => layer.reduce((sum, name) => sum + (isLane(name) ? 0.5 : 1), 0);
  const most = Math.max(...layers.map(rowsOf));
  // Even, so that half rows are whole px.
  return 2 * Math.round(Math.min(widestRowPitch, Math.max(rowPitch, (viewHeight - 120) / most)) / 2);
}

/** How far below `above` the next of its layer stands, at the least. */
function distance(above: string, below: string, pitch: number): number {
  if (isLane(above) && isLane(below)) return laneGap;
  return isLane(above) || isLane(below) ? pitch / 2 : pitch;
}

/**
 * Heights: each layer in its order, at least a row apart, drawn towards the middle of its neighbours; at the end on
 * half rows, so that a line is either level or clearly not.
 */
function rowCentres(
  layers: readonly string[][],
  neighbours: ReadonlyMap<string, readonly string[]>,
  pitch: number,
): Map<string, number> {
  const rows = new Map<string, number>();
  for (const layer of layers) {
    layer.forEach((name, at) => rows.set(name, (at - (layer.length - 1) / 2) * pitch));
  }
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const inTurn = sweep % 2 === 0 ? layers : [...layers].reverse();
    for (const layer of inTurn) spread(layer, wantedRows(layer, neighbours, rows), pitch, rows);
  }
  for (const layer of layers) ontoHalfRows(layer, pitch, rows);
  return rows;
}

/** The middle of those that each talks with. */
function wantedRows(
  layer: readonly string[],
  neighbours: ReadonlyMap<string, readonly string[]>,
  rows: ReadonlyMap<string, number>,
): number[] {
  const members = new Set(layer);
  return layer.map((name) => {
    const others = (neighbours.get(name) ?? []).filter((other) => !members.has(other));
    return mean(others.map((other) => rows.get(other) ?? 0)) ?? rows.get(name)!;
  });
}

/** Pushed apart downwards, then moved back as one, so that the layer stays around what it wanted. */
function spread(
  layer: readonly string[],
  wanted: readonly number[],
  pitch: number,
  rows: Map<string, number>,
): void {
  const placed: number[] = [];
  wanted.forEach((y, at) => {
    if (at === 0) placed.push(y);
    else placed.push(Math.max(y, placed[at - 1]! + distance(layer[at - 1]!, layer[at]!, pitch)));
  });
  const shift = mean(placed.map((y, at) => wanted[at]! - y)) ?? 0;
  layer.forEach((name, at) => rows.set(name, placed[at]! + shift));
}

function ontoHalfRows(layer: readonly string[], pitch: number, rows: Map<string, number>): void {
  const half = pitch / 2;
  let lowest = -Infinity;
  layer.forEach((name, at) => {
    const y = rows.get(name)!;
    if (at > 0) lowest += distance(layer[at - 1]!, name, pitch);
    lowest = isLane(name)
      ? Math.max(y, lowest)
      : Math.max(Math.round(y / half), Math.ceil(lowest / half)) * half;
    rows.set(name, lowest);
  });
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function byName(a: LayerMember, b: LayerMember): number {
  return a.depth - b.depth || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
