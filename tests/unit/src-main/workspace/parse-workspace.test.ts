import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problemOf, WorkspaceFileError } from '../../../../src-main/workspace/defect.ts';
import { parseWorkspace } from '../../../../src-main/workspace/parse-workspace.ts';
import { faultSchemas } from '../../../../src-shared/rules/fault.ts';
import type { Environment } from '../../../../src-main/workspace/environment.ts';

const types = Object.keys(faultSchemas);

function parsed(text: string, environment: Environment = {}) {
  const result = parseWorkspace(text, environment);
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.defect)}`);
  return result.parsed;
}

/** `line:column sentence` */
function refusal(text: string, environment: Environment = {}): string {
  const result = parseWorkspace(text, environment);
  if (result.ok) throw new Error('was not refused');
  return `${result.defect.line}:${result.defect.column} ${result.defect.sentence}`;
}

const rule = (fault: string, more = ''): string =>
  `version: 1\nrules:\n  - name: slow\n${more}    faults:\n      - ${fault}\n`;

describe('a workspace file that is right', () => {
  it('is read with its defaults, as the example has it', () => {
    const { workspace, rules } = parsed(readFileSync('examples/shop/spike.yaml', 'utf8'));
    expect(workspace.routes.map(({ name }) => name)).toContain('stock-db');
    expect(workspace.capture).toEqual({ enabled: true, maxBodyBytes: 10485760, maxDiskBytes: 2147483648 });
    expect(rules[0]).toMatchObject({ id: 'payments-is-slow', enabled: false, trigger: {} });
  });

  it('gives every rule an id of its own', () => {
    const fault = 'faults: [{ type: hang }]';
    const { rules } = parsed(
      `version: 1\nrules:\n  - { name: A b, ${fault} }\n  - { name: a-b, ${fault} }\n  - { id: a-b-2, name: x, ${fault} }\n`,
    );
    expect(rules.map(({ id }) => id)).toEqual(['a-b', 'a-b-3', 'a-b-2']);
  });

  it('may begin with a byte order mark taken away and end its lines with CRLF', () => {
    expect(parsed(rule('{ type: hang }').replaceAll('\n', '\r\n')).rules).toHaveLength(1);
  });

  it('may use anchors', () => {
    const text =
      'version: 1\nrules:\n  - { name: a, faults: &f [{ type: hang }] }\n  - { name: b, faults: *f }\n';
    expect(parsed(text).rules[1]?.faults).toEqual([{ type: 'hang', direction: 'response' }]);
  });
});

describe('match and trigger in the file', () => {
  it('have the forms that the guide has', () => {
    const more = `    match: { status: 5xx, query: { debug: true }, header: { x-tenant: acme* }, body: { json: $.card.brand, equals: visa } }
    trigger: { every: 5, window: { from: 10s, to: 40s }, schedule: { every: 60s, for: 10s }, rate: 10/s, expires: 5m }
