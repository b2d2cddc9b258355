import { cardHeight, labelSize, laneGap, rowPitch } from './geometry.ts';
import type { Link, Place, Places, Point } from './geometry.ts';

/**
 * The ways of the lines: from the right side of the caller to the left side of the callee, round whatever stands
 * between, and a place on each for its label. A way depends on where the cards stand and on nothing else, so that new
 * figures never move it.
 *
 * A line is a chain of quadratic curves: through its controls, joined half-way between one control and the next
 * (what cytoscape calls `unbundled-bezier`).
 */

export interface Route {
  readonly id: string;
  readonly start: Point;
  readonly end: Point;
  readonly controls: readonly Point[];
  /** The middle of the label. */
  readonly label: Point;
}

const portGap = 11;
const portReach = cardHeight / 2 - 8;
/** Between a line and the cards it passes: at the least, and with room for its label. */
const clearance = 10;
const roomyClearance = labelSize.height / 2 + 8;
/** A line that rises less than this counts as level, and has its label above it. */
const level = 10;

export function routeEdges(links: readonly Link[], places: Places): Map<string, Route> {
  const drawn = links.filter(
    ({ caller, callee }) => caller !== callee && places.has(caller) && places.has(callee),
  );
  const ports = spreadPorts(drawn, places);
  const lanes: Point[] = [];
  const ways = [...drawn]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((link) => ({ id: link.id, way: wayOf(link, places, ports, lanes) }));
  return new Map(placeLabels(ways, places).map((route) => [route.id, route]));
}

type Way = Pick<Route, 'start' | 'end' | 'controls'>;
type Ports = ReadonlyMap<string, { out: number; in: number }>;

function isForward(from: Place, to: Place): boolean {
  return to.x - to.width / 2 > from.x + from.width / 2;
}

/** The lines of one side of a card leave it one below the other, in the order in which they arrive elsewhere. */
function spreadPorts(links: readonly Link[], places: Places): Ports {
  const ports = new Map(links.map((link) => [link.id, { out: 0, in: 0 }]));
  const forward = links.filter((link) => isForward(places.get(link.caller)!, places.get(link.callee)!));
  const sides = [
    { at: 'out', here: 'caller', there: 'callee' },
    { at: 'in', here: 'callee', there: 'caller' },
  ] as const;
  for (const { at, here, there } of sides) {
    for (const name of new Set(forward.map((link) => link[here]))) {
      // Its lane lies on the side of the caller's height.
      const away = (link: Link) => Math.sign(places.get(link.caller)!.y - places.get(link.callee)!.y);
      const side = forward
        .filter((link) => link[here] === name)
        .sort(
          (a, b) =>
            places.get(a[there])!.y - places.get(b[there])!.y ||
            // Of two to one height the longer has to pass the other's end: it leaves and arrives on that side.
            away(a) * (spanOf(a, places) - spanOf(b, places)) ||
            (a.id < b.id ? -1 : 1),
        );
      const gap = Math.min(portGap, (2 * portReach) / Math.max(1, side.length - 1));
      side.forEach((link, index) => (ports.get(link.id)![at] = (index - (side.length - 1) / 2) * gap));
    }
  }
  return ports;
}

function spanOf(link: Link, places: Places): number {
  return Math.abs(places.get(link.callee)!.x - places.get(link.caller)!.x);
}

function wayOf(link: Link, places: Places, ports: Ports, lanes: Point[]): Way {
  const from = places.get(link.caller)!;
  const to = places.get(link.callee)!;
  if (!isForward(from, to)) return wayBack(from, to, places);
  const port = ports.get(link.id)!;
  const start = { x: from.x + from.width / 2, y: from.y + port.out };
  let end = { x: to.x - to.width / 2, y: to.y + port.in };
  // A step of a few px looks like a mistake: such a line is drawn level.
  if (Math.abs(start.y - end.y) < level && Math.abs(start.y - to.y) <= portReach)
    end = { ...end, y: start.y };
  const controls = controlsThrough(start, end, [], port.out);
  const columns = columnsBetween(start, end, places);
  const inTheWay = columns.flatMap((column) => column.cards.map((card) => boxOfCard(card, clearance)));
  const points = samplesOf({ start, end, controls });
  if (!inTheWay.some((box) => points.some((point) => isIn(box, point)))) return { start, end, controls };
  return {
    start,
    end,
    controls: controlsThrough(start, end, viasBetween(start, end, columns, lanes), port.out),
  };
}

