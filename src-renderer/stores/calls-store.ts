import { create } from 'zustand';
import type { FlowBatchEvent } from '#shared/contract/events.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import { addTerm, compileSearch, parseSearch } from '#shared/flow/search.ts';
import type { RowMatch, SearchError } from '#shared/flow/search.ts';
import { agent } from './connection-store.ts';
import { FlowLog } from './flow-log.ts';
import { firstMs, lastMs } from './time-range.ts';
import type { TimeRange } from './time-range.ts';
import { tellFailure } from './toast-store.ts';

/**
 * The calls of Live.
 *
 *     flow.batch ─► incoming ─(once an animation frame)─► commit ─┬─ following ─► log ─► version + 1 ─► React
 *                                                                 └─ paused ───► newer (the pill counts them)
 *
 * The rows are outside of React's state; a component that shows them reads `callLog` and re-renders with `version`.
 */

export const listedAtMost = 100_000;
const pageSize = 2000;
const hiddenCommitMs = 1000;
const topUpMs = 1000;

/** Why the list stands still. Empty: it follows the newest call. */
export type PauseReason = 'scroll' | 'hover' | 'select';

interface CallsStore {
  /** Counts up with every change of `callLog`. */
  version: number;
  /** The rows of the log that are within the time range: from `first`, before `end`. */
  first: number;
  end: number;
  paused: ReadonlySet<PauseReason>;
  /** Calls that came while the list stood still. */
  newer: number;
  /** 1: the list has every call. Above: one in so many of the newest. */
  sampledOneIn: number;
  /** What is written in the search box. */
  searchText: string;
  /** What the list shows: the last search that was understood. */
  search: string;
  searchError: SearchError | null;
  range: TimeRange;
  /** What the strip spans: the range, or the one before while a part of it is marked. */
  stripRange: TimeRange;
  selectedId: string | null;
  /** How many calls the capture holds, whatever the search; null until the agent has said it. */
  total: number | null;
  /** The first page of a search is on its way. */
  loading: boolean;
  /** Where older calls go on in the agent; null: there are none. */
  olderAfter: string | null;
}

const startRange: TimeRange = { kind: 'last', ms: 300_000 };

export const callLog = new FlowLog(listedAtMost);

export const useCalls = create<CallsStore>(() => ({
  version: 0,
  first: 0,
  end: 0,
  paused: new Set(),
  newer: 0,
  sampledOneIn: 1,
  searchText: '',
  search: '',
  searchError: null,
  range: startRange,
  stripRange: startRange,
  selectedId: null,
  total: null,
  loading: true,
  olderAfter: null,
}));

const { getState: state, setState: set } = useCalls;

let incoming: FlowSummary[] = [];
let commitScheduled = false;
/** Came while paused, by id; the newest last. */
const newer = new Map<string, FlowSummary>();
let matches: (flow: FlowSummary) => RowMatch = () => true;
/** A reader that comes back with the answer to an older question is ignored. */
let generation = 0;
let loadingOlder = false;
let topUpTimer: ReturnType<typeof setTimeout> | null = null;

export function receiveBatch(batch: FlowBatchEvent): void {
  for (const flow of batch.flows) incoming.push(flow);
  if (incoming.length > listedAtMost) incoming = incoming.slice(-listedAtMost);
  const { total, sampledOneIn } = state();
  if (total !== null || sampledOneIn !== batch.sampledOneIn) {
    set({ total: total === null ? null : total + batch.total, sampledOneIn: batch.sampledOneIn });
  }
  if (batch.sampledOneIn > 1 && state().search !== '') topUp();
  scheduleCommit();
}

/** One commit a frame, however many batches came; a hidden window has no frames, so a timer takes their place. */
function scheduleCommit(): void {
  if (commitScheduled) return;
  commitScheduled = true;
  if (document.hidden) setTimeout(commit, hiddenCommitMs);
  else requestAnimationFrame(commit);
}

function commit(): void {
  commitScheduled = false;
  const arrived = incoming;
  incoming = [];
  for (const flow of arrived) take(flow);
  publish();
}

function take(flow: FlowSummary): void {
  const match = matches(flow);
  if (match === 'needs-store') topUp();
  else if (match) place(flow);
  else callLog.remove(flow.id);
}

/** Puts a call that matches where it belongs: in the list, or behind the pill while the list stands still. */
function place(flow: FlowSummary): void {
  if (state().paused.size === 0) callLog.put(flow);
  else if (!callLog.replace(flow) && flow.startedAtMs < lastMs(state().range)) newer.set(flow.id, flow);
  if (newer.size > listedAtMost) newer.delete(newer.keys().next().value!);
}

/** Tells React about the log as it is now. While paused, the first row stays where it is. */
function publish(): void {
  const { version, range, paused, first } = state();
  const from = firstMs(range, newestMs());
  const start = paused.size > 0 && range.kind === 'last' ? first : callLog.firstSince(from);
  const end = callLog.firstSince(lastMs(range));
  set({ version: version + 1, first: Math.min(start, end), end, newer: newer.size });
}

function newestMs(): number {
  return Math.max(Date.now(), callLog.at(callLog.length - 1)?.flow.startedAtMs ?? 0);
}

