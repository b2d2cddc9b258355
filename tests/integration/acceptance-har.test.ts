// A capture of real calls, exported: a file that its schema and Chrome accept, without the secrets that were sent.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import Ajv from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenChromeRules } from '../support/har-chrome-rules.ts';
import { startSite } from '../support/https-site.ts';
import type { Site } from '../support/https-site.ts';
import { callThrough, sendRaw } from '../support/proxy-client.ts';
import {
  endRealAgents,
  eventually,
  spike,
  startRealAgent,
  temporaryDirectory,
} from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

const secrets = {
  bearer: 'bearer-secret-4f1d',
  cookie: 'cookie-secret-77ab',
  password: 'password-secret-9c2e',
  query: 'query-secret-01ff',
  custom: 'custom-secret-5d5d',
  card: '4111 1111 1111 1111',
};

let agent: RealAgent;
let site: Site;
beforeAll(async () => {
  site = await startSite(null);
  agent = await startRealAgent({
    workspace: `version: 1\nredact: { headers: [x-session], json: ["$.order.note"] }\n`,
  });
  const { proxy } = agent.ready;
  await callThrough(proxy, `${site.origin}/login?access_token=${secrets.query}&page=2`, {
    method: 'POST',
    caller: 'browser',
    headers: {
      authorization: `Bearer ${secrets.bearer}`,
      cookie: `theme=dark; session=${secrets.cookie}`,
      'x-session': secrets.custom,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      user: 'ada',
      credentials: { password: secrets.password },
      card: secrets.card,
      order: { note: secrets.custom },
    }),
  });
  for (const path of ['/data.gzip', '/data.br', '/image.png', '/'])
    await callThrough(proxy, `${site.origin}${path}`);
  await callThrough(proxy, 'http://no-such-name.invalid/'); // a call without an answer of its own
  await sendRaw(proxy, 'GET / HTTP/1.1\r\nBroken : yes\r\n\r\n');
  await eventually(async () => expect(await agent.flows()).toHaveLength(7));
});
afterAll(async () => {
  await endRealAgents();
  await site[Symbol.asyncDispose]();
});

interface Har {
  log: {
    entries: {
      request: { url: string; method: string; postData?: { text: string } };
      response: { status: number; content: { text?: string } };
    }[];
  };
}

const exported = async (query: string) =>
  (await agent.get(`/captures/current/export?format=har${query}`)).text();

function schemaErrors(har: unknown): unknown {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('har-schema/package.json')), 'lib');
  const ajv = new Ajv({ allErrors: true });
  ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-06.json') as object);
  for (const file of Object.values(require('har-schema') as Record<string, { $id: string }>)) {
    ajv.addSchema(JSON.parse(readFileSync(join(folder, file.$id.replace('#', '')), 'utf8')) as object);
  }
  return ajv.validate('har.json#', har) === true ? null : ajv.errors;
}

describe('the export of a real capture', () => {
  it('is what the schema and Chrome demand, with all calls in it', async () => {
    const har = JSON.parse(await exported('')) as Har;
    expect(schemaErrors(har)).toBeNull();
    expect(brokenChromeRules(har)).toEqual([]);
    const calls = har.log.entries.map(({ request, response }) => `${request.method} ${response.status}`);
    expect(calls.filter((call) => call === 'GET 200')).toHaveLength(4);
    expect(calls).toContain('POST 200');
    const page = har.log.entries.find(({ request }) => request.url === `${site.origin}/data.br`);
    expect(page?.response.content.text, 'decoded').toContain('"sku":"A-1"');
  });

  it('holds none of the secrets that were sent, and still what is no secret', async () => {
    const text = await exported('');
    for (const [name, secret] of Object.entries(secrets)) {
      expect(text.includes(secret), `${name} is in the file`).toBe(false);
      expect(text.includes(encodeURIComponent(secret)), `${name} is in the file, encoded`).toBe(false);
      expect(text.includes(btoa(secret)), `${name} is in the file, in base64`).toBe(false);
    }
    expect(text).toContain('"ada');
    expect(text).toContain('page=2');
  });

  it('with redact=0 all of them are there: the ones above were really sent and captured', async () => {
    const text = await exported('&redact=0');
    for (const secret of Object.values(secrets)) expect(text).toContain(secret);
  });

  it('a filter exports what it finds; the command line writes the same file', async () => {
    const filtered = JSON.parse(await exported('&filter=caller%3Abrowser')) as Har;
    expect(filtered.log.entries).toHaveLength(1);
    const file = join(temporaryDirectory(), 'calls.har');
    const words = ['capture', 'export', file, '--home', agent.home, '--filter', 'caller:browser'];
    expect((await spike(words)).code).toBe(0);
    const written = JSON.parse(readFileSync(file, 'utf8')) as Har;
    expect(schemaErrors(written)).toBeNull();
    expect(written.log.entries.map(({ request }) => request.url)).toEqual(
      filtered.log.entries.map(({ request }) => request.url),
    );
    expect(readFileSync(file, 'utf8')).not.toContain(secrets.password);
  });
});
