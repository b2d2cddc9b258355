import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompiledRules } from '../../src-main/engine/rules/compiled-rules.ts';
import { compileText } from '../../src-shared/rules/pattern.ts';
import { activeRule } from '../support/data-plane-harness.ts';

const segment = fc.constantFrom('/a', '/b', '/v1', '/');
const plainPath = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''));
const pattern = fc.oneof(
  plainPath,
  plainPath.map((path) => `${path}*`),
  plainPath.map((path) => `${path}/*`),
  plainPath.map((path) => `*${path}`),
  plainPath.map((path) => `${path.slice(0, 1)}?${path.slice(2)}`),
  plainPath.map((path) => `/^${path.replaceAll('/', '\\/')}/`),
  plainPath.map((path) => `/${path}/i`),
  plainPath.map((path) => `/^${path}[^/]*$/`),
  plainPath.map((path) => `/^${path.replace('a', 'a?').replaceAll('/', '\\/')}$/`),
  fc.tuple(plainPath, plainPath).map(([one, other]) => `/^${one}\.?$|^${other}$/`),
);
const callee = fc.option(fc.constantFrom('orders', 'ORDERS', 'pay*', 'payments'), { nil: undefined });

describe('looking rules up', () => {
  it('finds those that looking at each would find, in their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ callee, path: fc.option(pattern, { nil: undefined }) }), {
          minLength: 16,
          maxLength: 40,
        }),
        fc.constantFrom('orders', 'payments', 'Payments'),
        plainPath,
        (matches, called, path) => {
          const rules = matches.map((match, index) =>
            activeRule({
              name: `r${index}`,
              match: {
                ...(match.callee !== undefined && { callee: match.callee }),
                ...(match.path !== undefined && { path: match.path }),
              },
              faults: [{ type: 'hang' }],
            }),
          );
          const found = new CompiledRules(rules).matchCall({
            caller: 'web',
            callee: called,
            method: 'GET',
            host: 'h',
            path: `${path}?x=1`,
            route: null,
            listener: null,
            fields: [],
            upgrade: null,
          });
          const expected = rules.filter(
            ({ match }) => compileText(match.callee, false)(called) && compileText(match.path, true)(path),
          );
          expect(found.map(({ rule }) => rule.id)).toEqual(expected.map(({ id }) => id));
        },
      ),
      { numRuns: 500 },
    );
  });
});
