import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { SpikeError } from '#shared/contract/errors.ts';
import { exportIstio } from '#shared/rules/interop/istio-export.ts';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { RuleDefinition, RuleInput } from '#shared/rules/rule.ts';
import { istioYaml } from '../../../../src-main/control/rule-export.ts';
import { importRules } from '../../../../src-main/control/rule-import.ts';

/** From the task "Fault Injection" of Istio's documentation. */
const ratingsDelay = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ratings
spec:
  hosts:
  - ratings
  http:
  - fault:
      delay:
        fixedDelay: 7s
        percentage:
          value: 100
    match:
    - headers:
        end-user:
          exact: jason
    route:
    - destination:
        host: ratings
        subset: v1
  - route:
    - destination:
        host: ratings
        subset: v1
`;
const ratingsAbort = ratingsDelay.replace(/delay:\n\s+fixedDelay: 7s/, 'abort:\n        httpStatus: 500');

/** From the sandbox "Fault injection filter" of Envoy's documentation, with a share in place of its runtime keys. */
const envoyFilters = `
http_filters:
- name: envoy.filters.http.fault
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
    abort:
      http_status: 503
      percentage:
        numerator: 5
        denominator: TEN_THOUSAND
    delay:
      fixed_delay: 3s
      percentage:
        numerator: 50
        denominator: HUNDRED
- name: envoy.filters.http.router
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
`;

const made = (text: string): RuleInput[] => importRules(text, false).rules;
const notesOf = (text: string): string[] =>
  importRules(text, false).notes.map(({ at, message }) => `${at}: ${message}`);

function refusal(text: string): SpikeError {
  try {
    importRules(text, false);
  } catch (error) {
    if (error instanceof SpikeError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** A VirtualService for ratings with these http entries, in the flow style of YAML. */
const service = (http: string, more = ''): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: ratings }\nspec:\n  hosts: [ratings]\n${more}  http: ${http}\n`;
const delay = 'delay: { fixedDelay: 1s, percentage: { value: 100 } }';

describe("Istio's own examples", () => {
  it('delays ratings by 7 s for jason, before the request is sent', () => {
    expect(made(ratingsDelay)).toEqual([
      {
        name: 'ratings',
        enabled: false,
        match: { callee: 'ratings', header: { 'end-user': 'jason' } },
        trigger: {},
        faults: [
          expect.objectContaining({ type: 'latency', direction: 'request', latencyMs: 7000, jitterMs: 0 }),
        ],
      },
    ]);
  });

  it('aborts with 500 for jason; a list and JSON read the same', () => {
    const [rule] = made(ratingsAbort);
    expect(rule).toMatchObject({ match: { callee: 'ratings' }, faults: [{ type: 'status', status: 500 }] });
    const [document] = parseAllDocuments(ratingsAbort);
    const list = { apiVersion: 'v1', kind: 'List', items: [(document as { toJS(): unknown }).toJS()] };
    expect(made(JSON.stringify(list, null, '\t'))).toEqual([rule]);
  });

  it('takes several documents, and gives each rule a name of its own', () => {
    expect(made(`${ratingsDelay}---\n${ratingsAbort}`).map(({ name }) => name)).toEqual([
      'ratings',
      'ratings (2)',
    ]);
  });
});

