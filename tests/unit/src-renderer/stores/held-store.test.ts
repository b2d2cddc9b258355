import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { HeldCall } from '#shared/contract/held.ts';

const held = {
  list: vi.fn<() => Promise<HeldCall[]>>(),
  release: vi.fn(),
  releaseAll: vi.fn(),
};
// The stores ask the agent of a page; here each test answers for it.
vi.mock('../../../../src-renderer/stores/connection-store.ts', () => ({ agent: () => ({ held }) }));
vi.mock('../../../../src-renderer/stores/view-store.ts', () => ({ openView: () => undefined }));
vi.mock('../../../../src-renderer/stores/calls-store.ts', () => ({ selectCall: () => undefined }));

const {
  applyHeldEvent,
  closeHeld,
  forgetHeld,
  heldCount,
  loadHeld,
  markEdited,
  openHeld,
  releaseAllHeld,
  releaseHeld,
  stepHeld,
  useHeld,
} = await import('../../../../src-renderer/stores/held-store.ts');

function callOf(id: string): HeldCall {
  return {
    id,
    flowId: `flow-${id}`,
    ruleId: 'r',
    ruleName: 'r',
    at: 'request',
    heldAt: '2026-03-09T14:32:00.000Z',
    expiresAt: '2026-03-09T14:33:00.000Z',
    onTimeout: 'release',
    caller: 'checkout',
    callee: 'payments',
    method: 'POST',
    url: 'http://payments/v1/charge',
    status: null,
    sizeBytes: 2,
    state: 'held',
  };
}

const add = (id: string): void => applyHeldEvent({ type: 'held.added', call: callOf(id) });
const remove = (id: string, outcome: 'timed-out' | 'released' | 'edited' | 'rule-off'): void =>
  applyHeldEvent({ type: 'held.removed', id, outcome });
const ids = () => useHeld.getState().calls.map(({ id }) => id);
const selected = () => useHeld.getState().selectedId;

beforeEach(() => {
  vi.resetAllMocks();
  useHeld.setState({ calls: [], ended: new Map(), edited: new Set(), isOpen: false, selectedId: null });
});

describe('held calls that nobody looks at', () => {
  it('come and go, and are counted', () => {
    add('a');
    add('b');
    expect(heldCount(useHeld.getState())).toBe(2);
    remove('a', 'timed-out');
    expect(ids()).toEqual(['b']);
    expect(heldCount(useHeld.getState())).toBe(1);
  });

  it('are not counted, and not opened first, once the caller has gone', () => {
    add('a');
    add('b');
    applyHeldEvent({ type: 'held.changed', call: { ...callOf('a'), state: 'caller-gone' } });
    expect(heldCount(useHeld.getState())).toBe(1);
    openHeld();
    expect(selected()).toBe('b');
  });

  it('are not selected by coming, so that nothing jumps', () => {
    add('a');
    expect(selected()).toBeNull();
  });
});

describe('a held call that somebody looks at', () => {
  it('stays when it ends by itself, and says how, until it is dismissed', () => {
    add('a');
    add('b');
    openHeld();
    expect(selected()).toBe('a');
    remove('a', 'timed-out');
    expect(ids()).toEqual(['a', 'b']);
    expect(useHeld.getState().ended.get('a')).toBe('timed-out');
    expect(heldCount(useHeld.getState())).toBe(1);
    forgetHeld('a');
    expect(ids()).toEqual(['b']);
    expect(selected()).toBe('b');
    expect(useHeld.getState().ended.size).toBe(0);
  });

  it('stays when it was edited, also behind another one and with the panel closed', () => {
    add('a');
    add('b');
    openHeld('b');
    markEdited('a', true);
    closeHeld();
    remove('a', 'rule-off');
    remove('b', 'rule-off');
    expect(ids()).toEqual(['a']);
  });

  it('gives its place to the next one when this window lets it go, whichever comes first: answer or event', async () => {
    for (const id of ['a', 'b', 'c']) add(id);
    openHeld();
    held.release.mockImplementationOnce(() => {
      remove('a', 'released');
      return Promise.resolve({ id: 'a', outcome: 'released' });
    });
    await releaseHeld('a', {});
    expect(ids()).toEqual(['b', 'c']);
    expect(selected()).toBe('b');
    held.release.mockResolvedValueOnce({ id: 'b', outcome: 'edited' });
    await releaseHeld('b', { method: 'PUT' });
    remove('b', 'edited');
    expect(ids()).toEqual(['c']);
    expect(selected()).toBe('c');
  });

  it('stays when it timed out while the answer of the agent was on its way', async () => {
    add('a');
    openHeld();
    held.release.mockImplementationOnce(() => {
      remove('a', 'timed-out');
      return Promise.reject(new Error('No call is held as "a".'));
    });
    await releaseHeld('a', { method: 'PUT' });
    expect(useHeld.getState().ended.get('a')).toBe('timed-out');
  });

  it('stays when the agent refuses the edit, and the places are told', async () => {
    add('a');
    openHeld();
    const details = [{ path: 'headers[0][1]', message: 'Expected a field value.', expected: null }];
    const refusal = Object.assign(new Error('refused'), {
      code: 'invalid-input',
      status: 400,
      data: details,
    });
    held.release.mockRejectedValueOnce(refusal);
    expect(await releaseHeld('a', { headers: [['x', 'y']] })).toEqual(details);
    expect(ids()).toEqual(['a']);
    expect(useHeld.getState().ended.size).toBe(0);
  });
});

describe('all held calls released', () => {
  it('are gone, but for an edit that was not sent', async () => {
    for (const id of ['a', 'b', 'c']) add(id);
    openHeld();
    markEdited('b', true);
    held.releaseAll.mockResolvedValueOnce({ released: 3 });
    await releaseAllHeld();
    for (const id of ['a', 'b', 'c']) remove(id, 'released');
    expect(ids()).toEqual(['b']);
    expect(selected()).toBe('b');
  });
});

describe('the list after a new connection', () => {
  it('replaces what was known; what was looked at and is gone says that nothing is known of it', async () => {
    for (const id of ['a', 'b', 'c']) add(id);
    openHeld('b');
    held.list.mockResolvedValueOnce([callOf('c'), callOf('d')]);
    await loadHeld();
    expect(ids()).toEqual(['b', 'c', 'd']);
    expect(useHeld.getState().ended.get('b')).toBe('unknown');
  });

  it('does not lose what was told while it was on its way', async () => {
    held.list.mockImplementationOnce(() => {
      add('new');
      remove('old', 'released');
      return Promise.resolve([callOf('old')]);
    });
    await loadHeld();
    expect(ids()).toEqual(['new']);
  });
});

describe('moving in the list', () => {
  it('stops at both ends', () => {
    for (const id of ['a', 'b']) add(id);
    openHeld();
    stepHeld(-1);
    expect(selected()).toBe('a');
    stepHeld(1);
    stepHeld(1);
    expect(selected()).toBe('b');
  });

  it('an open panel without a call takes the next that comes', () => {
    openHeld();
    add('a');
    add('b');
    expect(selected()).toBe('a');
  });
});
