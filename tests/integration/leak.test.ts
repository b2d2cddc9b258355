import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { LeakReport } from '../support/leak-run.ts';

const requests = Number(process.env['SPIKE_LEAK_REQUESTS'] ?? 200_000);
const parts = 10;
const program = fileURLToPath(new URL('../support/leak-run.ts', import.meta.url));

/**
 * What the heap may differ by from one part to another without a leak: code that is compiled late, and tables that have
 * grown to their size. One object of 100 bytes that stays for each request of the second half would be 10 MB.
 */
const toleranceBytes = 3 << 20;

it('leaves nothing of 200,000 requests: connections kept and new ones, faults and failures among them', async () => {
  const args = ['--expose-gc', program, String(requests), String(parts)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 280_000 });
  const report = JSON.parse(stdout) as LeakReport;
  expect(report.answered).toBeGreaterThanOrEqual(requests);
  expect(report.troubled).toBeGreaterThan(requests / 200);
  // Every call was seen once: those that were answered, and those that were not.
  expect(report.flows).toBe(report.answered + report.troubled);
  expect(report).toMatchObject({ openFlows: 0, openConnections: 0 });
  expect(report.handlesAfter).toEqual(report.handlesBefore);
  // Sixteen clients at once never need more, and what is kept is used again.
  expect(report.mostUpstream).toBeLessThanOrEqual(2 * 16);
  // The first parts fill caches, pools and compiled code; from the middle on nothing may grow.
  for (const bytes of [report.heapBytes, report.externalBytes]) {
    const middle = bytes[parts / 2 - 1] as number;
    expect(bytes.at(-1) as number, bytes.join()).toBeLessThan(middle + toleranceBytes);
  }
}, 300_000);
