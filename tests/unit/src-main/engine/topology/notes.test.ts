import { describe, expect, it } from 'vitest';
import { duration, noteOf, rate } from '../../../../../src-main/engine/topology/notes.ts';
import type { NoteFacts } from '../../../../../src-main/engine/topology/notes.ts';

const facts: NoteFacts = {
  health: 'fine',
  isClient: false,
  conversation: null,
  perSecond: 12,
  calls: 720,
  inFlight: 2,
  failed: 0,
  unreachable: 0,
  clientErrors: 0,
  injectedFailed: 0,
  injectedStatuses: {},
  p95: 96,
  seconds: 60,
};

describe('noteOf', () => {
  it.each<[string, Partial<NoteFacts>]>([
    ['61/s', { isClient: true, perSecond: 61.2, p95: null }],
    ['p95 96 ms', {}],
    ['p95 2.47 s', { health: 'slow', p95: 2470 }],
    ['tcp, 14 open', { conversation: 'tcp', inFlight: 14 }],
    ['6.4/s get 503', { health: 'faulted', injectedStatuses: { '503': 384, '429': 3 }, injectedFailed: 387 }],
    ['0.5/s cut', { health: 'faulted', injectedFailed: 30 }],
    ['p95 2.31 s', { health: 'faulted', p95: 2310 }],
    ['unreachable', { health: 'failing', failed: 12, unreachable: 12 }],
    ['15 % failed', { health: 'failing', failed: 108 }],
    ['25 % refused', { health: 'failing', clientErrors: 180 }],
    ['no calls', { health: 'idle', p95: null, inFlight: 0, calls: 0 }],
    ['1 open', { p95: null, inFlight: 1, calls: 0 }],
  ])('%s', (note, different) => {
    expect(noteOf({ ...facts, ...different })).toBe(note);
  });
});

describe('figures for people', () => {
  it.each([
    [0, '0/s'],
    [0.01, '< 0.1/s'],
    [0.2, '0.2/s'],
    [6.4, '6.4/s'],
    [9.96, '10/s'],
    [1234.5, '1,235/s'],
  ])('%d is %s', (perSecond, text) => expect(rate(perSecond)).toBe(text));

  it.each([
    [0.04, '0.0 ms'],
    [8.4, '8.4 ms'],
    [9.99, '10.0 ms'],
    [148.2, '148 ms'],
    [999.6, '1.00 s'],
    [2190, '2.19 s'],
    [12_340, '12.3 s'],
    [9996, '10.0 s'],
    [123_400, '123 s'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});
