import { describe, expect, it } from 'vitest';
import { cardHeight, narrowestGap, rowPitch } from '../../../../../src-renderer/features/map/geometry.ts';
import type { LayerMember, Link, Places } from '../../../../../src-renderer/features/map/geometry.ts';
import { countCrossings, joinServices, layOut } from '../../../../../src-renderer/features/map/layering.ts';

const options = { cardWidth: () => 110, viewWidth: 900, viewHeight: 700 };
const service = (name: string, depth: number): LayerMember => ({ name, depth });
const link = (caller: string, callee: string): Link => ({ id: `${caller}→${callee}`, caller, callee });

const shop = [
  service('browser', 0),
  service('web', 1),
  service('checkout', 2),
  service('orders', 3),
  service('payments', 3),
  service('redis', 4),
];
const calls = [
  link('browser', 'web'),
  link('web', 'checkout'),
  link('web', 'orders'),
  link('checkout', 'payments'),
  link('orders', 'redis'),
];

function overlapping(places: Places): string[] {
  const all = [...places];
  return all.flatMap(([name, a], at) =>
    all
      .slice(at + 1)
      .filter(([, b]) => Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < cardHeight)
      .map(([other]) => `${name} and ${other}`),
  );
}

function random(seed: number) {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function bigMap(services: number, edges: number): { members: LayerMember[]; links: Link[] } {
  const next = random(11);
  const members = Array.from({ length: services }, (_, index) => service(`s${index}`, index % 7));
  const pick = () => members[Math.floor(next() * services)]!.name;
  return { members, links: Array.from({ length: edges }, () => link(pick(), pick())) };
}

describe('layOut', () => {
  it('puts deeper layers further right, with room for a label between', () => {
    const places = layOut(shop, calls, options);
    for (const { caller, callee } of calls) {
      const [from, to] = [places.get(caller)!, places.get(callee)!];
      expect(to.x - to.width / 2 - (from.x + from.width / 2)).toBeGreaterThanOrEqual(narrowestGap);
    }
  });

  it('is the same for the same map, in whatever order it is told', () => {
    const forwards = layOut(shop, calls, options);
    const backwards = layOut([...shop].reverse(), [...calls].reverse(), options);
    expect(new Map([...backwards].sort())).toEqual(new Map([...forwards].sort()));
  });

  it('orders a layer so that lines do not cross', () => {
    const members = [service('a', 0), service('b', 0), service('y', 1), service('z', 1)];
    const links = [link('a', 'z'), link('b', 'y')];
    const places = layOut(members, links, options);
    expect(Math.sign(places.get('a')!.y - places.get('b')!.y)).toBe(
      Math.sign(places.get('z')!.y - places.get('y')!.y),
    );
  });

  it('lets no two cards touch, on a map of 60 services and 200 edges as well', () => {
    const { members, links } = bigMap(60, 200);
    expect(overlapping(layOut(members, links, options))).toEqual([]);
    expect(overlapping(layOut(shop, calls, options))).toEqual([]);
  });

  it('shows one service, and layers whose numbers have a hole', () => {
    expect(layOut([service('only', 0)], [], options).size).toBe(1);
    const places = layOut([service('a', 0), service('b', 9)], [], options);
    expect(places.get('b')!.x - places.get('a')!.x).toBeLessThan(300);
  });
});

describe('joinServices', () => {
  const present = layOut(shop, calls, options);

  it('moves nobody who stands already', () => {
    const joined = joinServices(present, [...shop, service('shipping', 3)], calls, options);
    for (const [name, place] of present) expect(joined.get(name)).toEqual(place);
  });

  it('puts a new service below the last of its layer', () => {
    const joined = joinServices(present, [...shop, service('shipping', 3)], calls, options);
    const lowest = Math.max(present.get('orders')!.y, present.get('payments')!.y);
    expect(joined.get('shipping')!.y).toBe(lowest + rowPitch);
    expect(overlapping(joined)).toEqual([]);
  });

  it('gives a layer that nobody had a place beyond the last', () => {
    const joined = joinServices(present, [...shop, service('cardnet', 5)], calls, options);
    expect(joined.get('cardnet')!.x).toBeGreaterThan(joined.get('redis')!.x);
  });

  it('keeps the place of one that is away', () => {
    const without = shop.filter(({ name }) => name !== 'redis');
    expect(joinServices(present, without, calls, options).get('redis')).toEqual(present.get('redis'));
  });
});

describe('countCrossings', () => {
  it('counts pairs of lines that cross', () => {
    const neighbours = new Map([
      ['a', ['z']],
      ['b', ['y']],
    ]);
    expect(
      countCrossings(
        [
          ['a', 'b'],
          ['y', 'z'],
        ],
        neighbours,
      ),
    ).toBe(1);
    expect(
      countCrossings(
        [
          ['b', 'a'],
          ['y', 'z'],
        ],
        neighbours,
      ),
    ).toBe(0);
  });
});
