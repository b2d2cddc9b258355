import { create } from 'zustand';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { HeldAnswer, HeldCall, HeldEdit, HeldOutcome } from '#shared/contract/held.ts';
import { spikeErrorOf } from '#shared/contract/wire-error.ts';
import { selectCall } from './calls-store.ts';
import { agent } from './connection-store.ts';
import { tellFailure } from './toast-store.ts';
import { openView } from './view-store.ts';

/**
 * The calls that breakpoints hold.
 *
 *     held.added ─► calls ─► held.removed ─┬─ by this window, or nobody looks ─► gone
 *                                          └─ somebody looks at it or edited it ─► ended: stays until it is dismissed
 */

/** How a call ended; `unknown`: while the agent was out of reach. */
export type HeldEnd = HeldOutcome | 'unknown';

interface HeldStore {
  /** Oldest first, with those that ended and stay. */
  calls: readonly HeldCall[];
  /** Those that are no longer held, by id. */
  ended: ReadonlyMap<string, HeldEnd>;
  /** With an edit that was not sent. */
  edited: ReadonlySet<string>;
  /** The panel is open. */
  isOpen: boolean;
  selectedId: string | null;
  /** This window's clock minus the agent's, which may be another machine's; null: not known yet. */
  clockAheadMs: number | null;
}

export const useHeld = create<HeldStore>(() => ({
  calls: [],
  ended: new Map(),
  edited: new Set(),
  isOpen: false,
  selectedId: null,
  clockAheadMs: null,
}));

const { getState: state, setState: set } = useHeld;

/** What came while the list was on its way, which may be older: it is applied once more. */
let heard: AgentEvent[] | null = null;
/** Calls that this window is about to let go. */
const acting = new Set<string>();

/** Asks for all of them, after a link is up. */
export async function loadHeld(): Promise<void> {
  const since: AgentEvent[] = [];
  heard = since;
  try {
    const listed = await agent().held.list();
    if (heard === since) heard = null;
    const ids = new Set(listed.map(({ id }) => id));
    const before = state().calls.filter(({ id }) => !ids.has(id));
    const lost = before.filter(({ id }) => !state().ended.has(id));
    set({ calls: [...before, ...listed] });
    for (const { id } of lost) end(id, 'unknown');
    for (const event of since) applyHeldEvent(event);
  } finally {
    if (heard === since) heard = null;
  }
}

/** Keeps the list in step with what the agent tells. */
export function applyHeldEvent(event: AgentEvent): void {
  heard?.push(event);
  switch (event.type) {
    case 'held.added':
      return add(event.call);
    case 'held.changed': {
      const { call } = event;
      return set(({ calls }) => ({ calls: calls.map((known) => (known.id === call.id ? call : known)) }));
    }
    case 'held.removed':
      return end(event.id, event.outcome);
  }
}

function add(call: HeldCall): void {
  const { calls, isOpen, selectedId, clockAheadMs } = state();
  const ahead = Date.now() - Date.parse(call.heldAt);
  const others = calls.filter(({ id }) => id !== call.id);
  set({
    calls: [...others, call],
    // What was told the fastest comes closest.
    clockAheadMs: clockAheadMs === null ? ahead : Math.min(clockAheadMs, ahead),
    // An open panel that has nothing to show takes it; one that shows a call keeps that.
    selectedId: isOpen && selectedId === null ? call.id : selectedId,
  });
}

const byHand: ReadonlySet<HeldEnd> = new Set(['released', 'edited', 'answered', 'dropped']);

function end(id: string, outcome: HeldEnd): void {
  const { calls, ended, edited, isOpen, selectedId } = state();
  const isOurs = acting.delete(id) && byHand.has(outcome);
  if (!calls.some((call) => call.id === id) || ended.has(id)) return;
  const isLookedAt = edited.has(id) || (isOpen && selectedId === id);
  if (isLookedAt && !isOurs) set({ ended: new Map(ended).set(id, outcome) });
  else forgetHeld(id);
}

