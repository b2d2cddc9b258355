import { describe, expect, it } from 'vitest';
import { AutoPassthroughBook } from '../../../../../src-main/engine/tls/auto-passthrough.ts';
import type { TlsRejection } from '../../../../../src-main/engine/tls/auto-passthrough.ts';
import { AutoPassthroughView } from '../../../../../src-main/engine/tls/auto-passthrough-view.ts';

const limits = { passMs: 1000, maxRemembered: 3, silentRejections: 3, silentWithinMs: 100 };
const says = (client: string, alert: string | null = 'unknown_ca', name = 'Api.Bank.test'): TlsRejection => ({
  client,
  name,
  alert,
});

function bookAt(startMs = 0) {
  const time = { now: startMs };
  return { time, book: new AutoPassthroughBook(() => time.now, limits) };
}

describe('the primary', () => {
  it('passes a client through at its first alert, until the time is over', () => {
    const { time, book } = bookAt(5);
    expect(book.rejected(says('checkout'))).toMatchObject({ client: 'checkout', name: 'api.bank.test' });
    expect(book.list()).toEqual([
      expect.objectContaining({ reason: 'unknown_ca', sinceMs: 5, untilMs: 1005 }) as unknown,
    ]);
    time.now = 1004;
    expect(book.list()).toHaveLength(1);
    time.now = 1005;
    expect(book.list()).toEqual([]);
    expect(book.snapshot()).toEqual([]);
  });

  it('suspects silence, and is sure of it when it comes again and again', () => {
    const { time, book } = bookAt();
    expect(book.rejected(says('node', null))).toBeNull();
    expect(book.snapshot()).toMatchObject([{ client: 'node', untilMs: null }]);
    time.now = 90;
    expect(book.rejected(says('node', null))).toBeNull();
    time.now = 180;
    expect(book.rejected(says('node', null))?.reason).toBe('hung up 3 times without a word');
  });

  it('counts silence anew after a pause, and after a connection that went on', () => {
    const { time, book } = bookAt();
    book.rejected(says('node', null));
    book.rejected(says('node', null));
    time.now = 101;
    expect(book.rejected(says('node', null))).toBeNull();
    book.rejected(says('node', null));
    expect(book.accepted('node', 'API.bank.test')).toBe(true);
    expect(book.accepted('node', 'api.bank.test')).toBe(false);
    expect(book.rejected(says('node', null))).toBeNull();
  });

  it('keeps an entry when another client of that name goes on, and drops it when it is told to forget', () => {
    const { book } = bookAt();
    const entry = book.rejected(says('curl'));
    expect(book.accepted('curl', 'api.bank.test')).toBe(false);
    expect(book.forget('none')).toBe(false);
    expect(book.forget(entry?.id ?? '')).toBe(true);
    expect(book.list()).toEqual([]);
  });

  it('remembers so many, the last that rejected', () => {
    const { time, book } = bookAt();
    for (const client of ['a', 'b', 'c', 'a', 'd']) {
      time.now += 1;
      book.rejected(says(client));
    }
    expect(book.list().map((entry) => entry.client)).toEqual(['d', 'a', 'c']);
  });

  it('takes clients and names apart', () => {
    const { book } = bookAt();
    book.rejected(says('ab', 'unknown_ca', 'c'));
    book.rejected(says('a', 'unknown_ca', 'bc'));
    expect(book.list()).toHaveLength(2);
  });
});

describe('a worker', () => {
  function viewAt(nowMs: number) {
    const told: string[] = [];
    const view = new AutoPassthroughView(() => nowMs, {
      rejected: ({ client, alert }) => told.push(`${client} ${alert ?? 'silent'}`),
      accepted: (client) => told.push(`${client} accepts`),
    });
    return { view, told };
  }
  const entry = { client: 'checkout', name: 'api.bank.test', reason: 'unknown_ca', sinceMs: 43_387_000 };

  it('says why, while it holds', () => {
    const { view } = viewAt(50_000_000);
    view.configure(true, [{ ...entry, untilMs: 50_000_001 }]);
    expect(view.noteOn('checkout', 'API.bank.test')).toBe(
      "Passed through: checkout does not trust Spike's CA (unknown_ca, at 12:03:07 UTC).",
    );
    expect(view.noteOn('orders', 'api.bank.test')).toBeNull();
    expect(view.concerns('api.BANK.test')).toBe(true);
    expect(view.concerns('other.test')).toBe(false);
    view.configure(true, [{ ...entry, untilMs: 50_000_000 }]);
    expect(view.noteOn('checkout', 'api.bank.test')).toBeNull();
  });

  it('only suspects where nothing is certain, and tells when the client goes on', () => {
    const { view, told } = viewAt(0);
    view.configure(true, [{ ...entry, untilMs: null }]);
    expect(view.noteOn('checkout', 'api.bank.test')).toBeNull();
    view.accepted('checkout', 'api.bank.test');
    view.accepted('orders', 'api.bank.test');
    expect(told).toEqual(['checkout accepts']);
  });

  it('does not take the silence of a client that has gone on before for a rejection, but an alert', () => {
    const { view, told } = viewAt(0);
    view.configure(true, []);
    view.accepted('node', 'api.bank.test');
    view.rejected(says('node', null));
    view.rejected(says('node'));
    view.rejected(says('node', null));
    expect(told).toEqual(['node unknown_ca', 'node silent']);
  });

  it('does and tells nothing when it is off', () => {
    const { view, told } = viewAt(0);
    view.configure(false, [{ ...entry, untilMs: 1 }]);
    view.rejected(says('node'));
    expect(view.noteOn('checkout', 'api.bank.test')).toBeNull();
    expect(told).toEqual([]);
  });
});
