import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  pathOfUrl,
  TemplateCache,
  templateOf,
} from '../../../../../src-main/engine/metrics/path-template.ts';

describe('templateOf', () => {
  it.each([
    ['/', '/'],
    ['/v1/charge/card', '/v1/charge/card'],
    ['/v2.1/health', '/v2.1/health'],
    ['/orders/17', '/orders/{id}'],
    ['/orders/17/items/3', '/orders/{id}/items/{id}'],
    ['/orders/17?page=2', '/orders/{id}'],
    ['/orders/17#top', '/orders/{id}'],
    ['/v1/charges/ch_3Nf81', '/v1/charges/{id}'],
    ['/customers/cus_9Q4x', '/customers/{id}'],
    ['/orders/order-1042/', '/orders/{id}/'],
    ['/users/6f1c8f4e-7a3b-4f4e-9a55-0d7c2c0f4b11', '/users/{id}'],
    ['/objects/507f1f77bcf86cd799439011', '/objects/{id}'],
    ['/events/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/events/{id}'],
    ['/reports/2024-02-29', '/reports/{id}'],
    ['/users/ann%40shop.example', '/users/{id}'],
    ['/assets/main.3f2a9b1c.js', '/assets/main.{id}.js'],
    ['/users/alice/profile', '/users/alice/profile'],
    ['/oauth2/authorize', '/oauth2/authorize'],
    ['/api/export-csv', '/api/export-csv'],
    ['/deadbeef', '/deadbeef'],
    ['/bad/%zz', '/bad/%zz'],
    ['', ''],
  ])('%s is %s', (path, template) => {
    expect(templateOf(path)).toBe(template);
  });

  it('bounds parts, depth and length', () => {
    expect(templateOf(`/a/${'x'.repeat(60)}`)).toBe('/a/{id}');
    expect(templateOf('/a'.repeat(40)).split('/')).toHaveLength(17);
    expect(templateOf(`/${'y/'.repeat(100_000)}`).length).toBeLessThan(1100);
  });

  it('never throws, is stable, and forgets numbers', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.nat(), fc.nat(), (text, a, b) => {
        expect(templateOf(text)).toBe(templateOf(text));
        expect(templateOf(`/orders/${a}`)).toBe(templateOf(`/orders/${b}`));
      }),
    );
  });
});

describe('pathOfUrl', () => {
  it.each([
    ['http://host:80/a/b?c=/d', '/a/b'],
    ['https://host', '/'],
    ['http://host?x=1', '/'],
    ['/origin-form?x', '/origin-form'],
  ])('%s has %s', (url, path) => {
    expect(pathOfUrl(url)).toBe(path);
  });
});

describe('TemplateCache', () => {
  it('holds no more than its limit, and what is used stays', () => {
    const cache = new TemplateCache(100);
    for (let i = 0; i < 10_000; i += 1) {
      expect(cache.get(`/orders/${i}`)).toBe('/orders/{id}');
      expect(cache.get('/hot')).toBe('/hot');
      expect(cache.size).toBeLessThanOrEqual(100);
    }
  });
});
