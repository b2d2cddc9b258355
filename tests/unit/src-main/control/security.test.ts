import { describe, expect, it } from 'vitest';
import {
  checkBearer,
  checkHost,
  checkOrigin,
  checkSubprotocols,
} from '../../../../src-main/control/security.ts';

const token = 'a-token_with.no-secret0123456789';

describe('checkHost', () => {
  const facts = (host: string | undefined, localAddress = '127.0.0.1', localPort = 7071) =>
    checkHost({ host, localAddress, localPort })?.code ?? 'fine';

  it.each(['127.0.0.1:7071', 'localhost:7071', 'LocalHost:7071', '[::1]:7071'])('lets %s in', (host) =>
    expect(facts(host)).toBe('fine'),
  );

  it.each([
    undefined,
    '',
    'evil.example:7071',
    'localhost.evil.example:7071',
    '127.0.0.1.evil.example:7071',
    '127.0.0.1:7072',
    '127.0.0.1',
    'localhost:7071:7071',
    'localhost:',
    'user@localhost:7071',
    'localhost:7071/',
    '127.1:7071',
    '192.168.1.5:7071',
    '::1:7071',
  ])('refuses %s', (host) => expect(facts(host)).toBe('forbidden-host'));

  it('takes a host without a port for port 80', () => {
    expect(facts('localhost', '127.0.0.1', 80)).toBe('fine');
  });

  it('takes the address that was dialled, where it is bound to others than loopback', () => {
    expect(facts('192.168.1.5:7071', '192.168.1.5')).toBe('fine');
    expect(facts('192.168.1.5:7071', '::ffff:192.168.1.5')).toBe('fine');
    expect(facts('[fd00::1]:7071', 'fd00::1')).toBe('fine');
    expect(facts('192.168.1.6:7071', '192.168.1.5')).toBe('forbidden-host');
  });
});

describe('checkOrigin', () => {
  const origin = (value: string | undefined, allowed?: string[]) =>
    checkOrigin(value, '127.0.0.1:7071', allowed)?.code ?? 'fine';

  it('is fine without one (no browser), and with its own', () => {
    expect(origin(undefined)).toBe('fine');
    expect(origin('http://127.0.0.1:7071')).toBe('fine');
  });

  it.each([
    'null',
    '',
    'http://127.0.0.1',
    'https://127.0.0.1:7071',
    'http://127.0.0.1:7071.evil.example',
    'file://',
  ])('refuses "%s"', (value) => expect(origin(value)).toBe('forbidden-origin'));

  it('lets a development server in that was named, and no other', () => {
    expect(origin('http://localhost:5173', ['http://localhost:5173'])).toBe('fine');
    expect(origin('http://localhost:5174', ['http://localhost:5173'])).toBe('forbidden-origin');
  });
});

describe('checkBearer', () => {
  const bearer = (value: string | undefined) => checkBearer(value, token)?.code ?? 'fine';

  it('takes the token, whatever the case of the scheme', () => {
    expect(bearer(`Bearer ${token}`)).toBe('fine');
    expect(bearer(`bearer ${token}`)).toBe('fine');
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    token,
    `Basic ${token}`,
    `Bearer ${token}x`,
    `Bearer ${token} x`,
  ])('refuses "%s"', (value) => expect(bearer(value)).toBe('unauthorized'));

  it('refuses every beginning of the token', () => {
    for (let length = 1; length < token.length; length += 1) {
      expect(bearer(`Bearer ${token.slice(0, length)}`)).toBe('unauthorized');
    }
  });

  it('never says what the token is', () => {
    expect(checkBearer('Bearer wrong', token)?.message).not.toContain(token);
  });
});

describe('checkSubprotocols', () => {
  const offer = (value: string | undefined) => checkSubprotocols(value, token)?.code ?? 'fine';

  it('finds the token anywhere in the offer', () => {
    expect(offer(`spike.v1, token.${token}`)).toBe('fine');
    expect(offer(`token.${token},spike.v1`)).toBe('fine');
  });

  it.each([undefined, '', 'spike.v1', token, 'token.', `token.x, token.${token}`, `spike.v1 token.${token}`])(
    'refuses "%s"',
    (value) => expect(offer(value)).toBe('unauthorized'),
  );
});
