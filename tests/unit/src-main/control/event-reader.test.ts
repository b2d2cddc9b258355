import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { Status } from '#shared/contract/status.ts';
import { EventReader } from '../../../../src-main/control/event-reader.ts';

const removed = (id: string): AgentEvent => ({ type: 'rule.removed', id });
const status = (flowsPerSecond: number): AgentEvent => ({
  type: 'status.changed',
  status: { flowsPerSecond } as Status,
});

function reader(limit = 3) {
  let closed = 0;
  const made = new EventReader(limit, () => (closed += 1));
  return { made, closed: () => closed };
}

/** Everything that can be read without waiting. */
async function drain(made: EventReader): Promise<AgentEvent[]> {
  made.end();
  const events: AgentEvent[] = [];
  for await (const event of made) events.push(event);
  return events;
}

describe('EventReader', () => {
  it('hands over in order, also to who waits already', async () => {
    const { made } = reader();
    const waiting = [made.next(), made.next()];
    made.push(removed('a'));
    made.push(removed('b'));
    made.push(removed('c'));
    expect(await Promise.all(waiting)).toEqual([
      { done: false, value: removed('a') },
      { done: false, value: removed('b') },
    ]);
    expect(await drain(made)).toEqual([removed('c')]);
  });

  it('drops the oldest, and tells how many before the next', async () => {
    const { made } = reader(3);
    for (const id of ['a', 'b', 'c', 'd', 'e']) made.push(removed(id));
    expect(made.dropped).toBe(2);
    expect(await drain(made)).toEqual([
      { type: 'events.dropped', count: 2 },
      removed('c'),
      removed('d'),
      removed('e'),
    ]);
  });

  it('tells each loss once', async () => {
    const { made } = reader(1);
    made.push(removed('a'));
    made.push(removed('b'));
    expect((await made.next()).value).toEqual({ type: 'events.dropped', count: 1 });
    made.push(removed('c'));
    expect((await made.next()).value).toEqual({ type: 'events.dropped', count: 1 });
    expect((await made.next()).value).toEqual(removed('c'));
    expect(made.dropped).toBe(2);
  });

  it('keeps the latest status only, at its newest place', async () => {
    const { made } = reader(2);
    made.push(status(1));
    made.push(removed('a'));
    made.push(status(2));
    made.push(status(3));
    expect(await drain(made)).toEqual([removed('a'), status(3)]);
    expect(made.dropped).toBe(0);
  });

  it('adds hits up to one event', async () => {
    const { made } = reader(1);
    made.push({ type: 'rule.hits', hits: { a: 1, b: 1 } });
    made.push({ type: 'rule.hits', hits: { b: 2, c: 1 } });
    expect(await drain(made)).toEqual([{ type: 'rule.hits', hits: { a: 1, b: 2, c: 1 } }]);
  });

  it('does not change an event that another reader has', async () => {
    const hits = { type: 'rule.hits', hits: { a: 1 } } as const;
    const { made } = reader();
    made.push(hits);
    made.push({ type: 'rule.hits', hits: { a: 2 } });
    expect(hits.hits).toEqual({ a: 1 });
    await drain(made);
  });

  it('can still be read after its end, and says so once', async () => {
    const { made, closed } = reader();
    made.push(removed('a'));
    made.end();
    made.end();
    made.push(removed('b'));
    expect(closed()).toBe(1);
    expect(await drain(made)).toEqual([removed('a')]);
  });

  it('forgets what is queued when its reader goes, and lets those go who wait', async () => {
    const { made, closed } = reader();
    const waiting = made.next();
    await made.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(closed()).toBe(1);
    const full = reader().made;
    full.push(removed('a'));
    full.close();
    expect(await drain(full)).toEqual([]);
  });
});