/** Where a line passes a column of cards that stands in its way: from `left` to `right` at the height `y`. */
interface Via {
  readonly left: number;
  readonly right: number;
  readonly y: number;
}

function viasBetween(start: Point, end: Point, columns: readonly Column[], lanes: Point[]): Via[] {
  const vias: Via[] = [];
  let here = start;
  for (const column of columns) {
    const along = (column.left + column.right) / 2;
    const direct = here.y + (end.y - here.y) * ((along - here.x) / (end.x - here.x));
    const y = freeHeight(direct, along, column.cards, lanes);
    lanes.push({ x: along, y });
    vias.push({ left: column.left, right: column.right, y });
    here = { x: column.right, y };
  }
  return vias;
}

interface Column {
  left: number;
  right: number;
  readonly cards: Place[];
}

function columnsBetween(start: Point, end: Point, places: Places): Column[] {
  const between = [...places.values()]
    .filter((card) => card.x - card.width / 2 > start.x && card.x + card.width / 2 < end.x)
    .sort((a, b) => a.x - b.x);
  const columns: Column[] = [];
  for (const card of between) {
    const [left, right] = [card.x - card.width / 2, card.x + card.width / 2];
    const last = columns.at(-1);
    if (last !== undefined && left < last.right) {
      last.right = Math.max(last.right, right);
      last.cards.push(card);
    } else columns.push({ left, right, cards: [card] });
  }
  return columns;
}

/**
 * The height nearest to the direct one that meets no card and no line that passes here already: where its label has
 * room too, if that is no great detour.
 */
/** More than any map is tall, in px. */
const farthest = 20_000;

function freeHeight(direct: number, along: number, cards: readonly Place[], lanes: readonly Point[]): number {
  const here = lanes.filter((lane) => Math.abs(lane.x - along) < 60);
  const nearest = (room: number): number => {
    const isFree = (y: number) =>
      cards.every((card) => Math.abs(card.y - y) >= cardHeight / 2 + room) &&
      here.every((lane) => Math.abs(lane.y - y) >= laneGap);
    let away = 0;
    // Beyond the last card and line every height is free; the bound is for coordinates that are no numbers.
    while (away < farthest && !isFree(direct - away) && !isFree(direct + away)) away += 1;
    return isFree(direct - away) ? direct - away : direct + away;
  };
  const [roomy, tight] = [nearest(roomyClearance), nearest(clearance)];
  return Math.abs(roomy - direct) <= Math.abs(tight - direct) + rowPitch ? roomy : tight;
}

/** Lines of one side turn one after the other, the outermost first, so that they neither cross nor cover each other. */
function controlsThrough(start: Point, end: Point, vias: readonly Via[], port: number): Point[] {
  const controls: Point[] = [];
  let here = start;
  for (const via of [...vias, { left: end.x, right: end.x, y: end.y }]) {
    const turn = here === start ? Math.sign(via.y - start.y) * -port : 0;
    const middle = (here.x + via.left) / 2 + turn;
    controls.push({ x: middle, y: here.y }, { x: middle, y: via.y });
    // Curves are joined half-way between controls: with one at each side of the column the line is level all along it.
    if (via.right > via.left) controls.push({ x: via.left, y: via.y }, { x: via.right, y: via.y });
    here = { x: via.right, y: via.y };
  }
  return controls;
}

/** Within a column: straight down or up, or round the cards between. To an earlier column: below everything. */
function wayBack(from: Place, to: Place, places: Places): Way {
  const overlaps = Math.abs(from.x - to.x) < (from.width + to.width) / 2;
  const [low, high] = from.y < to.y ? [from, to] : [to, from];
  const between = [...places.values()].some(
    (card) => card.y > low.y && card.y < high.y && Math.abs(card.x - from.x) < card.width / 2,
  );
  if (overlaps && !between) {
    const down = from.y < to.y ? 1 : -1;
    const start = { x: from.x, y: from.y + (down * cardHeight) / 2 };
    const end = { x: to.x, y: to.y - (down * cardHeight) / 2 };
    const middle = (start.y + end.y) / 2;
    const controls = [
      { x: start.x, y: middle },
      { x: end.x, y: middle },
    ];
    return { start, end, controls };
  }
  if (overlaps) {
    const start = { x: from.x + from.width / 2, y: from.y };
    const end = { x: to.x + to.width / 2, y: to.y };
    const out = Math.max(start.x, end.x) + 44;
    const controls = [
      { x: out, y: start.y },
      { x: out, y: end.y },
    ];
    return { start, end, controls };
  }
  const start = { x: from.x, y: from.y + cardHeight / 2 };
  const end = { x: to.x, y: to.y + cardHeight / 2 };
  const below = Math.max(start.y, end.y) + 48;
  const controls = [
    { x: start.x, y: below },
    { x: end.x, y: below },
  ];
  return { start, end, controls };
}

