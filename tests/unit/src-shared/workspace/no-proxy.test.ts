import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNoProxy } from '../../../../src-shared/workspace/no-proxy.ts';

function passesBy(entry: string, host: string, port = 443): boolean {
  const test = parseNoProxy(entry);
  if (typeof test === 'string') throw new Error(test);
  return test(host, port);
}

describe('an entry of noProxy', () => {
  it.each([
    // entry, host, port, passes by
    ['*', 'anything.example', 443, true],
    ['db.corp', 'db.corp', 443, true],
    ['db.corp', 'DB.Corp.', 443, true],
    ['db.corp', 'a.db.corp', 443, true],
    ['db.corp', 'mydb.corp', 443, false],
    ['.corp', 'a.b.corp', 443, true],
    ['.corp', 'corp', 443, true],
    ['.corp', 'incorp', 443, false],
    ['*.corp', 'a.b.corp', 443, true],
    ['*.corp', 'corp', 443, false],
    ['db?.corp', 'db1.corp', 443, true],
    ['db?.corp', 'db.corp', 443, false],
    ['a.b', 'axb', 443, false],
    ['db.corp:5432', 'db.corp', 5432, true],
    ['db.corp:5432', 'db.corp', 443, false],
    ['*.corp:80', 'x.corp', 80, true],
    ['*.corp:80', 'x.corp', 81, false],
    ['localhost', 'localhost', 80, true],
    ['10.1.2.3', '10.1.2.3', 80, true],
    ['10.1.2.3', '10.1.2.30', 80, false],
    ['10.1.2.3:81', '10.1.2.3', 80, false],
    ['10.1.2.3', '::ffff:10.1.2.3', 80, true],
    ['10.0.0.0/8', '10.255.0.1', 80, true],
    ['10.0.0.0/8', '11.0.0.1', 80, false],
    ['10.9.9.9/8', '10.0.0.1', 80, true],
    ['192.168.1.128/25', '192.168.1.127', 80, false],
    ['192.168.1.128/25', '192.168.1.128', 80, true],
    ['0.0.0.0/0', '203.0.113.9', 80, true],
    ['0.0.0.0/0', '2001:db8::1', 80, false],
    ['10.0.0.0/8', 'ten.example', 80, false],
    ['fd00::/8', 'fd12:3456::1', 80, true],
    ['fd00::/8', 'fe80::1', 80, false],
    ['::1', '0:0:0:0:0:0:0:1', 80, true],
    ['[::1]', '::1', 80, true],
    ['[::1]:8080', '::1', 80, false],
    ['[::1]:8080', '::1', 8080, true],
  ] as const)('%s for %s:%i: %s', (entry, host, port, expected) => {
    expect(passesBy(entry, host, port)).toBe(expected);
  });

  it.each([
    '',
    'http://proxy',
    '10.0.0.0/33',
    '10.0.0/8',
    'fd00::/129',
    'corp/8',
    '300.1.1.1',
    'a:99999',
    'a:b',
    '.',
    ':::1',
    '1:2:3:4:5:6:7:8:9',
  ])('%j is refused in words that name it', (entry) => {
    const parsed = parseNoProxy(entry);
    expect(typeof parsed).toBe('string');
    expect(parsed).toContain(`"${entry}"`);
  });

  it('in the form of an address matches each way to write it, and no other address', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), (a, b) => {
        const canonical = (text: string): string => new URL(`http://[${text}]/`).hostname;
        expect(passesBy(a, canonical(a).slice(1, -1))).toBe(true);
        expect(passesBy(`[${a}]`, b)).toBe(canonical(a) === canonical(b));
      }),
    );
  });

  it('never throws, whatever is written there', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'*./:[]0123456789abcf-_? ') }),
        fc.string(),
        (entry, host) => {
          const parsed = parseNoProxy(entry);
          if (typeof parsed !== 'string') expect(typeof parsed(host, 80)).toBe('boolean');
        },
      ),
      { numRuns: 2000 },
    );
  });
});