`;
    expect(parsed(rule('{ type: hang }', more)).rules[0]).toMatchObject({
      match: {
        status: '5xx',
        query: { debug: true },
        header: { 'x-tenant': 'acme*' },
        body: { json: '$.card.brand', equals: 'visa' },
      },
      trigger: {
        every: 5,
        window: { from: '10s', to: '40s' },
        schedule: { every: '60s', for: '10s' },
        rate: '10/s',
        expires: '5m',
      },
    });
  });

  it.each([
    ['    trigger: { window: { from: 40s, to: 10s } }\n', '4:41 Expected a time after from.'],
    ['    trigger: { expires: 300 }\n', '4:25 Expected a text.'],
    ['    trigger: { expires: soon }\n', '4:25 Expected a duration such as 500ms, 10s, 5m or 1h30m.'],
    ['    trigger: { evry: 5 }\n', '4:16 "evry" is not known here. Did you mean "every"?'],
    [
      '    match: { body: { json: card } }\n',
      '4:28 Expected a JSON path such as $.card.brand or $.items[*].id.',
    ],
    ['    match: { header: { "a b": x } }\n', /^4:\d+ Expected a field name/],
    [
      '    match: { path: "/(/i" }\n',
      /^4:20 \/\(\/ is not a regular expression of RE2: missing closing \): `\(`\.$/,
    ],
    ['    match: { status: 7xx }\n', /^4:22 Expected a status such as 503/],
  ])('%j is refused with its place', (more, expected) => {
    const said = refusal(rule('{ type: hang }', more));
    if (typeof expected === 'string') expect(said).toBe(expected);
    else expect(said).toMatch(expected);
  });
});

describe('a defect has its place and says what was expected', () => {
  it.each([
    ['', '1:1 The file is empty. Expected at least "version: 1".'],
    ['# nothing\n', '1:1 The file is empty. Expected at least "version: 1".'],
    ['routes: []\n', '1:1 Expected "version" here: 1. It is missing.'],
    [
      'version: 2\nfuture: []\n',
      '1:10 Expected version 1: this file is of version 2, made for a newer Spike. Update Spike, or use an older file.',
    ],
    ['version: "1"\n', '1:10 Expected 1.'],
    ['- version: 1\n', '1:1 Expected a mapping of keys to values.'],
    ['version: 1\nrulez: []\n', '2:1 "rulez" is not known here. Did you mean "rules"?'],
    [
      'version: 1\ntls: { passtrough: [] }\n',
      '2:8 "passtrough" is not known here. Did you mean "passthrough"?',
    ],
    ['version: 1\nversion: 1\n', '2:1 Expected every key once; this one was given before.'],
    ['version: 1\n---\nversion: 1\n', '2:1 Expected one document; a second begins here.'],
    ['version: 1\nrules:\n\t- a\n', '3:1 Expected spaces; YAML does not allow a tab as indentation.'],
    ['version: 1\nrules: *none\n', null],
    [
      'version: 1\ncapture: { maxBodyBytes: lots }\n',
      '2:26 Expected a size such as 10MiB, 500kB or a number of bytes.',
    ],
    [
      'version: 1\ncapture: { maxBodyBytes: true }\n',
      '2:26 Expected a size such as 10MiB, 500kB or a number of bytes.',
    ],
    [
      'version: 1\nroutes:\n  - { name: a, listen: "127.0.0.1:1" }\n',
      '3:5 Expected "upstream" here: a text. It is missing.',
    ],
    ['version: 1\nroutes:\n  - { name: a, listen: here, upstream: "http://a" }\n', null],
    [
      rule('{ type: latency, latencyMs: 2 s }'),
      '5:37 Expected a whole number of milliseconds, such as 2000.',
    ],
    [
      rule('{ type: latency, latencyMs: -1 }'),
      '5:37 Expected a whole number of milliseconds, such as 2000, at least 0.',
    ],
    [
      rule('{ type: latency, latencyMs: 1, latencyMS: 1 }'),
      '5:40 "latencyMS" is not known here. Did you mean "latencyMs"?',
    ],
    [
      rule('{ type: latncy, latencyMs: 1 }'),
      `5:17 Expected one of ${types.slice(0, 6).join(', ')} and ${types.length - 6} more. Did you mean "latency"?`,
    ],
    [rule('{ type: reset, at: middle }'), '5:28 Expected one of start, before-head, after-head, mid-body.'],
    [
      rule('{ type: hang }', '    trigger: { probability: 2 }\n'),
      '4:29 Expected a number from 0 to 1, such as 0.5, at most 1.',
    ],
    ['version: 1\nrules:\n  - { name: a, faults: [] }\n', '3:24 Expected at least 1 entry in the list.'],
  ])('%j', (text, expected) => {
    const said = refusal(text);
    if (expected === null) expect(said).toMatch(/^\d+:\d+ Expected /);
    else expect(said).toBe(expected);
  });

  it('tells how many more there are', () => {
    expect(refusal('version: 1\na: 1\nroutes: 3\n')).toBe(
      '2:1 "a" is not known here. Expected one of version, routes, tls, http, rules, scenarios, capture, redact, limits, upstreamProxy. (1 more place needs correction.)',
    );
  });

  it('names a rule that is there twice', () => {
    const text = `${rule('{ type: hang }')}  - { name: slow, faults: [{ type: hang }] }\n`;
    expect(refusal(text)).toBe('6:13 "slow" is used twice; every name is unique.');
  });

  it('is told to the window and to the terminal with an excerpt', () => {
    const text = rule('{ type: latency, latencyMs: soon }');
    const result = parseWorkspace(text, {});
    if (result.ok) throw new Error('was not refused');
    expect(problemOf('/home/me/spike.yaml', result.defect).message).toBe(
      'spike.yaml:5:37 was not applied. Expected a whole number of milliseconds, such as 2000. The rules from before stay in force.',
    );
    expect(new WorkspaceFileError('spike.yaml', result.defect).message).toContain(
      '  5 |       - { type: latency, latencyMs: soon }\n    |                                     ^',
    );
  });
});

describe('hostile YAML is refused, and soon', () => {
  it('an alias bomb', () => {
    const level = (name: string, of: string) =>
      `${name}: &${name} [${Array(20).fill(`*${of}`).join(', ')}]\n`;
    const text = `version: 1\na: &a [1]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}${level('e', 'd')}`;
    expect(refusal(text)).toContain('Aliases expand to more than Spike reads.');
  });

  it.each([
    ['lists in lists', `version: ${'['.repeat(100_000)}`],
    ['mappings in mappings', `${'{a: '.repeat(100_000)}`],
    ['a cycle', 'version: 1\nrules: &a [*a]\n'],
    ['a key that is a list', '? [1]\n: 2\n'],
    ['a prototype', 'version: 1\n__proto__: { polluted: true }\n'],
    ['control characters', 'version: \u0000\u0001\n'],
    ['half a pair of surrogates', 'version: "\ud800"\n'],
  ])('%s', (_, text) => {
    expect(refusal(text)).toMatch(/^\d+:\d+ \S/);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('placeholders', () => {
  it('expand, with a default', () => {
    const text = rule('{ type: status, status: "${STATUS:-503}", body: "for ${WHO}" }');
    expect(parsed(text, { WHO: 'you' }).rules[0]?.faults[0]).toMatchObject({ status: 503, body: 'for you' });
    expect(parsed(text, { WHO: '', STATUS: '500' }).rules[0]?.faults[0]).toMatchObject({
      status: 500,
      body: 'for ',
    });
  });

  it('stay texts where a text is wanted, though they look like figures', () => {
    const text = rule('{ type: status, status: 500, body: "${BODY}" }');
    expect(parsed(text, { BODY: '42' }).rules[0]?.faults[0]).toMatchObject({ body: '42' });
  });

  it('are figures in plain scalars', () => {
    const text =
      'version: 1\nrules:\n  - name: a\n    faults:\n      - type: latency\n        latencyMs: ${DELAY:-20}\n';
    expect(parsed(text).rules[0]?.faults[0]).toMatchObject({ latencyMs: 20 });
  });

  it('bring no structure into the file', () => {
    const text = 'version: 1\nroutes:\n  - name: a\n    listen: ${LISTEN}\n    upstream: http://a\n';
    expect(refusal(text, { LISTEN: '{ a: 1 }' })).toBe(
      '4:13 Expected an address and a port, such as 127.0.0.1:9101.',
    );
  });

  it('are refused with their place when nothing is set', () => {
    expect(refusal('version: 1\ntls:\n  trust: [a, "${CA_FILE}"]\n')).toBe(
      '3:14 The environment variable CA_FILE is not set. Set it, or give a default: ${CA_FILE:-…}.',
    );
    expect(refusal('version: 1\ntls:\n  trust:\n    - ./${NAME}/ca.pem\n')).toMatch(/^4:9 /);
  });

  it('can be escaped', () => {
    const text = rule("{ type: status, status: 500, body: '$${NAME} costs $5' }");
    expect(parsed(text).rules[0]?.faults[0]).toMatchObject({ body: '${NAME} costs $5' });
    expect(refusal(rule("{ type: status, status: 500, body: '${a-b}' }"))).toContain('Expected ${NAME}');
  });

  it('are asked to be quoted within braces', () => {
    expect(refusal('version: 1\ntls: { trust: ${A:-[]} }\n')).toContain('a placeholder needs quotes');
  });
});
