// What looking rules up costs a call, in CPU time on one core: node bench/rules.mjs [seconds per case]. Calls that no rule is
// about, as nearly all are. See also: --cpu-prof.
import { createSystemClock } from '../src-main/engine/clock.ts';
import { CompiledRules } from '../src-main/engine/rules/compiled-rules.ts';
import { RuleBook } from '../src-main/engine/rules/rule-book.ts';

const secondsPerCase = Number(process.argv[2] ?? 1);
const fields = [
  'Host',
  'orders.test',
  'User-Agent',
  'shop/2.4',
  'Accept',
  '*/*',
  'X-Tenant',
  'acme',
  'X-Request-Id',
  '8f14',
];
const facts = {
  caller: 'web',
  callee: 'orders',
  method: 'GET',
  host: '127.0.0.1',
  path: '/api/orders/4711?expand=lines&page=2',
  route: 'orders',
  listener: 'orders',
  fields,
  upgrade: null,
};

const rulesOf = (count, matchOf) =>
  Array.from({ length: count }, (_, index) => ({
    id: `r${index}`,
    name: `r${index}`,
    epoch: 1,
    sinceMs: 0,
    match: matchOf(index),
    trigger: {},
    faults: [{ type: 'status', status: 503, headers: {}, body: '' }],
  }));

const elsewhere = (index) => ({ callee: `service-${index}` });
const otherPath = (index) => ({ callee: 'orders', path: `/v2/${index}/*` });
const exactPath = (index) => ({ callee: 'orders', path: `/v2/${index}` });
const cases = [
  ['no rule on (50 are off)', []],
  ['50 rules for other callees', rulesOf(50, elsewhere)],
  ['50 rules for this callee, another method', rulesOf(50, () => ({ callee: 'orders', method: 'DELETE' }))],
  ['50 rules for this callee, globs of paths', rulesOf(50, otherPath)],
  [
    '50 rules for this callee, expressions of paths',
    rulesOf(50, (i) => ({ callee: 'orders', path: `/^\\/v2\\/${i}\\/\\d+$/` })),
  ],
  [
    '50 rules for this callee, a header',
    rulesOf(50, (i) => ({ callee: 'orders', header: { 'x-tenant': `t${i}` } })),
  ],
  [
    '50 rules for this callee, a query',
    rulesOf(50, (i) => ({ callee: 'orders', query: { page: `${i + 10}` } })),
  ],
  [
    '50 rules for this callee, one of each kind',
    rulesOf(
      50,
      (i) => [elsewhere(i), otherPath(i), { method: 'PUT' }, { host: 'a.test' }, { caller: 'cron' }][i % 5],
    ),
  ],
  ['10,000 rules for other callees', rulesOf(10_000, elsewhere)],
  ['10,000 rules for this callee, exact paths', rulesOf(10_000, exactPath)],
];

function cpuNsPerCall(rules) {
  const compiled = new CompiledRules(rules);
  let perCall = 0;
  // The first half warms up.
  for (const limitMs of [secondsPerCase * 500, secondsPerCase * 500]) {
    const started = process.cpuUsage();
    let calls = 0;
    let usedMs = 0;
    do {
      for (let i = 0; i < 1000; i++) {
        // What an exchange does.
        if (compiled.needs !== 0 && compiled.matchCall(facts).length > 0)
          throw new Error('Nothing should match');
      }
      calls += 1000;
      const used = process.cpuUsage(started);
      usedMs = (used.user + used.system) / 1000;
    } while (usedMs < limitMs);
    perCall = (usedMs * 1e6) / calls;
  }
  return perCall;
}

console.log('ns of CPU a call');
for (const [name, rules] of cases) console.log(`${cpuNsPerCall(rules).toFixed(0).padStart(8)}  ${name}`);

const ms = (work) => {
  const started = performance.now();
  work();
  return `${(performance.now() - started).toFixed(0).padStart(8)}`;
};
const silent = { changed() {}, removed() {}, reordered() {}, hits() {}, activeChanged() {} };
const inputs = rulesOf(10_000, exactPath).map(({ name, match, trigger, faults }) => ({
  name,
  enabled: true,
  match,
  trigger,
  faults,
}));
const book = new RuleBook(createSystemClock(), silent);
console.log('ms for 10,000 rules');
console.log(`${ms(() => book.load(inputs))}  loaded, checked`);
console.log(`${ms(() => book.load(inputs))}  loaded again, unchanged`);
const active = book.active();
let compiled;
console.log(`${ms(() => (compiled = new CompiledRules(active)))}  compiled`);
console.log(`${ms(() => new CompiledRules(active, compiled))}  compiled again, unchanged`);
console.log(`${ms(() => compiled.matchCall(facts))}  the first call of an edge`);
book.close();
