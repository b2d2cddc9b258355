import { describe, expect, it } from 'vitest';
import { isIpv6, parseAuthority } from '../../../../../../src-main/engine/proxy/http1/target.ts';
import type { RequestHead } from '../../../../../../src-main/engine/proxy/http1/head.ts';
import { observe } from '../../../../../property/http1/observe.ts';

function destination(line: string, host = 'field.test:99') {
  const input = Buffer.from(`${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const seen = observe(input, [], { kind: 'request' });
  return (seen.messages[0]?.head as RequestHead | undefined)?.destination ?? seen.error?.code;
}

describe('destination', () => {
  it('origin-form goes by Host', () => {
    expect(destination('GET /a?b')).toEqual({
      form: 'origin',
      scheme: null,
      authority: 'field.test:99',
      host: 'field.test',
      port: 99,
      path: '/a?b',
    });
    expect(destination('GET /', '')).toMatchObject({ authority: '', host: '', port: null });
    expect(destination('GET /', '[fe80::1]')).toMatchObject({
      authority: '[fe80::1]',
      host: 'fe80::1',
      port: null,
    });
  });

  it('absolute-form wins over Host (RFC 9112, section 3.2.2)', () => {
    expect(destination('GET HTTP://Target.test:80/a?b')).toEqual({
      form: 'absolute',
      scheme: 'http',
      authority: 'Target.test:80',
      host: 'Target.test',
      port: 80,
      path: '/a?b',
    });
  });

  it.each([
    ['GET http://a.test', '/'],
    ['GET http://a.test?q=/x', '/?q=/x'],
    ['OPTIONS http://a.test', '*'],
    ['OPTIONS http://a.test?q', '/?q'],
    ['OPTIONS http://a.test/', '/'],
    ['GET http://a.test//b', '//b'],
  ])('%s asks for %s', (line, path) => expect(destination(line)).toMatchObject({ host: 'a.test', path }));

  it('authority-form is for CONNECT', () => {
    expect(destination('CONNECT a.test:443')).toMatchObject({
      form: 'authority',
      host: 'a.test',
      port: 443,
      path: '',
    });
    expect(destination('CONNECT [::1]:443')).toMatchObject({
      host: '::1',
      port: 443,
      authority: '[::1]:443',
    });
    expect(destination('CONNECT a.test:')).toBe('invalid-target');
  });

  it('asterisk-form is for OPTIONS, and goes by Host', () => {
    expect(destination('OPTIONS *')).toMatchObject({ form: 'asterisk', host: 'field.test', path: '*' });
  });
});

describe('parseAuthority', () => {
  it.each([
    ['a', { host: 'a', port: null }],
    ['a_b.c-d~', { host: 'a_b.c-d~', port: null }],
    ['a:', { host: 'a', port: null }],
    ['a:1', { host: 'a', port: 1 }],
    ['a:65535', { host: 'a', port: 65535 }],
    ['[::]:8', { host: '::', port: 8 }],
  ])('reads %s', (text, expected) => expect(parseAuthority(text)).toEqual(expected));

  it.each([
    ...['', ':80', 'a:0', 'a:65536', 'a:123456', 'a:-1', 'a:+1', 'a: 1', 'a:1:2', 'a b', 'a@b', 'a/b', 'a,b'],
    ...[
      '[',
      '[]',
      '[::1',
      '::1',
      '[::1]x',
      '[::1]:x',
      '[a]',
      '[fe80::1%eth0]',
      '[v1.a]',
      'a%20b',
      'caf\u00e9',
    ],
  ])('refuses %j', (text) => expect(parseAuthority(text)).toBeNull());
});

describe('isIpv6', () => {
  it.each([
    '::',
    '::1',
    '1::',
    '1:2:3:4:5:6:7:8',
    '1::8',
    '::ffff:1.2.3.4',
    '1:2:3:4:5:6:7::',
    '1:2:3:4:5:6:1.2.3.4',
  ])('takes %s', (text) => expect(isIpv6(text)).toBe(true));
  it.each([
    ...[
      '',
      ':',
      ':::',
      '1',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1::2::3',
      '12345::',
      'g::',
      '1:2:3:4:5:6:7:8::',
    ],
    ...['::1.2.3', '::1.2.3.256', '::01.2.3.4', '1.2.3.4::', '1.2.3.4', ':1::2', '1::2:'],
  ])('refuses %j', (text) => expect(isIpv6(text)).toBe(false));
});