describe('faults of Istio', () => {
  it('are one rule where they meet every call, the delay before the abort', () => {
    const abort = 'abort: { grpcStatus: UNAVAILABLE, percentage: { value: 100 } }';
    expect(made(service(`[{ fault: { ${abort}, ${delay} } }]`))).toMatchObject([
      {
        match: { callee: 'ratings', path: '/*' },
        trigger: {},
        faults: [
          { type: 'latency', direction: 'response' },
          { type: 'grpc-status', status: 'UNAVAILABLE' },
        ],
      },
    ]);
  });

  it('are a rule each where they are drawn for', () => {
    const fault =
      '{ delay: { fixedDelay: 1500ms, percentage: { value: 0.1 } }, abort: { httpStatus: 400, percentage: { value: 7.1 } } }';
    expect(made(service(`[{ fault: ${fault} }]`))).toMatchObject([
      {
        name: 'ratings delay',
        trigger: { probability: 0.001 },
        faults: [{ latencyMs: 1500, direction: 'response' }],
      },
      { name: 'ratings abort', trigger: { probability: 0.071 }, faults: [{ status: 400 }] },
    ]);
  });

  it('act on no call without a percentage: a note, no rule', () => {
    const text = service(
      '[{ fault: { delay: { fixedDelay: 1s }, abort: { httpStatus: 500, percentage: { value: 0 } } } }]',
    );
    expect(made(text)).toEqual([]);
    expect(notesOf(text)).toEqual([
      'spec.http[0].fault.abort: A percentage of 0 acts on no call: no rule.',
      'spec.http[0].fault.delay: Without a percentage it acts on no call: no rule.',
    ]);
  });

  it('say the line of what has no counterpart', () => {
    const text = `---\n# first\n---\n${service('[{ fault: { abort: { http2Error: CANCEL, percentage: { value: 1 } } } }]')}`;
    expect(importRules(text, false)).toEqual({
      rules: [],
      notes: [
        {
          document: 2,
          line: 9,
          at: 'spec.http[0].fault.abort',
          message: expect.stringContaining('httpStatus'),
        },
      ],
    });
  });
});

describe('matches of Istio', () => {
  const matchOf = (block: string): unknown =>
    made(service(`[{ match: [${block}], fault: { ${delay} } }]`)).map(({ match }) => match);

  it.each([
    ['{ uri: { exact: /a } }', { path: '/a' }],
    ['{ uri: { prefix: /v1/ } }', { path: '/v1/*' }],
    ['{ uri: { prefix: "/a+b" } }', { path: '/a+b*' }],
    ['{ uri: { prefix: "/a*b" } }', { path: '/^/a\\*b/' }],
    ['{ uri: { regex: "/v[0-9]+" } }', { path: '/^(?:/v[0-9]+)$/' }],
    ['{ uri: { exact: /A }, ignoreUriCase: true }', { path: '/^/A$/i' }],
    ['{ method: { exact: POST } }', { method: 'POST' }],
    ['{ authority: { exact: "shop.example:8080" } }', { host: 'shop.example', path: '/*' }],
    ['{ sourceLabels: { app: reviews } }', { caller: 'reviews', path: '/*' }],
    [
      '{ headers: { X-A: { prefix: b }, y: {} }, withoutHeaders: { z: {} } }',
      { header: { 'x-a': 'b*', y: true, z: false } },
    ],
    ['{ queryParams: { q: { exact: "" }, r: { regex: "*" } } }', { query: { q: '/^$/', r: true } }],
  ])('%s', (block, match) => {
    expect(matchOf(block)).toEqual([{ callee: 'ratings', ...match }]);
  });

  it('are alternatives, a rule each; names of one service are one callee, others hosts', () => {
    const text = service(
      `[{ name: slow, match: [{ uri: { exact: /a } }, { uri: { exact: /b } }], fault: { ${delay} } }]`,
    ).replace('[ratings]', '[ratings, ratings.prod.svc.cluster.local, "*.example.com"]');
    expect(made(text).map(({ name, match }) => [name, match])).toEqual([
      ['slow host 1 match 1', { callee: 'ratings', path: '/a' }],
      ['slow host 1 match 2', { callee: 'ratings', path: '/b' }],
      ['slow host 2 match 1', { host: '*.example.com', path: '/a' }],
      ['slow host 2 match 2', { host: '*.example.com', path: '/b' }],
    ]);
  });

  it.each([
    '{ port: 80 }',
    '{ scheme: { exact: https } }',
    '{ sourceLabels: { version: v2 } }',
    '{ withoutHeaders: { a: { exact: b } } }',
  ])('make no rule that would hit more than was meant: %s', (block) => {
    expect(matchOf(block)).toEqual([]);
    expect(notesOf(service(`[{ match: [${block}], fault: { ${delay} } }]`))).toEqual([
      expect.stringContaining('cannot ask'),
    ]);
  });

  it('say where an earlier route takes the calls', () => {
    const fault = `fault: { ${delay} }`;
    const after = (match: string): string =>
      service(`[{ match: [${match}] }, { match: [{ uri: { exact: /b } }], ${fault} }]`);
    expect(notesOf(after('{ uri: { exact: /a } }'))).toEqual([]);
    expect(notesOf(after('{ uri: { prefix: / } }'))).toEqual([
      expect.stringContaining('http[0] matches do not'),
    ]);
    const never = service(`[{ route: [] }, { ${fault} }]`);
    expect(made(never)).toEqual([]);
    expect(notesOf(never)).toEqual([expect.stringContaining('Istio never comes here')]);
  });
});

