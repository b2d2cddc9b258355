import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { Status } from '#shared/contract/status.ts';
import { EventHub } from '../../../../src-main/control/event-hub.ts';
import type { EventReader } from '../../../../src-main/control/event-reader.ts';
import type { Clock } from '../../../../src-main/engine/clock.ts';

/** A clock whose one timer is fired by hand. */
function handClock() {
  let pending: (() => void) | null = null;
  const clock: Clock = {
    now: () => 0,
    setTimer(_delayMs, callback) {
      pending = callback;
      return { cancel: () => (pending = null) };
    },
  };
  return { clock, tick: () => pending?.(), isSet: () => pending !== null };
}

function startHub(limits: { maxQueuedEvents?: number; maxReaders?: number } = {}) {
  const listeners = new Set<(event: AgentEvent) => void>();
  const time = handClock();
  const state = { flowsPerSecond: 1 };
  const hub = new EventHub({
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    status: () => ({ ...state }) as Status,
    clock: time.clock,
    ...limits,
  });
  const emit = (event: AgentEvent): void => listeners.forEach((listener) => listener(event));
  return { hub, emit, listeners, time, state };
}

const cleared: AgentEvent = { type: 'flow.cleared' };
const take = async (reader: EventReader) => (await reader.next()).value as AgentEvent;

describe('EventHub', () => {
  it('follows the engine only while somebody reads', () => {
    const { hub, listeners, time } = startHub();
    expect(listeners.size).toBe(0);
    const first = hub.open();
    const second = hub.open();
    expect(listeners.size).toBe(1);
    first.close();
    expect(listeners.size).toBe(1);
    second.close();
    second.close();
    expect(listeners.size).toBe(0);
    expect(time.isSet()).toBe(false);
    hub.open().close();
    expect(listeners.size).toBe(0);
  });

  it('gives every reader every event, after the status', async () => {
    const { hub, emit } = startHub();
    const readers = [hub.open(), hub.open()];
    emit(cleared);
    for (const reader of readers) {
      expect(await take(reader)).toEqual({ type: 'status.changed', status: { flowsPerSecond: 1 } });
      expect(await take(reader)).toEqual(cleared);
    }
  });

  it('completes the status of the engine, which knows its own part only', async () => {
    const { hub, emit, state } = startHub();
    const reader = hub.open();
    await take(reader);
    state.flowsPerSecond = 2;
    emit({ type: 'status.changed', status: {} as Status });
    expect(await take(reader)).toEqual({ type: 'status.changed', status: { flowsPerSecond: 2 } });
  });

  it('sends a status with the tick when it has changed, and only then', async () => {
    const { hub, emit, time, state } = startHub();
    const reader = hub.open();
    await take(reader);
    state.flowsPerSecond = 2;
    time.tick();
    expect(await take(reader)).toMatchObject({ status: { flowsPerSecond: 2 } });
    time.tick();
    emit(cleared);
    expect(await take(reader)).toEqual(cleared);
  });

  it('counts what readers lost, those that have gone included', () => {
    const { hub, emit } = startHub({ maxQueuedEvents: 1 });
    const gone = hub.open();
    emit(cleared);
    emit(cleared);
    expect(hub.droppedEvents).toBe(2);
    gone.close();
    expect(hub.droppedEvents).toBe(2);
    hub.open();
    emit(cleared);
    expect(hub.droppedEvents).toBe(3);
    hub.close();
  });

  it('one slow reader costs the others nothing', async () => {
    const { hub, emit } = startHub({ maxQueuedEvents: 1 });
    hub.open();
    const fast = hub.open();
    await take(fast);
    for (let count = 0; count < 10; count += 1) {
      emit(cleared);
      expect(await take(fast)).toEqual(cleared);
    }
    hub.close();
  });

  it('refuses a reader too many, and takes one again when one has gone', () => {
    const { hub } = startHub({ maxReaders: 1 });
    const reader = hub.open();
    expect(() => hub.open()).toThrow(expect.objectContaining({ code: 'not-available' }));
    reader.close();
    hub.open().close();
  });

  it('ends its readers when it closes, after what they have yet to read', async () => {
    const { hub, emit, listeners } = startHub();
    const reader = hub.open();
    emit(cleared);
    hub.close();
    expect(listeners.size).toBe(0);
    await take(reader);
    expect(await take(reader)).toEqual(cleared);
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });
});
