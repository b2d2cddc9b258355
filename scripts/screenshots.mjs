// Pictures of the real window over the real demo: those of the README, or a set for whoever reviews the window.
//
//     node scripts/screenshots.mjs --readme                 docs/images: Map and Live, dark and light
//     node scripts/screenshots.mjs --review DIRECTORY       every view, dark and light, large and small, and its states
//     --no-build                                            the window as it was built last
//
// Two agents run on free ports with homes that are thrown away: one with the example shop, one without a call.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { findNode, missingNode } from '../src-main/cli/find-node.mjs';
import { findChromium } from './find-chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const usage = 'Usage: node scripts/screenshots.mjs (--readme | --review DIRECTORY) [--no-build]';
/** Calls of a minute make a chart; the shop makes some fifty a second. */
const flowsWanted = 3000;
const rulesOn = ['payments-is-slow', 'inventory-fails-half'];
const allWithinMs = 300_000;
const readmeImageMaxBytes = 300 * 1024;
const themes = ['dark', 'light'];
const large = { width: 1440, height: 900 };
const small = { width: 1024, height: 700 };

const ending = [];
let isEnding = false;

try {
  await main();
} catch (error) {
  // What fails because everything is being ended says nothing new.
  if (!isEnding) console.error(`screenshots: ${error.message}`);
  process.exitCode = 1;
} finally {
  await endAll();
}

async function main() {
  const { readme, review, build } = readOptions();
  const node = findNode();
  if (node === null) throw new Error(missingNode);
  const tooLong = setTimeout(() => void giveUp(`Not done within ${allWithinMs / 1000} s.`), allWithinMs);
  tooLong.unref();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void giveUp(`Ended by ${signal}.`));

  if (build) await buildWindow(node);
  const browser = await launchBrowser();
  const shop = await startAgent(node, ['--demo']);
  await waitForFlows(shop);
  for (const rule of rulesOn) await ask(shop, `/rules/${rule}/enable`, 'POST');
  await waitForFaults(shop);
  if (readme) await takeReadme(browser, shop);
  if (review !== undefined) await takeReview(browser, shop, await startAgent(node, []), resolve(review));
  clearTimeout(tooLong);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        readme: { type: 'boolean', default: false },
        review: { type: 'string' },
        'no-build': { type: 'boolean', default: false },
      },
    });
    if (!values.readme && values.review === undefined) throw new Error(usage);
    return { readme: values.readme, review: values.review, build: !values['no-build'] };
  } catch (error) {
    throw new Error(error.message === usage ? usage : `${error.message}\n${usage}`, { cause: error });
  }
}

// --- the pictures

async function takeReadme(browser, shop) {
  const directory = join(root, 'docs/images');
  for (const theme of themes) {
    await onPage(browser, shop, { theme, size: large }, async (page) => {
      await takeOf(page, 'map', join(directory, `map-${theme}.png`));
      await openSlowCharge(page);
      await take(page, join(directory, `live-${theme}.png`));
    });
  }
  for (const name of themes.flatMap((theme) => [`map-${theme}.png`, `live-${theme}.png`])) {
    const { size } = statSync(join(directory, name));
    if (size > readmeImageMaxBytes) {
      throw new Error(
        `${name} has ${size} bytes, more than the ${readmeImageMaxBytes} that a README should load.`,
      );
    }
  }
}

async function takeReview(browser, shop, quiet, directory) {
  const edge = await slowedEdge(shop);
  const place = (name, theme, size) => join(directory, `${name}-${theme}-${size.width}x${size.height}.png`);
  for (const theme of themes) {
    for (const size of [large, small]) {
      const at = (name) => place(name, theme, size);
      await onPage(browser, shop, { theme, size }, async (page) => {
        for (const view of ['live', 'map', 'faults', 'setup']) await takeOf(page, view, at(view));
        await openSlowCharge(page);
        await take(page, at('live-detail'));
        if (edge !== undefined) await takeOf(page, `map/${encodeURIComponent(edge.id)}`, at('map-edge'));
        await takeOf(page, `faults/${rulesOn[0]}`, at('faults-editor'));
      });
      await onPage(browser, quiet, { theme, size }, async (page) => {
        for (const view of ['live', 'map', 'faults']) await takeOf(page, view, at(`${view}-empty`));
      });
    }
  }
  await takeHeld(browser, shop, place);
}

/** Calls that a breakpoint holds. After the others: nobody gets an answer meanwhile. */
async function takeHeld(browser, shop, at) {
  const rule = {
    name: 'hold charges',
    enabled: true,
    match: { callee: 'payments', method: 'POST' },
    faults: [{ type: 'breakpoint', timeoutMs: allWithinMs }],
  };
  const { id } = await ask(shop, '/rules', 'POST', rule);
  await until('held calls', async () => (await ask(shop, '/held')).length >= 2);
  for (const theme of themes) {
    for (const size of [large, small]) {
      await onPage(browser, shop, { theme, size }, async (page) => {
        await page.getByRole('button', { name: /calls held$/ }).click();
        await page.getByRole('textbox', { name: 'Body' }).waitFor();
        await take(page, at('live-held', theme, size));
      });
    }
  }
  await ask(shop, `/rules/${id}`, 'DELETE');
}

