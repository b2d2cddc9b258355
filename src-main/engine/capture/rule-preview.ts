import { setImmediate } from 'node:timers/promises';
import { SpikeError } from '#shared/contract/errors.ts';
import type { RulePreview } from '#shared/contract/rule-preview.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { Clock } from '../clock.ts';
import { PreviewRun } from '../rules/rule-preview.ts';
import type { PreviewedRule } from '../rules/rule-preview.ts';
import type { StoredCallSource } from '../rules/stored-call.ts';
import { MalformedBatchError } from './batch-codec.ts';
import type { CaptureStore } from './capture-store.ts';

export interface PreviewQuery {
  readonly rule: PreviewedRule;
  readonly windowMs: number;
  readonly limit: number;
}

/** One preview works no longer than this; then it says that it is not complete. */
const maxPreviewMs = 2000;
/** Rows looked at before batches have their turn again. */
const windowRows = 500;

/** Looks through the newest flows of a store for what a rule would have hit; on the recorder's thread, as searches are. */
export async function previewRule(
  store: CaptureStore,
  clock: Pick<Clock, 'now'>,
  { rule, windowMs, limit }: PreviewQuery,
): Promise<RulePreview> {
  const startMs = clock.now();
  const fromMs = startMs - windowMs;
  const run = new PreviewRun(rule, fromMs, windowMs);
  const isRecent = ({ startedAtMs }: FlowSummary): boolean => startedAtMs >= fromMs;
  const inWindow = { sql: 'started_ms >= ?', parameters: [fromMs], matches: isRecent };
  const oldestId = Math.max(0, Math.floor(fromMs)).toString(36).padStart(9, '0');
  let before: string | null = null;
  for (;;) {
    const windowEnd = store.windowEnd(before, windowRows);
    const end: string = windowEnd < oldestId ? oldestId : windowEnd;
    for (const row of store.summaries(inWindow, before, end)) run.add(row, sourceOf(store, row.id));
    if (end === oldestId) return run.result(limit, true);
    if (run.isFull || clock.now() - startMs >= maxPreviewMs) return run.result(limit, false);
    before = end;
    await setImmediate();
  }
}

function sourceOf(store: CaptureStore, id: string): StoredCallSource {
  return {
    flow: () => store.flowIfThere(id),
    requestBody: (firstBytes) => {
      try {
        return store.body(id, 'request', firstBytes);
      } catch (error) {
        // It may have made room for others since its row was read, or be damaged.
        if (!(error instanceof SpikeError || error instanceof MalformedBatchError)) throw error;
        return { state: 'evicted', bytes: Buffer.alloc(0) };
      }
    },
  };
}
