// The browser that end-to-end tests drive: Playwright's own, else one of the system, else one that can be installed.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const systemBrowsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** A path; '' for Playwright's own browser; null when there is none and none could be installed. */
export async function findChromium() {
  const named = process.env.SPIKE_CHROMIUM;
  if (named) return existsSync(named) ? named : null;
  const { chromium } = await import('@playwright/test');
  if (existsSync(chromium.executablePath())) return '';
  const system = systemBrowsers.find((path) => existsSync(path));
  if (system !== undefined) return system;
  if (install('playwright', ['install', 'chromium'])) return '';
  if (
    process.getuid?.() === 0 &&
    install('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'])
  ) {
    return '/usr/bin/chromium';
  }
  return null;
}

function install(command, args) {
  try {
    execFileSync(command, args, { stdio: 'inherit', timeout: 300_000 });
    return true;
  } catch {
    return false; // Not to be had this way; the caller tries the next and says so at the end.
  }
}
