import { describe, expect, it } from 'vitest';
import { pointAt, routeEdges } from '../../../../../src-renderer/features/map/edge-routes.ts';
import { cardHeight, labelSize } from '../../../../../src-renderer/features/map/geometry.ts';
import type { Link, Place, Places, Point } from '../../../../../src-renderer/features/map/geometry.ts';

const link = (caller: string, callee: string): Link => ({ id: `${caller}→${callee}`, caller, callee });
const at = (x: number, y: number): Place => ({ x, y, width: 100 });
const map = (places: Record<string, Place>): Places => new Map(Object.entries(places));

const isIn = (place: Place, point: Point) =>
  Math.abs(point.x - place.x) < place.width / 2 && Math.abs(point.y - place.y) < cardHeight / 2;

function pointsOf(route: Parameters<typeof pointAt>[0]): Point[] {
  return Array.from({ length: 101 }, (_, index) => pointAt(route, index / 100));
}

describe('routeEdges', () => {
  it('goes from the right side of the caller to the left side of the callee', () => {
    const route = routeEdges([link('a', 'b')], map({ a: at(0, 0), b: at(300, 200) })).get('a→b')!;
    expect(route.start).toEqual({ x: 50, y: 0 });
    expect(route.end).toEqual({ x: 250, y: 200 });
    expect(pointAt(route, 0)).toEqual(route.start);
    expect(pointAt(route, 1)).toEqual(route.end);
  });

  it('passes no card that stands between', () => {
    const places = map({ a: at(0, 0), between: at(250, 0), b: at(500, 0) });
    const route = routeEdges([link('a', 'b')], places).get('a→b')!;
    expect(pointsOf(route).filter((point) => isIn(places.get('between')!, point))).toEqual([]);
  });

  it('gives lines of one side ports of their own, in the order of where they go', () => {
    const places = map({ a: at(0, 0), high: at(300, -100), low: at(300, 100) });
    const routes = routeEdges([link('a', 'low'), link('a', 'high')], places);
    expect(routes.get('a→high')!.start.y).toBeLessThan(routes.get('a→low')!.start.y);
  });

  it('keeps two lines round the same card apart', () => {
    const places = map({ a: at(0, -5), c: at(0, 150), between: at(250, 0), b: at(500, 0), d: at(500, -5) });
    const routes = routeEdges([link('a', 'b'), link('a', 'd')], places);
    const heights = ['a→b', 'a→d'].map((id) => pointAt(routes.get(id)!, 0.5).y);
    expect(Math.abs(heights[0]! - heights[1]!)).toBeGreaterThanOrEqual(8);
  });

  it('goes straight down within a column, and round a card between', () => {
    const near = routeEdges([link('a', 'b')], map({ a: at(0, 0), b: at(0, 100) })).get('a→b')!;
    expect(near.start.x).toBe(near.end.x);
    const places = map({ a: at(0, 0), between: at(0, 100), b: at(0, 200) });
    const far = routeEdges([link('a', 'b')], places).get('a→b')!;
    expect(pointsOf(far).filter((point) => isIn(places.get('between')!, point))).toEqual([]);
  });

  it('reaches an earlier layer', () => {
    const route = routeEdges([link('b', 'a')], map({ a: at(0, 0), b: at(300, 0) })).get('b→a')!;
    expect(route.end.y).toBe(cardHeight / 2);
  });

  it('leaves out a service that calls itself or has no place', () => {
    expect(routeEdges([link('a', 'a'), link('a', 'gone')], map({ a: at(0, 0) })).size).toBe(0);
  });

  it('lays no label on a card or on another label where there is room', () => {
    const places = map({ a: at(0, 0), b: at(300, -60), c: at(300, 60), d: at(600, 0) });
    const routes = [
      ...routeEdges([link('a', 'b'), link('a', 'c'), link('b', 'd'), link('c', 'd')], places).values(),
    ];
    routes.forEach((one, index) => {
      for (const place of places.values()) expect(isIn(place, one.label)).toBe(false);
      for (const two of routes.slice(index + 1)) {
        const apartX = Math.abs(one.label.x - two.label.x) >= labelSize.width;
        const apartY = Math.abs(one.label.y - two.label.y) >= labelSize.height;
        expect(apartX || apartY).toBe(true);
      }
    });
  });
});
