import { describe, expect, it } from 'vitest';
import {
  ownerOnly,
  rejectionWords,
  troubledWorkers,
  workerWords,
} from '../../../../../src-renderer/features/setup/machine-words.ts';
import { proxyCommand } from '../../../../../src-renderer/features/setup/proxy-commands.ts';
import {
  exampleFor,
  fieldOfRefusal,
  readRoute,
} from '../../../../../src-renderer/features/setup/route-form.ts';
import { inShell, trustGuides } from '../../../../../src-renderer/features/setup/trust-guides.ts';

const worker = {
  number: 3,
  pid: 42,
  state: 'ready' as const,
  startedAt: null,
  restarts: 0,
  openConnections: 0,
  lastExit: null,
};

describe('readRoute', () => {
  const texts = { name: 'postgres', listen: '127.0.0.1:9432', upstream: 'tcp://127.0.0.1:5432' };

  it('reads a route, with a bare port on this machine', () => {
    expect(readRoute(texts, []).route).toEqual(texts);
    expect(readRoute({ ...texts, listen: ' 9432 ' }, []).route?.listen).toBe('127.0.0.1:9432');
  });

  it('says what is wrong with which field', () => {
    expect(readRoute({ name: '', listen: 'x', upstream: 'tcp://a' }, []).problems).toMatchObject({
      name: expect.stringContaining('letters'),
      listen: expect.stringContaining('address and a port'),
      upstream: expect.stringContaining('port'),
    });
    expect(readRoute({ ...texts, listen: '127.0.0.1:70000' }, []).problems).toHaveProperty('listen');
    expect(readRoute(texts, ['postgres']).problems).toHaveProperty('name');
  });

  it('knows which field a refusal is about', () => {
    expect([fieldOfRefusal('port-in-use'), fieldOfRefusal('conflict'), fieldOfRefusal(null)]).toEqual([
      'listen',
      'name',
      null,
    ]);
  });

  it('shows an address in the form that its clients take', () => {
    expect(exampleFor('tcp://127.0.0.1:5432', '127.0.0.1:9432')).toBe(
      'DATABASE_URL=postgres://app@127.0.0.1:9432/shop',
    );
    expect(exampleFor('https://api.example', '127.0.0.1:9101')).toBe('http://127.0.0.1:9101');
    expect(exampleFor('tcp://127.0.0.1:1234', '127.0.0.1:9101')).toBe('127.0.0.1:9101');
  });
});

describe('commands to copy', () => {
  it('name the caller by the user name of the proxy', () => {
    expect(proxyCommand('bash', '127.0.0.1:7070', 'web')).toBe(
      'export {http,https}_proxy=http://web:x@127.0.0.1:7070',
    );
    expect(proxyCommand('fish', '127.0.0.1:7070', 'web')).toContain('set -gx https_proxy http://web:x@');
    expect(proxyCommand('powershell', '127.0.0.1:7070', 'a b')).toContain("'http://a%20b:x@");
  });

  it('take a path as one word', () => {
    expect(inShell('/home/me/ca.pem')).toBe('/home/me/ca.pem');
    expect(inShell("/home/o'hara x/ca.pem")).toBe(`'/home/o'\\''hara x/ca.pem'`);
  });

  it.each(trustGuides)('$label is told by the file of the CA', ({ commands }) => {
    expect(commands('/home/me/ca.pem', '127.0.0.1:7070').join('\n')).toContain('/home/me/ca.pem');
  });
});

describe('the words of workers and keys', () => {
  it('tell of workers that were replaced or are not ready', () => {
    const lastExit = {
      at: '2026-01-01T00:00:00.000Z',
      reason: 'signal SIGKILL',
      replacedAfterMs: 400,
      lostFlows: 7,
    };
    const replaced = { ...worker, restarts: 2, lastExit };
    expect(troubledWorkers([worker, replaced])).toEqual([replaced]);
    expect(workerWords(replaced)).toMatch(
      /^Worker 3 is ready, replaced 2 times\. Last at .*: signal SIGKILL, 7 calls cut\.$/,
    );
    expect(workerWords({ ...worker, state: 'backing-off' })).toBe(
      'Worker 3 waits before it is started again.',
    );
  });

  it('know whose eyes a mode is for', () => {
    expect(['0600', '0400', '0644', null].map(ownerOnly)).toEqual([true, true, false, null]);
  });
});

describe('rejectionWords', () => {
  it('says what the client did', () => {
    expect(rejectionWords('unknown_ca')).toBe('It sent unknown_ca');
    expect(rejectionWords('hung up 3 times without a word')).toBe('It hung up 3 times without a word');
  });
});