/** Takes a call off the list; the one that takes its place is the next that is looked at. */
export function forgetHeld(id: string): void {
  const { calls, ended, edited, selectedId } = state();
  const at = calls.findIndex((call) => call.id === id);
  const rest = calls.filter((call) => call.id !== id);
  const next = rest[Math.min(at, rest.length - 1)]?.id ?? null;
  set({
    calls: rest,
    ended: new Map([...ended].filter(([other]) => other !== id)),
    edited: new Set([...edited].filter((other) => other !== id)),
    selectedId: selectedId === id ? next : selectedId,
  });
}

/** Whether an edit would be lost with the call. */
export function markEdited(id: string, isEdited: boolean): void {
  if (state().edited.has(id) === isEdited) return;
  set(({ edited }) => ({
    edited: new Set(isEdited ? [...edited, id] : [...edited].filter((other) => other !== id)),
  }));
}

/** Whether something can still be done with a call: it has not ended, and its caller waits. */
function isWaiting({ id, state: held }: HeldCall, { ended }: Pick<HeldStore, 'ended'>): boolean {
  return held === 'held' && !ended.has(id);
}

/** How many calls are held now. */
export function heldCount(store: Pick<HeldStore, 'calls' | 'ended'>): number {
  return store.calls.filter((call) => isWaiting(call, store)).length;
}

/** Shows the held calls, wherever the user is. */
export function openHeld(id: string | null = null): void {
  const { calls, selectedId } = state();
  const first = calls.find((call) => isWaiting(call, state())) ?? calls[0];
  set({ isOpen: true, selectedId: id ?? selectedId ?? first?.id ?? null });
  selectCall(null);
  openView('live');
}

export function closeHeld(): void {
  set({ isOpen: false });
}

export function selectHeld(id: string): void {
  set({ selectedId: id });
}

/** Selects the call so many rows below the selected one. */
export function stepHeld(by: number): void {
  const { calls, selectedId } = state();
  const at = calls.findIndex(({ id }) => id === selectedId);
  const next = calls[Math.min(calls.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  if (next !== undefined) selectHeld(next.id);
}

/** One thing that the agent refused, and where: `headers[2][1]`. */
export interface RefusedField {
  readonly path: string;
  readonly message: string;
}

export function releaseHeld(id: string, edit: HeldEdit): Promise<readonly RefusedField[]> {
  return act(id, () => agent().held.release({ params: { id }, body: edit }));
}

export function dropHeld(id: string): Promise<readonly RefusedField[]> {
  return act(id, () => agent().held.drop({ id }));
}

export function answerHeld(id: string, answer: HeldAnswer): Promise<readonly RefusedField[]> {
  return act(id, () => agent().held.answer({ params: { id }, body: answer }));
}

/** Lets all of them go on as they came. An edit that is lost by it stays on the screen. */
export async function releaseAllHeld(): Promise<void> {
  const { calls, edited } = state();
  const ids = calls.map(({ id }) => id).filter((id) => !edited.has(id));
  for (const id of ids) acting.add(id);
  try {
    await agent().held.releaseAll();
  } catch (error) {
    for (const id of ids) acting.delete(id);
    tellFailure(error);
  }
}

/** @returns the fields that were refused; another failure is told. */
async function act(
  id: string,
  command: () => Promise<{ outcome: HeldOutcome }>,
): Promise<readonly RefusedField[]> {
  acting.add(id);
  try {
    const { outcome } = await command();
    end(id, outcome);
    return [];
  } catch (error) {
    acting.delete(id);
    const refused = refusedFields(error);
    if (refused.length === 0 && !state().ended.has(id)) tellFailure(error); // an end is told beside the edit
    return refused;
  }
}

function refusedFields(error: unknown): readonly RefusedField[] {
  const known = spikeErrorOf(error);
  if (known?.code !== 'invalid-input' || !Array.isArray(known.details)) return [];
  return known.details.filter(isRefusedField);
}

function isRefusedField(detail: unknown): detail is RefusedField {
  return (
    typeof detail === 'object' &&
    detail !== null &&
    typeof (detail as Partial<RefusedField>).path === 'string' &&
    typeof (detail as Partial<RefusedField>).message === 'string'
  );
}