/** Some rows of a search are known to the agent alone: those a sample left out, those that a header or a body decides. */
function topUp(): void {
  if (topUpTimer !== null) return;
  topUpTimer = setTimeout(async () => {
    const asked = generation;
    try {
      const page = await agent().flows.summaries({ filter: state().search, limit: pageSize });
      if (asked !== generation) return;
      for (const flow of page.rows) if (callLog.indexOf(flow.id) < 0) place(flow);
      publish();
    } catch {
      // The connection notice tells that the agent is away; the next batch asks again.
    } finally {
      topUpTimer = null;
    }
  }, topUpMs);
}

/** Asks for the newest calls that match, anew. */
export async function loadCalls(): Promise<void> {
  generation += 1;
  const asked = generation;
  set({ loading: true });
  try {
    const { search } = state();
    const [page, count] = await Promise.all([
      agent().flows.summaries({ filter: search, limit: pageSize }),
      agent().flows.count({ filter: '' }),
    ]);
    if (asked !== generation) return;
    showPage(page.rows);
    set({ olderAfter: page.next, total: count.total });
    publish();
  } catch (error) {
    if (asked === generation) tellFailure(error);
  } finally {
    if (asked === generation) set({ loading: false });
  }
}

/** Replaces the list by a page, but keeps what came while the page was on its way. */
function showPage(rows: readonly FlowSummary[]): void {
  const newestOnPage = rows[0]?.id ?? '';
  const since: FlowSummary[] = [];
  for (let index = callLog.length - 1; index >= 0; index -= 1) {
    const flow = callLog.at(index)!.flow;
    if (flow.id <= newestOnPage) break;
    if (matches(flow) === true) since.push(flow);
  }
  callLog.clear();
  callLog.prepend(rows);
  for (const flow of since.reverse()) callLog.put(flow);
}

/** Asks for a page of older calls; they come before the present ones, which keep their place under the eye. */
export async function loadOlder(): Promise<void> {
  const { olderAfter, search, range } = state();
  const oldest = callLog.at(0)?.flow.startedAtMs;
  const reachesBack = oldest !== undefined && oldest < firstMs(range, newestMs());
  if (olderAfter === null || loadingOlder || reachesBack || callLog.length >= listedAtMost) return;
  loadingOlder = true;
  const asked = generation;
  try {
    const page = await agent().flows.summaries({ filter: search, limit: pageSize, after: olderAfter });
    if (asked !== generation) return;
    const { first } = state();
    const added = callLog.prepend(page.rows);
    set({ olderAfter: page.next, first: state().paused.size > 0 && first > 0 ? first + added : 0 });
    publish();
  } catch (error) {
    tellFailure(error);
  } finally {
    loadingOlder = false;
  }
}

/** Stands still for a reason, until `resume` or until that reason has passed. */
export function pause(reason: PauseReason): void {
  const { paused } = state();
  if (!paused.has(reason)) set({ paused: new Set([...paused, reason]) });
}

/** The reason has passed; the list follows again when it was the last one. */
export function unpause(reason: PauseReason): void {
  const { paused, range } = state();
  if (!paused.has(reason) || range.kind === 'between') return; // what is over brings nothing new
  const rest = new Set([...paused].filter((other) => other !== reason));
  if (rest.size === 0) followNewest();
  else set({ paused: rest });
}

/** Follows the newest call, with what came in the meantime. */
export function followNewest(): void {
  set({ paused: new Set() });
  for (const flow of newer.values()) callLog.put(flow);
  newer.clear();
  const { range, stripRange } = state();
  if (range.kind === 'between') set({ range: stripRange });
  publish();
}

/** What is written in the search box. The list changes when it is understood, else keeps the last one that was. */
export function setSearchText(searchText: string): void {
  const parsed = parseSearch(searchText);
  set({ searchText, searchError: parsed.ok ? null : parsed.error });
  if (!parsed.ok || searchText.trim() === state().search) return;
  matches = compileSearch(parsed.ast);
  newer.clear();
  set({ search: searchText.trim(), paused: new Set(), newer: 0 });
  void loadCalls();
}

/** Adds `key:value` to the search. */
export function addSearchTerm(key: string, value: string): void {
  const quoted = /^[\w.-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
  setSearchText(addTerm(state().searchText, `${key}:${quoted}`));
}

export function setRange(range: TimeRange): void {
  for (const flow of newer.values()) callLog.put(flow);
  newer.clear();
  if (range.kind !== 'between') set({ stripRange: range });
  set({ range, paused: range.kind === 'between' ? new Set<PauseReason>(['scroll']) : new Set() });
  publish();
}

/** Shows a call in the panel; null closes it. */
export function selectCall(id: string | null): void {
  if (id !== null) pause('select');
  set({ selectedId: id });
}

/** Shows the newest calls without leaving any out: the list stands still, since nobody could read them passing by. */
export async function showEveryCall(): Promise<void> {
  pause('scroll');
  await loadCalls();
}

/** The agent forgot all calls, on whoever's order. */
export function clearCalls(): void {
  generation += 1;
  incoming = [];
  newer.clear();
  callLog.clear();
  set({ total: 0, olderAfter: null, selectedId: null, paused: new Set(), loading: false });
  publish();
}
