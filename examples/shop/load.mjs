import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pick, seededRandom } from './platform/chance.mjs';
import { reportReady } from './platform/lifeline.mjs';
import { portOf } from './platform/ports.mjs';
import { products } from './platform/products.mjs';

// Shoppers. Calls go out at the rate that is asked for, however slow the answers come (an open loop: a load that
// waits for a slow shop would hide that it is slow), up to a bound on shoppers that wait.

const usage = `Usage: node examples/shop/load.mjs [options]
  --url URL      the shop's front door        (default http://127.0.0.1:${portOf('web')})
  --rate N       calls a second, on average   (default 20)
  --seconds N    ends after that long         (default: when stopped)`;

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: `http://127.0.0.1:${portOf('web')}` },
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: 'Infinity' },
    help: { type: 'boolean', default: false },
  },
});

const mostWaiting = 200;
const slowMs = 1000;
const patienceMs = 30_000;
const tellEveryMs = 5000;
const random = seededRandom(process.env.SHOP_SEED ?? 'shoppers');
const etags = new Map();
const cards = ['4111 1111 1111 1111', '5555 5555 5555 4444', '4000 0566 5566 5556'];
let tally = newTally();
let shoppersSeen = 0;

function newTally() {
  return { ok: 0, failed: 0, slow: 0, skipped: 0, since: performance.now() };
}

/** One visit, a call at a time: most look, some fill a cart, about every third of all pays. */
async function* visit() {
  const id = `c_${Date.now().toString(36)}${(shoppersSeen += 1)}`;
  yield get(`/products?page=${random() < 0.7 ? 1 : 2}`);
  for (let looks = 1 + Math.floor(random() * 3); looks > 0; looks -= 1)
    yield get(`/products/${pick(random, products).sku}`);
  if (random() < 0.06) yield get('/products/SKU-9999'); // an old link
  if (random() < 0.35) return;
  const lines = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
    return { sku: pick(random, products).sku, quantity: 1 + Math.floor(random() * 2) };
  });
  yield send('PUT', `/cart/${id}`, { lines });
  if (random() < 0.2) return;
  const payment =
    random() < 0.2 ? { wallet: 'shoppay' } : { card: { number: pick(random, cards), expires: '2028-04' } };
  const placed = yield send('POST', '/checkout', {
    cartId: id,
    country: pick(random, ['DE', 'NL', 'FR', 'SE']),
    ...payment,
  });
  if (placed?.id !== undefined) yield get(`/orders/${placed.id}`);
}

function get(path) {
  const etag = etags.get(path);
  return { method: 'GET', path, headers: etag === undefined ? {} : { 'if-none-match': etag } };
}

function send(method, path, body) {
  const payload = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
  return { method, path, headers, payload };
}

async function perform({ method, path, headers, payload }) {
  const all = { 'user-agent': 'shopper/1.0', accept: 'application/json', ...headers };
  const signal = AbortSignal.timeout(patienceMs);
  const response = await new Promise((resolve, reject) => {
    const request = http.request(new URL(path, values.url), { method, headers: all, signal }, resolve);
    request.on('error', reject).end(payload);
  });
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  if (response.statusCode >= 500) throw new Error(`answered ${response.statusCode}`);
  if (response.headers.etag !== undefined) etags.set(path, response.headers.etag);
  if (etags.size > 500) etags.delete(etags.keys().next().value);
  return response.statusCode === 201 || response.statusCode === 202 ? JSON.parse(text) : undefined;
}

/** Lets one shopper take the next step; where a visit is over, another shopper comes in. */
async function step(shopper, pausing) {
  const { value: request, done } = await shopper.visit.next(shopper.lastAnswer);
  if (done) return step({ visit: visit() }, pausing);
  const start = performance.now();
  try {
    shopper.lastAnswer = await perform(request);
    tally.ok += 1;
    pausing.push(shopper);
  } catch {
    tally.failed += 1; // counted only: what went wrong is in the flow. Without an answer, this shopper is gone.
  }
  if (performance.now() - start > slowMs) tally.slow += 1;
  return undefined;
}

/** Two slow waves over the average, so that the charts have something to show. */
function rateAt(seconds) {
  const wave =
    1 + 0.45 * Math.sin((2 * Math.PI * seconds) / 47) + 0.25 * Math.sin((2 * Math.PI * seconds) / 13);
  return Number(values.rate) * wave;
}

async function run() {
  const pausing = [];
  const start = performance.now();
  let waiting = 0;
  const elapsed = () => (performance.now() - start) / 1000;
  while (elapsed() < Number(values.seconds)) {
    // Poisson arrivals: gaps are exponential.
    await sleep((-Math.log(1 - random()) * 1000) / rateAt(elapsed()));
    if (waiting >= mostWaiting) tally.skipped += 1;
    else {
      const next = pausing.length > 8 ? pausing.shift() : { visit: visit() };
      waiting += 1;
      void step(next, pausing).finally(() => (waiting -= 1));
    }
  }
}

function tell() {
  const { ok, failed, slow, skipped, since } = tally;
  const perSecond = (ok + failed) / ((performance.now() - since) / 1000);
  const over = skipped === 0 ? '' : `  not sent ${skipped} (${mostWaiting} shoppers wait)`;
  console.log(
    `${perSecond.toFixed(1)} calls/s  ok ${ok}  failed ${failed}  slow ${slow} (over ${slowMs / 1000} s)${over}`,
  );
  tally = newTally();
}

if (values.help) console.log(usage);
else if (!(Number(values.rate) > 0 && Number(values.rate) <= 2000 && Number(values.seconds) > 0)) {
  console.error(`--rate is 1 to 2000, --seconds more than 0.\n${usage}`);
  process.exitCode = 2;
} else {
  reportReady({ name: 'browser' });
  const teller = setInterval(tell, tellEveryMs);
  await run();
  clearInterval(teller);
  tell();
  http.globalAgent.destroy();
  if (process.connected) process.disconnect();
}
