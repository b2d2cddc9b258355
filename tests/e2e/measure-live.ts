import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';
import type { Page } from '@playwright/test';
import { startFixtureAgent } from './fixture-agent.ts';

/**
 * How smooth Live is at 2,000 calls a second with 100,000 listed. Needs a built window (out/renderer). Prints a table; asserts
 * nothing, since the figures are those of the machine: on a shared two-core one the agent and the browser fight over them.
 *
 *     node tests/e2e/measure-live.ts [rate] [rows]
 */
const rate = Number(process.argv[2] ?? 2000);
const wantedRows = Number(process.argv[3] ?? 100_000);
const phaseMs = 8000;

interface Frames {
  deltas: number[];
  longTasks: number[];
}

/** Frame times and long tasks of a while, as the page itself sees them. */
function frames(page: Page, ms: number): Promise<Frames> {
  return page.locator('html').evaluate(async (_html, duration) => {
    const deltas: number[] = [];
    const longTasks: number[] = [];
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) longTasks.push(entry.duration);
    });
    observer.observe({ entryTypes: ['longtask' as never] }); // a browser's entry type, unknown to Node
    const { requestAnimationFrame } = globalThis as unknown as {
      requestAnimationFrame: (frame: (at: number) => void) => void;
    };
    await new Promise<void>((resolve) => {
      const end = performance.now() + duration;
      let last = 0;
      const step = (at: number) => {
        if (last > 0) deltas.push(at - last);
        last = at;
        if (at < end) requestAnimationFrame(step);
        else resolve();
      };
      requestAnimationFrame(step);
    });
    observer.disconnect();
    return { deltas, longTasks };
  }, ms);
}

function report(name: string, { deltas, longTasks }: Frames): void {
  const sorted = [...deltas].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  const perSecond = (deltas.length / deltas.reduce((sum, delta) => sum + delta, 0)) * 1000;
  const slow = deltas.filter((delta) => delta > 34).length;
  const longest = Math.max(0, ...longTasks).toFixed(0);
  console.log(
    `${name.padEnd(28)} ${perSecond.toFixed(1)} fps, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, ` +
      `${slow} of ${deltas.length} frames over 34 ms, ${longTasks.length} long tasks (longest ${longest} ms)`,
  );
}

async function fill(page: Page): Promise<number> {
  await page.getByRole('button', { name: /^Time:/ }).click();
  await page.getByRole('menuitemcheckbox', { name: 'All kept' }).click();
  const grid = page.getByRole('grid', { name: 'Calls' });
  await grid.hover();
  let rows = 0;
  for (let round = 0; round < 3000 && rows < wantedRows; round += 1) {
    await page.mouse.wheel(0, -10_000_000);
    await page.waitForTimeout(25);
    await page.mouse.wheel(0, 100);
    rows = Number(await grid.getAttribute('aria-rowcount'));
  }
  return rows;
}

const own = chromium.executablePath();
const executablePath = existsSync(own) ? own : '/usr/bin/chromium';
const agent = await startFixtureAgent({
  rate,
  history: Math.ceil((wantedRows * 1.3) / rate),
  maxFlows: wantedRows * 3,
});
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--enable-precise-memory-info'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(agent.url);
  await page.locator('[data-id]').first().waitFor();
  console.log(`${rate} calls/s, ${await fill(page)} rows listed`);
  await page.mouse.move(700, 5);
  await page.keyboard.press('End');
  report('following', await frames(page, phaseMs));
  await page.getByRole('grid', { name: 'Calls' }).hover();
  const scrolling = frames(page, phaseMs);
  for (let turn = 0; turn < phaseMs / 50; turn += 1) {
    await page.mouse.wheel(0, turn % 40 < 20 ? -400 : 400);
    await page.waitForTimeout(40);
  }
  report('scrolling', await scrolling);
  const moved = await page.locator('html').evaluate(async (html) => {
    const { requestAnimationFrame, KeyboardEvent } = globalThis as unknown as {
      requestAnimationFrame: (frame: () => void) => void;
      KeyboardEvent: new (type: string, init: object) => Event;
    };
    const times: number[] = [];
    for (let press = 0; press < 40; press += 1) {
      const from = performance.now();
      html.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', bubbles: true, cancelable: true }));
      await new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      times.push(performance.now() - from);
    }
    return times.sort((a, b) => a - b);
  });
  console.log(
    `key to paint                 p50 ${moved[20]?.toFixed(0)} ms, p95 ${moved[38]?.toFixed(0)} ms`,
  );
  const heap = await page
    .locator('html')
    .evaluate(() => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize);
  console.log(`JavaScript heap              ${(heap / 1e6).toFixed(0)} MB`);
} finally {
  await browser.close();
  await agent.stop();
}
