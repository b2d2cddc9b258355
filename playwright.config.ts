import { existsSync } from 'node:fs';
import { chromium, defineConfig } from '@playwright/test';

/** Playwright's own browser where it was installed, else one of the system. */
const systemBrowsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const own = chromium.executablePath();
const executablePath = [own, ...systemBrowsers].find((path) => existsSync(path)) ?? own;

export default defineConfig({
  testDir: 'tests/e2e',
  globalSetup: './tests/e2e/build-renderer.ts',
  // Each test starts an agent of its own: two at once on two cores would measure one another.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  outputDir: 'test-results',
  use: {
    viewport: { width: 1440, height: 900 },
    colorScheme: 'dark',
    trace: 'retain-on-failure',
    launchOptions: { executablePath, args: ['--no-sandbox'] },
  },
});
