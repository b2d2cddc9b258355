import { describe, expect, it } from 'vitest';
import { pointAt, routeEdges } from '../../../../../src-renderer/features/map/edge-routes.ts';
import type { Route } from '../../../../../src-renderer/features/map/edge-routes.ts';
import { cardHeight, labelSize } from '../../../../../src-renderer/features/map/geometry.ts';
import type {
  LayerMember,
  Link,
  Place,
  Places,
  Point,
} from '../../../../../src-renderer/features/map/geometry.ts';
import { joinServices, layOut } from '../../../../../src-renderer/features/map/layering.ts';

/** The map of the demo: two of its lines pass a layer, and one of these is in the way of a card there. */
const depths = {
  browser: 0,
  web: 1,
  checkout: 2,
  orders: 3,
  payments: 3,
  shipping: 3,
  inventory: 4,
  'stock-db': 5,
};
const services: LayerMember[] = Object.entries(depths).map(([name, depth]) => ({ name, depth }));
const links: Link[] = [
  ['browser', 'web'],
  ['web', 'checkout'],
  ['web', 'orders'],
  ['checkout', 'orders'],
  ['checkout', 'payments'],
  ['checkout', 'shipping'],
  ['checkout', 'inventory'],
  ['orders', 'inventory'],
  ['inventory', 'stock-db'],
].map(([caller, callee]) => ({ id: `${caller}→${callee}`, caller: caller!, callee: callee! }));
const cardWidth = (name: string) => 84 + 4 * name.length;

const card = ({ x, y, width }: Place) => ({ x, y, width, height: cardHeight });
const label = ({ label: { x, y } }: Route) => ({ x, y, ...labelSize });
type Rectangle = ReturnType<typeof card>;

const isIn = (box: Rectangle, { x, y }: Point) =>
  Math.abs(x - box.x) < box.width / 2 && Math.abs(y - box.y) < box.height / 2;
const overlap = (a: Rectangle, b: Rectangle) =>
  Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;

/** What a reader of the map would trip over, in words. */
function flaws(places: Places, edges: readonly Link[]): string[] {
  const routes = [...routeEdges(edges, places).values()];
  const found: string[] = [];
  routes.forEach((route, index) => {
    const points = Array.from({ length: 301 }, (_, step) => pointAt(route, step / 300));
    for (const [name, place] of places) {
      if (points.some((point) => isIn(card(place), point))) found.push(`${route.id} runs behind ${name}`);
      if (overlap(label(route), card(place))) found.push(`the label of ${route.id} lies on ${name}`);
    }
    for (const other of routes.slice(index + 1)) {
      if (overlap(label(route), label(other)))
        found.push(`the labels of ${route.id} and ${other.id} overlap`);
    }
  });
  return found;
}

const views = [
  { viewWidth: 1200, viewHeight: 760 },
  { viewWidth: 830, viewHeight: 760 },
  { viewWidth: 780, viewHeight: 560 },
  { viewWidth: 400, viewHeight: 300 },
];

describe('lines that span several layers', () => {
  it.each(views)('run between cards, in a view of $viewWidth × $viewHeight', (view) => {
    expect(flaws(layOut(services, links, { cardWidth, ...view }), links)).toEqual([]);
  });

  it.each(views)('find their way among remembered places, in a view of $viewWidth × $viewHeight', (view) => {
    const options = { cardWidth, ...view };
    // Laid out before the long lines were known, and the last services joined later.
    const early = layOut(services.slice(0, 5), links.slice(0, 5), options);
    expect(flaws(joinServices(early, services, links, options), links)).toEqual([]);
  });

  it('leave the same map the same, in whatever order it is told', () => {
    const options = { cardWidth, viewWidth: 900, viewHeight: 700 };
    const places = layOut(services, links, options);
    const again = layOut([...services].reverse(), [...links].reverse(), options);
    expect(new Map([...again].sort())).toEqual(new Map([...places].sort()));
    const sorted = (routes: ReturnType<typeof routeEdges>) =>
      [...routes.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(sorted(routeEdges([...links].reverse(), again))).toEqual(sorted(routeEdges(links, places)));
  });

  it('pass several layers in turn', () => {
    const chain = ['a', 'b', 'c', 'd', 'e'].map((name, depth) => ({ name, depth }));
    const edges = ['a→b', 'b→c', 'c→d', 'd→e', 'a→e', 'a→d', 'b→e'].map((id) => ({
      id,
      caller: id[0]!,
      callee: id.at(-1)!,
    }));
    expect(flaws(layOut(chain, edges, { cardWidth, viewWidth: 900, viewHeight: 700 }), edges)).toEqual([]);
  });
});
