import { setImmediate } from 'node:timers/promises';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { Clock } from '../clock.ts';
import { CallTally } from '../scenarios/call-tally.ts';
import type { CallTallies, TallyQuery } from '../scenarios/call-tally.ts';
import type { CaptureStore } from './capture-store.ts';

/** Counting works no longer than this; then it says that it is not complete. */
const maxCountMs = 20_000;
/** Rows looked at, about, before batches have their turn again. */
const windowRows = 500;
/** Ids carry the start of their flow; the row says it to the µs. */
const idSlackMs = 2;

/** Counts the stored calls of a span of time; on the recorder's thread, as searches are. */
export async function countCalls(
  store: CaptureStore,
  clock: Pick<Clock, 'now'>,
  query: TallyQuery,
): Promise<CallTallies> {
  const beganMs = clock.now();
  const tally = new CallTally(query);
  const [firstMs, lastMs] = [query.boundsMs[0] as number, query.boundsMs.at(-1) as number];
  const isInSpan = ({ startedAtMs }: FlowSummary): boolean => startedAtMs >= firstMs && startedAtMs < lastMs;
  const inSpan = {
    sql: 'started_ms >= ? AND started_ms < ?',
    parameters: [firstMs, lastMs],
    matches: isInSpan,
  };
  const oldestId = idAt(firstMs - idSlackMs);
  let before = idAt(lastMs + idSlackMs);
  for (;;) {
    const windowEnd = store.windowEnd(before, windowRows);
    const end = windowEnd < oldestId ? oldestId : windowEnd;
    for (const row of store.summaries(inSpan, before, end)) tally.add(row);
    if (end === oldestId) return tally.result(true);
    if (clock.now() - beganMs >= maxCountMs) return tally.result(false);
    before = end;
    await setImmediate();
  }
}

/** Below all ids of flows that begin at that time (flow-id.ts). */
function idAt(unixMs: number): string {
  return Math.max(0, Math.floor(unixMs)).toString(36).padStart(9, '0');
}