describe("Envoy's fault filter", () => {
  const filter = (config: string): string =>
    `name: envoy.filters.http.fault\ntyped_config:\n  "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault\n  ${config.replaceAll('\n', '\n  ')}\n`;
  const all = 'percentage: { numerator: 100 }';

  it('is found among the filters', () => {
    expect(made(envoyFilters)).toMatchObject([
      {
        name: 'Envoy fault filter delay',
        match: { path: '/*' },
        trigger: { probability: 0.5 },
        faults: [{ type: 'latency', latencyMs: 3000 }],
      },
      {
        name: 'Envoy fault filter abort',
        trigger: { probability: 0.0005 },
        faults: [{ type: 'status', status: 503 }],
      },
    ]);
  });

  it('is read with every condition that a rule has, in both spellings', () => {
    const snake = `abort: { grpc_status: 14, ${all} }
upstream_cluster: payments
max_active_faults: 3
headers: [{ name: x-a, string_match: { suffix: b } }, { name: ":path", string_match: { prefix: /v1 } }, { name: c, present_match: true, invert_match: true }]
downstream_nodes: [one, t.wo]`;
    const camel = snake.replace(/_([a-z])/g, (_, sign: string) => sign.toUpperCase());
    for (const text of [snake, camel]) {
      expect(made(filter(text))).toMatchObject([
        {
          match: {
            callee: 'payments',
            path: '/v1*',
            header: { 'x-a': '*b', c: false, 'x-envoy-downstream-service-node': '/^(?:one|t\\.wo)$/' },
          },
          trigger: { maxConcurrent: 3 },
          faults: [{ type: 'grpc-status', status: 'UNAVAILABLE' }],
        },
      ]);
    }
  });

  it('limits responses in KiB/s, and delays the request where nothing is aborted', () => {
    const [rule] = made(
      filter(
        `delay: { fixed_delay: 0.25s, ${all} }\nresponse_rate_limit: { fixed_limit: { limit_kbps: 10 }, ${all} }`,
      ),
    );
    expect(rule?.faults).toMatchObject([
      { type: 'latency', latencyMs: 250, direction: 'request' },
      { type: 'bandwidth', bytesPerSecond: 10_240, direction: 'response' },
    ]);
  });

  it('leaves what the caller chooses by its headers to the call: a rule each, for calls that have the field', () => {
    const text = filter(
      `delay: { header_delay: {}, ${all} }\nabort: { header_abort: {}, percentage: { numerator: 500, denominator: TEN_THOUSAND } }\nresponse_rate_limit: { header_limit: {}, ${all} }`,
    );
    const asks = (header: string, what: string, more: object = {}) => ({
      match: { header: { [`x-envoy-fault-${header}`]: true } },
      faults: [{ type: 'asked-by-header', what, direction: 'request', ...more }],
    });
    expect(made(text)).toMatchObject([
      asks('delay-request', 'delay', { shareOf: 100 }),
      asks('throughput-response', 'throughput'),
      { ...asks('abort-request', 'status', { shareOf: 10_000 }), trigger: { probability: 0.05 } },
      { ...asks('abort-grpc-request', 'grpc-status', { shareOf: 10_000 }), trigger: { probability: 0.05 } },
    ]);
    expect(new Set(made(text).map(({ name }) => name)).size).toBe(4);
    const [fixed] = made(filter(`delay: { header_delay: {}, ${all} }\nabort: { http_status: 500, ${all} }`));
    expect(fixed?.faults).toMatchObject([{ type: 'asked-by-header', direction: 'response' }]);
    const nothing = filter(`delay: { ${all} }\nabort: { ${all} }\nresponse_rate_limit: { ${all} }`);
    expect(made(nothing)).toEqual([]);
    expect(notesOf(nothing)).toHaveLength(3);
  });

  it('makes no rule of what is for one route', () => {
    const perRoute = `routes:\n- typed_per_filter_config:\n    envoy.filters.http.fault:\n      "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault\n      abort: { http_status: 500, ${all} }\n`;
    expect(made(perRoute)).toEqual([]);
    expect(importRules(perRoute, false).notes).toMatchObject([
      { line: 4, message: expect.stringContaining('one route') },
    ]);
    const range = filter(
      `abort: { http_status: 500, ${all} }\nheaders: [{ name: a, range_match: { start: 1, end: 2 } }]`,
    );
    expect(made(range)).toEqual([]);
    expect(notesOf(range)).toEqual([expect.stringContaining('headers[0]')]);
  });

  it.each([
    [`abort: { http_status: 600, ${all} }`, 'typed_config.abort.http_status', 4],
    [
      'abort: { http_status: 500, percentage: { numerator: 101 } }',
      'typed_config.abort.percentage.numerator',
      4,
    ],
    [`delay: { fixed_delay: 3, ${all} }`, 'typed_config.delay.fixed_delay', 4],
    [`delay: { fixed_delay: 3m, ${all} }`, 'typed_config.delay.fixed_delay', 4],
    ['max_active_faults: many', 'typed_config.max_active_faults', 4],
    ['abort:\n  http_statuz: 500', 'typed_config.abort.http_statuz', 5],
  ])('is refused with the place: %s', (config, path, line) => {
    expect(refusal(filter(config)).details).toMatchObject([{ document: 1, path, line }]);
  });
});

