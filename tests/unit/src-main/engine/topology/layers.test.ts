import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layersOf } from '../../../../../src-main/engine/topology/layers.ts';

const arrows = (...texts: string[]) =>
  texts.map((text) => {
    const [from, to] = text.split('>') as [string, string];
    return { from, to };
  });

describe('layersOf', () => {
  it('puts each service right of all its callers', () => {
    const layers = layersOf(
      arrows('browser>web', 'web>orders', 'web>checkout', 'checkout>orders', 'orders>postgres'),
    );
    expect(Object.fromEntries(layers)).toEqual({ browser: 0, web: 1, checkout: 2, orders: 3, postgres: 4 });
  });

  it('cuts a cycle where it returns to who began it', () => {
    const layers = layersOf(arrows('web>a', 'a>b', 'b>c', 'c>a'));
    expect(Object.fromEntries(layers)).toEqual({ web: 0, a: 1, b: 2, c: 3 });
  });

  it('begins with the first name where all call one another', () => {
    expect(Object.fromEntries(layersOf(arrows('b>a', 'a>b')))).toEqual({ a: 0, b: 1 });
    expect(Object.fromEntries(layersOf(arrows('a>a')))).toEqual({ a: 0 });
  });

  it('stands a chain as long as any', () => {
    const chain = Array.from({ length: 20_000 }, (_, n) => ({ from: `s${n}`, to: `s${n + 1}` }));
    expect(layersOf(chain).get('s20000')).toBe(20_000);
  });

  const graphs = fc.array(
    fc.record({ from: fc.constantFrom(...'abcdefgh'), to: fc.constantFrom(...'abcdefgh') }),
  );

  it('does not depend on the order of the edges', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const sorted = (layers: Map<string, number>) => [...layers].sort();
        expect(sorted(layersOf([...graph].reverse()))).toEqual(sorted(layersOf(graph)));
      }),
    );
  });

  it('lays every graph without a cycle strictly left to right, and roots at 0', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const acyclic = graph.filter(({ from, to }) => from < to);
        const layers = layersOf(acyclic);
        for (const { from, to } of acyclic) expect(layers.get(from)).toBeLessThan(layers.get(to) as number);
        for (const [name, layer] of layers) {
          expect(layer === 0).toBe(!acyclic.some(({ to }) => to === name));
        }
      }),
    );
  });
});