/** The point of a way at `t`, from 0 to 1: each curve of the chain has an equal share. */
export function pointAt({ start, end, controls }: Way, t: number): Point {
  const curves = controls.length;
  const index = Math.min(curves - 1, Math.floor(t * curves));
  const control = controls[index]!;
  const from = index === 0 ? start : halfWay(controls[index - 1]!, control);
  const to = index === curves - 1 ? end : halfWay(control, controls[index + 1]!);
  const u = t * curves - index;
  const blend = (axis: 'x' | 'y') =>
    (1 - u) ** 2 * from[axis] + 2 * u * (1 - u) * control[axis] + u ** 2 * to[axis];
  return { x: blend('x'), y: blend('y') };
}

function halfWay(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const tries = [
  0.5, 0.46, 0.54, 0.42, 0.58, 0.38, 0.62, 0.34, 0.66, 0.3, 0.7, 0.27, 0.73, 0.23, 0.77, 0.2, 0.8,
];
const samples = 40;

function samplesOf(way: Way): Point[] {
  return Array.from({ length: samples + 1 }, (_, index) => pointAt(way, index / samples));
}

interface Line {
  readonly id: string;
  readonly way: Way;
  readonly points: readonly Point[];
  /** All its points are in it: most lines are told apart from a label by this alone. */
  readonly bounds: Box;
}

function lineOf({ id, way }: { id: string; way: Way }): Line {
  const points = samplesOf(way);
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const bounds = {
    left: Math.min(...xs) - 1,
    right: Math.max(...xs) + 1,
    top: Math.min(...ys) - 1,
    bottom: Math.max(...ys) + 1,
  };
  return { id, way, points, bounds };
}

/** The shortest lines first: they have the fewest spots to choose from. */
function placeLabels(ways: readonly { id: string; way: Way }[], places: Places): Route[] {
  const lines = ways.map(lineOf);
  const taken: Box[] = [...places.values()].map((place) => boxOfCard(place));
  const reach = ({ start, end }: Way) => Math.abs(end.x - start.x) + Math.abs(end.y - start.y);
  return [...lines]
    .sort((a, b) => reach(a.way) - reach(b.way) || (a.id < b.id ? -1 : 1))
    .map((line) => {
      const label = placeLabel(line, taken, lines);
      taken.push(boxOfLabel(label));
      return { id: line.id, ...line.way, label };
    });
}

/** As near to the middle as it meets no card and no other label; on no other line either, where that can be had. */
function placeLabel(own: Line, taken: readonly Box[], lines: readonly Line[]): Point {
  const { way } = own;
  const isLevel =
    way.controls.every((control) => Math.abs(control.y - way.start.y) < 1) && way.start.x !== way.end.x;
  const beside = labelSize.height / 2 + 5;
  const sides = isLevel ? [-beside, beside] : [0];
  const spots = tries.flatMap((t) => {
    const { x, y } = pointAt(way, t);
    return sides.map((side) => round({ x, y: y + side }));
  });
  const isFree = (spot: Point) => {
    const box = boxOfLabel(spot);
    return !taken.some((other) => meets(box, other));
  };
  const isClear = (spot: Point) => {
    const box = boxOfLabel(spot);
    return !lines.some(
      (line) => line !== own && meets(box, line.bounds) && line.points.some((point) => isIn(box, point)),
    );
  };
  const free = spots.filter(isFree);
  return free.find(isClear) ?? free[0] ?? spots[0]!;
}

function round({ x, y }: Point): Point {
  return { x: Math.round(x), y: Math.round(y) };
}

function boxOfCard(place: Place, around = 0): Box {
  return boxAround(place, place.width + 2 * around, cardHeight + 2 * around);
}

function boxOfLabel(middle: Point): Box {
  return boxAround(middle, labelSize.width, labelSize.height);
}

function isIn({ left, top, right, bottom }: Box, { x, y }: Point): boolean {
  return x > left && x < right && y > top && y < bottom;
}

function boxAround({ x, y }: Point, width: number, height: number): Box {
  return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
}

function meets(a: Box, b: Box): boolean {
  return a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
}