describe('what is wrong', () => {
  it.each([
    ['{ delay: { fixedDelay: 7, percentage: { value: 1 } } }', 'delay.fixedDelay', 'Expected string'],
    ['{ delay: { fixedDelay: 7 s, percentage: { value: 1 } } }', 'delay.fixedDelay', 'such as 7s'],
    ['{ delay: { fixedDelay: 2h, percentage: { value: 1 } } }', 'delay.fixedDelay', '1ms to 1h'],
    ['{ abort: { httpStatus: 99, percentage: { value: 1 } } }', 'abort.httpStatus', '>=200'],
    ['{ abort: { grpcStatus: BROKEN } }', 'abort.grpcStatus', 'UNAVAILABLE'],
    ['{ abort: { httpStatus: 500, percentage: { value: 100.5 } } }', 'abort.percentage.value', '<=100'],
    ['{ abort: { httpStatus: 500, percentage: { value: -1 } } }', 'abort.percentage.value', '>=0'],
    ['{ abort: { httpStatus: 500, percentage: 50 } }', 'abort.percentage', 'Expected object'],
    ['{ abort: { httpStatus: 500, percentage: { vaule: 50 } } }', 'abort.percentage.vaule', 'no such field'],
    ['{ dealy: { fixedDelay: 7s } }', 'dealy', 'no such field'],
  ])('in a fault: %s', (fault, path, message) => {
    const error = refusal(`# one\n---\n${service(`[{ fault: ${fault} }]`)}`);
    expect(error.code).toBe('invalid-input');
    expect(error.details).toMatchObject([
      { document: 1, line: 8, path: `spec.http[0].fault.${path}`, message: expect.stringContaining(message) },
    ]);
    expect(error.message).toContain('No rule was added.');
  });

  it('in a match', () => {
    const fault = `fault: { ${delay} }`;
    const at = (block: string): unknown =>
      (refusal(service(`[{ match: [${block}], ${fault} }]`)).details as { path: string }[]).map(
        ({ path }) => path,
      );
    expect(at('{ uri: { regex: "(?=a)" } }')).toEqual(['spec.http[0].match[0].uri.regex']);
    expect(at('{ uri: { exact: /a, prefix: /b } }')).toEqual(['spec.http[0].match[0].uri']);
    expect(at('{ url: { exact: /a } }')).toEqual(['spec.http[0].match[0].url']);
    expect(at('{ headers: { "a b": {} } }')).toEqual(['spec.http[0].match[0].headers.a b']);
    expect(at('{ method: GET }')).toEqual(['spec.http[0].match[0].method']);
  });

  it('in one document of several: nothing of any is taken', () => {
    const error = refusal(`${ratingsDelay}---\n${service('[{ fault: { delay: { fixedDelay: x } } }]')}`);
    expect(error.message).toContain('Document 2, line');
  });

  it('in the YAML, with its line', () => {
    expect(refusal('kind: VirtualService\n  spec: {').details).toContainEqual(
      expect.objectContaining({ document: 1, line: 2, path: '' }),
    );
    expect(refusal('a: 1\nb: [1, 2\nc: 3\n').message).toMatch(/^Document 1, line 3: This is not valid YAML/);
    expect(refusal('a: *none').message).toContain('not valid YAML');
    expect(refusal('['.repeat(20_000)).code).toBe('invalid-input');
  });

  it('with documents of another kind', () => {
    expect(refusal('').message).toContain('the text has none');
    expect(refusal('hello').message).toContain('found a string');
    expect(refusal('kind: VirtualService').message).toContain('found VirtualService');
    const rule = 'apiVersion: networking.istio.io/v1\nkind: DestinationRule\n';
    expect(refusal(rule).message).toContain('the text has none');
    expect(
      refusal(service('[]').replace('networking.istio.io/v1', 'appmesh.k8s.aws/v1beta2')).message,
    ).toContain('the text has none');
    expect(importRules(`${rule}---\n${ratingsDelay}`, false)).toMatchObject({
      rules: [{ name: 'ratings' }],
      notes: [{ document: 1, message: expect.stringContaining('DestinationRule') }],
    });
  });

  it('with more rules than one import may make', () => {
    const blocks = (count: number): string =>
      Array.from({ length: count }, (_, n) => `{ uri: { exact: /${n} } }`).join(', ');
    const many = (count: number): string => service(`[{ match: [${blocks(count)}], fault: { ${delay} } }]`);
    expect(importRules(many(1000), false).rules).toHaveLength(1000);
    expect(refusal(many(1001)).details).toMatchObject([{ path: 'spec', line: 5 }]);
    expect(refusal(many(600).replace('[ratings]', '[ratings, reviews]')).message).toContain(
      'more than 1000 rules',
    );
    expect(refusal(`${many(600)}---\n${many(600)}`).message).toContain('more than 1000 rules');
  });

  it('in many places: the first hundred are told, the others counted', () => {
    const wrong = Array.from({ length: 150 }, () => '{ fault: { abort: { httpStatus: 99 } } }').join(', ');
    const error = refusal(service(`[${wrong}]`));
    expect(error.details).toHaveLength(100);
    expect(error.message).toContain('(and 149 more)');
  });

  it('with names that objects have of themselves', () => {
    const fault = `fault: { ${delay} }`;
    const text = service(
      `[{ match: [{ headers: { constructor: { exact: a } } }] }, { match: [{ withoutHeaders: { constructor: {} } }], ${fault} }]`,
    );
    expect(made(text)).toMatchObject([{ match: { header: { constructor: false } } }]);
  });
});

