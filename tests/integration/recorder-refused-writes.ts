import { createFlowIdSource } from '#shared/flow/flow-id.ts';
import { createRecorder } from '../../src-main/engine/capture/recorder-client.ts';
import type { Log } from '../../src-main/engine/log.ts';
import { batchOf, bodyOf, flowRecord } from '../unit/src-main/engine/capture/flow-records.ts';

/**
 * A process whose files may not grow (`ulimit -f`), as on a full disk: records, and prints what became of it as JSON.
 * Run by recorder.test.ts with the directory as argument.
 */
const complaints: string[] = [];
const nothing = (): void => undefined;
const log: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: (_fields, text) => void complaints.push(text),
};
const threadUrl = new URL('../../src-main/engine/capture/recorder-thread.ts', import.meta.url);
const directory = process.argv[2] as string;
const recorder = await createRecorder({ directory, log, threadUrl, settings: { maxDiskBytes: 1024 ** 3 } });
const ids = createFlowIdSource('agent0', 1);
const body = bodyOf(Buffer.alloc(100_000));
let acknowledged = 0;
for (let number = 0; number < 60; number += 1)
  acknowledged += await recorder.write(batchOf(flowRecord(number, { id: ids.next(1), responseBody: body })));
const page = await recorder.summaries({ filter: '', limit: 100 });
process.stdout.write(
  JSON.stringify({ acknowledged, stats: recorder.stats(), rows: page.rows.length, complaints }),
);
await recorder.close();
