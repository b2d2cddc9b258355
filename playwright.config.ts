import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, defineConfig } from '@playwright/test';

/** Playwright's own browser where it was installed, else one of the system. */
const systemBrowsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const own = chromium.executablePath();
const executablePath = [own, ...systemBrowsers].find((path) => existsSync(path)) ?? own;

// For the agents that tests start: see vitest.config.ts.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url));

export default defineConfig({
  testDir: 'tests/e2e',
  globalSetup: './tests/e2e/build-renderer.ts',
  // Each test starts an agent of its own and waits for it and its page in turn: two at once use two cores well.
  workers: 2,
  // Only to end what never comes: on a busy machine a page takes many times longer.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  outputDir: 'test-results',
  use: {
    viewport: { width: 1440, height: 900 },
    colorScheme: 'dark',
    // What is taken to pictures while it runs is drawn twice, by the processor where there is no display: the steps and pages do.
    trace: { mode: 'retain-on-failure', screenshots: false },
    launchOptions: { executablePath, args: ['--no-sandbox'] },
  },
});