const define = (rule: RuleInput): RuleDefinition => RuleDefinitionSchema.parse(rule);

describe('export to Istio', () => {
  const latency = { type: 'latency', direction: 'request', latencyMs: 1500 } as const;
  const rules: RuleInput[] = [
    { name: 'all', match: { callee: 'orders', path: '/*' }, faults: [latency] },
    {
      name: 'both',
      match: {
        callee: 'payments',
        caller: 'checkout',
        method: 'POST',
        path: '/v1/*',
        header: { a: 'b', c: true, d: false },
        query: { q: '/^(?:x|y)$/' },
      },
      faults: [
        { ...latency, direction: 'response' },
        { type: 'status', status: 503 },
      ],
    },
    {
      name: 'down delay',
      match: { host: '*.example.com', path: '/a' },
      trigger: { probability: 0.071 },
      faults: [{ ...latency, direction: 'response' }],
    },
    {
      name: 'down abort',
      match: { host: '*.example.com', path: '/a' },
      trigger: { probability: 0.25 },
      faults: [{ type: 'grpc-status', status: 'NOT_FOUND' }],
    },
  ];

  it('comes back as it went', () => {
    const definitions = rules.map(define);
    const text = istioYaml(definitions as never);
    const back = made(text);
    const named = back.map((rule) => ({
      ...rule,
      name: rule.name.replace('down delay abort', 'down abort').replace('down delay delay', 'down delay'),
    }));
    expect(named).toEqual(definitions);
  });

  it('names what is left out, and why', () => {
    const other: RuleInput[] = [
      { name: 'no\nhost', faults: [latency] },
      { name: 'first', match: { callee: 'a' }, trigger: { first: 3 }, faults: [latency] },
      { name: 'hang', match: { callee: 'a' }, faults: [{ type: 'hang' }] },
      {
        name: 'drawn once',
        match: { callee: 'a' },
        trigger: { probability: 0.5 },
        faults: [latency, { type: 'status', status: 500 }],
      },
      { name: 'tcp', match: { callee: 'a', protocol: 'tcp' }, faults: [latency] },
      { name: 'no q', match: { callee: 'a', query: { q: false } }, faults: [latency] },
      { name: 'jitter', match: { callee: 'a' }, faults: [{ ...latency, jitterMs: 5 }] },
    ];
    const { services, notes } = exportIstio(other.map(define));
    expect(services).toEqual([]);
    expect(notes.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([
      expect.stringMatching(/^no\nhost: left out: it names neither/),
      'first: left out: Istio has no trigger "first"',
      'hang: left out: Istio has no fault "hang"',
      expect.stringMatching(/^drawn once: left out: Istio draws/),
      'tcp: left out: Istio cannot match by protocol',
      'no q: left out: Istio cannot ask that a parameter is absent',
      'jitter: left out: delays of Istio are fixed',
    ]);
    const yaml = istioYaml(other.map(define) as never);
    expect(yaml.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  it('says which of two rules Istio asks first, and finds expressions anywhere as Spike does', () => {
    const { services, notes } = exportIstio([
      define({
        name: 'one',
        match: { callee: 'a.b', path: '/x|y/' },
        faults: [{ type: 'status', status: 500, body: 'no' }],
      }),
      define({ name: 'two', match: { callee: 'a.b' }, faults: [latency] }),
      define({ name: 'three', match: { callee: 'a-b' }, faults: [latency] }),
    ]);
    expect(services).toMatchObject([
      {
        metadata: { name: 'spike-a-b' },
        spec: { hosts: ['a.b'], http: [{ match: [{ uri: { regex: '.*(?:x|y).*' } }] }, { name: 'two' }] },
      },
      { metadata: { name: 'spike-a-b-2' }, spec: { hosts: ['a-b'] } },
    ]);
    expect(notes).toEqual([
      { rule: 'one', message: expect.stringContaining('body and headers') },
      { rule: 'two', message: expect.stringContaining('first entry') },
    ]);
  });
});
