import { describe, expect, it } from 'vitest';
import { isCountable, searchCompletions } from '../../../src-renderer/features/live/search-completions.ts';

const names = {
  services: ['checkout', 'payments'],
  routes: ['orders'],
  rules: [{ id: 'payments-is-slow', name: 'payments is slow' }],
};
const offers = (search: string) => searchCompletions(search, search.length, names);

describe('completion of the search', () => {
  it('offers fields while a word is typed', () => {
    expect(offers('ca').map((offer) => offer.search)).toContain('caller:');
    expect(offers('ca').some(isCountable)).toBe(false);
  });

  it('offers the values of the only field that is left, with the search they make', () => {
    expect(offers('latency>1s fau').map((offer) => offer.search)).toEqual([
      'latency>1s fault:*',
      'latency>1s -fault:*',
      'latency>1s fault:latency',
      'latency>1s fault:"payments is slow"',
      'latency>1s fault:',
    ]);
  });

  it('offers services after a service field, and puts the caret behind', () => {
    const [offer] = offers('callee:pay');
    expect(offer).toMatchObject({ key: 'callee:', value: 'payments', search: 'callee:payments', caret: 15 });
    expect(isCountable(offer!)).toBe(true);
  });

  it('offers rules by their ids, with their names beside', () => {
    expect(offers('rule:pay')).toMatchObject([
      { value: 'payments-is-slow', detail: 'payments is slow', search: 'rule:payments-is-slow' },
    ]);
  });

  it('offers rules with blanks in quotes, also after a quote was typed', () => {
    expect(offers('fault:"pay').map((offer) => offer.search)).toEqual(['fault:"payments is slow"']);
  });
});
