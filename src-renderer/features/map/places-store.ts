import { create } from 'zustand';
import { cardWidth } from './card-width.ts';
import type { LayerMember, Link, Place, Places, Point } from './geometry.ts';
import { joinServices, layOut } from './layering.ts';

/**
 * Where the services of this workspace stand, kept over sessions. While a map is young its services come one by one,
 * and each would join at the end of its layer: so until none has come for a while, or until somebody points at the map,
 * the whole picture is drawn anew with each. From then on nothing moves by itself.
 */
interface PlacesStore {
  workspace: string | null;
  places: Places;
  settled: boolean;
}

export const usePlaces = create<PlacesStore>(() => ({ workspace: null, places: new Map(), settled: false }));

const settleAfterMs = 5000;
let settleTimer: ReturnType<typeof setTimeout> | undefined;
/** What the picture was drawn from; the same again changes nothing. */
let drawnFrom = '';

/** The room that a picture should take, px. */
export interface ViewSize {
  readonly width: number;
  readonly height: number;
}

/** Gives every service its place. Called with each look at the topology. */
export function arrange(
  workspace: string,
  services: readonly LayerMember[],
  links: readonly Link[],
  view: ViewSize,
): void {
  if (usePlaces.getState().workspace !== workspace) recall(workspace);
  const { settled, places } = usePlaces.getState();
  const shape = shapeOf(services, links);
  if (services.length === 0 || shape === drawnFrom) return;
  drawnFrom = shape;
  const options = { cardWidth, viewWidth: view.width, viewHeight: view.height };
  if (settled) return keep(joinServices(places, services, links, options));
  usePlaces.setState({ places: layOut(services, links, options) });
  clearTimeout(settleTimer);
  settleTimer = setTimeout(settle, settleAfterMs);
}

/** From now on, what stands stays where it stands. */
export function settle(): void {
  clearTimeout(settleTimer);
  const { settled, places } = usePlaces.getState();
  if (settled || places.size === 0) return;
  usePlaces.setState({ settled: true });
  keep(places);
}

/** A service was dragged. */
export function moveService(name: string, to: Point): void {
  const { places } = usePlaces.getState();
  const place = places.get(name);
  if (place === undefined || (place.x === to.x && place.y === to.y)) return;
  usePlaces.setState({ settled: true });
  keep(new Map(places).set(name, { ...place, x: to.x, y: to.y }));
}

/** Draws the whole picture anew, forgetting what was moved. */
export function tidy(services: readonly LayerMember[], links: readonly Link[], view: ViewSize): void {
  keep(layOut(services, links, { cardWidth, viewWidth: view.width, viewHeight: view.height }));
}

function keep(places: Places): void {
  const { workspace, places: before } = usePlaces.getState();
  if (places === before && workspace === null) return;
  usePlaces.setState({ places });
  const plain = Object.fromEntries([...places].map(([name, { x, y }]) => [name, [x, y]]));
  localStorage.setItem(storageKey(workspace ?? ''), JSON.stringify(plain));
}

function recall(workspace: string): void {
  clearTimeout(settleTimer);
  drawnFrom = '';
  const places = readPlaces(localStorage.getItem(storageKey(workspace)));
  usePlaces.setState({ workspace, places, settled: places.size > 0 });
}

function storageKey(workspace: string): string {
  return `spike.map.${workspace}`;
}

/** What was kept; anything that is not a place is passed over. */
function readPlaces(text: string | null): Places {
  const places = new Map<string, Place>();
  for (const [name, at] of Object.entries(parseObject(text))) {
    if (!Array.isArray(at)) continue;
    const [x, y] = at as unknown[];
    if (Number.isFinite(x) && Number.isFinite(y))
      places.set(name, { x: x as number, y: y as number, width: cardWidth(name) });
  }
  return places;
}

function parseObject(text: string | null): Record<string, unknown> {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // written by something else: the map is drawn anew
  }
}

function shapeOf(services: readonly LayerMember[], links: readonly Link[]): string {
  const names = services.map(({ name, depth }) => `${depth} ${name}`).sort();
  return [...names, ...links.map((link) => link.id).sort()].join('\n');
}