/** A page of its own, so that theme and size hold from the first paint. */
async function onPage(browser, agent, { theme, size }, use) {
  const context = await browser.newContext({ viewport: size, colorScheme: theme, reducedMotion: 'reduce' });
  try {
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(`The window failed: ${error.message}`));
    await page.goto(`${agent.control}/#token=${agent.token}`);
    await page.getByRole('contentinfo', { name: 'Status' }).getByText('this machine').waitFor();
    await use(page);
  } finally {
    await context.close();
  }
}

/** Opens a view by its address, gives it time to draw, and takes it. */
async function takeOf(page, address, file) {
  await page.evaluate((hash) => (location.hash = hash), `/${address}`);
  const [view] = address.split('/');
  await page.getByRole('main', { name: new RegExp(`^${view}$`, 'i') }).waitFor();
  await take(page, file);
}

/** Live, searched for the calls of one service, with a slowed one in detail. */
async function openSlowCharge(page) {
  await page.evaluate(() => (location.hash = '/live'));
  await page.getByRole('main', { name: 'Live' }).waitFor();
  await page.getByRole('searchbox', { name: 'Search calls' }).click();
  await page.keyboard.type('service:checkout');
  await page.keyboard.press('Escape');
  // Those below are open still, or have just ended: a slowed one further up has its whole timing.
  const charge = page.getByRole('row').filter({ hasText: '/v1/charge' }).filter({ hasText: /\d s/ });
  await charge.first().click();
  await page.getByRole('complementary').first().waitFor();
}

async function take(page, file) {
  // Fonts, the layout of the map and the first frames of a chart: nothing in the page says when all of them are done.
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(1500);
  mkdirSync(dirname(file), { recursive: true });
  await page.screenshot({ path: file, animations: 'disabled' });
  console.log(file);
}

// --- what they are taken of

function buildWindow(node) {
  const tool = createRequire(import.meta.url).resolve('electron-vite/package.json');
  const words = [join(dirname(tool), 'bin/electron-vite.js'), 'build', '--logLevel', 'warn'];
  const child = spawn(node, words, { cwd: root, stdio: ['ignore', 2, 2] });
  ending.push(() => child.kill('SIGKILL'));
  return once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error('The window could not be built; what is above says why.');
  });
}

async function launchBrowser() {
  const path = await findChromium();
  if (path === null)
    throw new Error('No browser: npx playwright install chromium, or a system package named chromium.');
  // Chromium's sandbox does not start for root, as in most containers.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ args, ...(path === '' ? {} : { executablePath: path }) });
  ending.push(() => browser.close());
  return browser;
}

/** `spike start` as a user would; ended, with its workers and the shop, by one signal. */
async function startAgent(node, words) {
  const home = mkdtempSync(join(tmpdir(), 'spike-screenshots-'));
  ending.push(() => rmSync(home, { recursive: true, force: true }));
  const places = ['--home', home, '--proxy', '127.0.0.1:0', '--control', '127.0.0.1:0', '--workers', '2'];
  const command = [
    'src-main/cli/bin.mjs',
    'start',
    '--json',
    '--no-workspace',
    '--log-level',
    'error',
    ...places,
    ...words,
  ];
  const child = spawn(node, command, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  ending.push(async () => {
    child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(impatience);
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { control, token } = JSON.parse(line);
    return { control, token };
  }
  throw new Error('The agent ended before it was ready.');
}

async function ask({ control, token }, path, method = 'GET', body = undefined) {
  const answer = await fetch(`${control}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

function waitForFlows(agent) {
  return until('enough calls', async () => (await ask(agent, '/flow-count')).total >= flowsWanted);
}

/** Each rule has hit, and the map shows it: the slowed calls are the 95th percentile of their edge. */
function waitForFaults(agent) {
  return until('enough calls that the rules acted on', async () => {
    const rules = await ask(agent, '/rules');
    const hit = rulesOn.every((id) => (rules.find((rule) => rule.id === id)?.hits ?? 0) > 0);
    return hit && ((await slowedEdge(agent))?.stats.p95 ?? 0) > 1500;
  });
}

async function slowedEdge(agent) {
  const { edges } = await ask(agent, '/topology');
  return edges.find(({ caller, callee }) => caller === 'checkout' && callee === 'payments');
}

async function until(what, check, withinMs = 120_000) {
  const endAt = Date.now() + withinMs;
  while (!(await check())) {
    if (isEnding || Date.now() > endAt) throw new Error(`There were not ${what} in time.`);
    await new Promise((done) => setTimeout(done, 500));
  }
}

// --- the end

async function giveUp(why) {
  console.error(`screenshots: ${why}`);
  process.exitCode = 1;
  await endAll();
  process.exit();
}

/** What was begun last ends first; all of it, whatever one of them says. */
async function endAll() {
  isEnding = true;
  for (const end of ending.splice(0).reverse()) {
    try {
      await end();
    } catch (error) {
      console.error(`screenshots: ${error.message}`);
    }
  }
}
