import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { LeakReport } from '../support/leak-run.ts';

const requests = Number(process.env['SPIKE_LEAK_REQUESTS'] ?? 50_000);
const parts = 10;
const program = fileURLToPath(new URL('../support/leak-run-http2.ts', import.meta.url));

/** As in leak.test.ts: one object of 100 bytes that stays for each call of the second half would be 2.5 MB. */
const toleranceBytes = 2 << 20;

it('leaves nothing of 50,000 streams: those that were answered, reset, given up, and cut by rules among them', async () => {
  const args = ['--expose-gc', program, String(requests), String(parts)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 280_000 });
  const report = JSON.parse(stdout) as LeakReport;
  expect(report.answered).toBeGreaterThanOrEqual(requests);
  expect(report.troubled).toBeGreaterThan(requests / 25);
  // Every call was seen once: those that were answered, and those that were not.
  expect(report.flows).toBe(report.answered + report.troubled);
  expect(report).toMatchObject({ openFlows: 0, openConnections: 0 });
  expect(report.handlesAfter).toEqual(report.handlesBefore);
  // All clients share one connection, which has room for their streams.
  expect(report.mostUpstream).toBeLessThanOrEqual(2);
  for (const bytes of [report.heapBytes, report.externalBytes]) {
    const middle = bytes[parts / 2 - 1] as number;
    expect(bytes.at(-1) as number, bytes.join()).toBeLessThan(middle + toleranceBytes);
  }
}, 300_000);
