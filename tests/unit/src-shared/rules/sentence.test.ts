import { describe, expect, it } from 'vitest';
import { RuleDefinitionSchema } from '../../../../src-shared/rules/rule.ts';
import type { RuleInput } from '../../../../src-shared/rules/rule.ts';
import { ruleSentence, ruleSentenceParts } from '../../../../src-shared/rules/sentence.ts';

const slow: RuleInput['faults'] = [{ type: 'latency', latencyMs: 2000 }];
const down: RuleInput['faults'] = [{ type: 'status', status: 503 }];

function said(match: RuleInput['match'], trigger: RuleInput['trigger'], faults = slow): string {
  return ruleSentence(RuleDefinitionSchema.parse({ name: 'r', match, trigger, faults }));
}

describe('the sentence of a rule', () => {
  it.each<[string, RuleInput['match'], RuleInput['trigger']]>([
    ['All calls wait 2 s.', {}, {}],
    ['All calls to payments wait 2 s.', { callee: 'payments' }, {}],
    ["All of checkout's calls wait 2 s.", { caller: 'checkout' }, { probability: 1 }],
    [
      "Half of checkout's POST /v1/charge/* calls to payments wait 2 s.",
      { caller: 'checkout', callee: 'payments', method: 'POST', path: '/v1/charge/*' },
      { probability: 0.5 },
    ],
    ['Half of the calls wait 2 s.', {}, { probability: 0.5 }],
    ['1 in 20 of the calls wait 2 s.', {}, { probability: 0.05 }],
    ['33.3 % of the calls wait 2 s.', {}, { probability: 0.333 }],
    ['None of the calls wait 2 s.', {}, { probability: 0 }],
    ['The first 3 calls to a wait 2 s.', { callee: 'a' }, { first: 3 }],
    ['The first call waits 2 s.', {}, { first: 1 }],
    ["The first of web's calls waits 2 s.", { caller: 'web' }, { first: 1 }],
    ['Half of the first 1,000 of the calls wait 2 s.', {}, { first: 1000, probability: 0.5 }],
    ['All but the first 10 of the calls wait 2 s.', {}, { after: 10 }],
    ['The next 3 after the first 10 of the calls wait 2 s.', {}, { after: 10, first: 3 }],
    ['Every 5th GET call waits 2 s.', { method: 'GET' }, { every: 5 }],
    ["Every 2nd of web's calls waits 2 s.", { caller: 'web' }, { every: 2 }],
    ['Every 3rd of the first 9 of the calls waits 2 s.', {}, { every: 3, first: 9 }],
    ['All calls to a beyond 10 a second wait 2 s.', { callee: 'a' }, { rate: '10/s' }],
    ['All calls beyond 5,000 an hour wait 2 s.', {}, { rate: '5000/h' }],
    ['All calls wait 2 s, at most 2 at once.', {}, { maxConcurrent: 2 }],
    [
      'All calls wait 2 s, from 10 s to 40 s after it is turned on.',
      {},
      { window: { from: '10s', to: '40s' } },
    ],
    ['All calls wait 2 s, from 1.5 min after it is turned on.', {}, { window: { from: '90s' } }],
    ['All calls wait 2 s, for 40 s after it is turned on.', {}, { window: { to: '40s' } }],
    ['All calls wait 2 s, for 10 s of every 1 min.', {}, { schedule: { every: '60s', for: '10s' } }],
    [
      'All calls wait 2 s, at most 1 at once; the rule turns itself off after 5 min.',
      {},
      { expires: '5m', maxConcurrent: 1 },
    ],
    ['All calls to a at b.local wait 2 s.', { callee: 'a', host: 'b.local' }, {}],
    ['All calls to b.local wait 2 s.', { host: 'b.local' }, {}],
    ['All calls by the route orders wait 2 s.', { route: 'orders' }, {}],
    ['All calls through the proxy port wait 2 s.', { listener: 'proxy' }, {}],
    ['All calls through the port of db wait 2 s.', { listener: 'db' }, {}],
    ['All connections to db wait 2 s.', { callee: 'db', protocol: 'tcp' }, {}],
    [
      'All shop.Payments/Charge gRPC calls wait 2 s.',
      { grpc: { service: 'shop.Payments', method: 'Charge' } },
      {},
    ],
    ['All */Charge gRPC calls wait 2 s.', { grpc: { method: 'Charge' } }, {}],
    ['All WebSockets wait 2 s.', { protocol: 'websocket' }, {}],
    [
      'All calls with ?debug=1 and no ?x and x-tenant: ac* and cookie wait 2 s.',
      { query: { debug: '1', x: false }, header: { 'x-tenant': 'ac*', cookie: true } },
      {},
    ],
    ['All calls with “visa” in the body wait 2 s.', { body: { contains: 'visa' } }, {}],
    ['All calls with a body that matches /a+/ wait 2 s.', { body: { matches: 'a+' } }, {}],
    [
      'All calls with $.brand = "visa" in the body wait 2 s.',
      { body: { json: '$.brand', equals: 'visa' } },
      {},
    ],
    ['All calls with no $.id in the body wait 2 s.', { body: { json: '$.id', exists: false } }, {}],
    ['All calls of the trace 4bf9* wait 2 s.', { traceId: '4bf9*' }, {}],
    ['All calls that are answered 5xx wait 2 s.', { status: '5xx' }, {}],
    ['The first call that is answered 503 waits 2 s.', { status: 503 }, { first: 1 }],
  ])('%s', (sentence, match, trigger) => {
    expect(said(match, trigger)).toBe(sentence);
  });

  it('joins what its faults do', () => {
    expect(said({}, { first: 1 }, [...slow, ...down])).toBe('The first call waits 2 s and gets 503.');
    const three = [...slow, ...down, { type: 'hang' } as const];
    expect(said({}, {}, three)).toBe('All calls wait 2 s, get 503 and never get an answer.');
  });

  it('sets off what comes from the rule, and nothing is lost in between', () => {
    const rule = RuleDefinitionSchema.parse({
      name: 'r',
      match: { caller: 'web', callee: 'a', path: '/x' },
      faults: slow,
    });
    const parts = ruleSentenceParts(rule);
    expect(parts.filter(({ strong }) => strong).map(({ text }) => text)).toEqual(['web', '/x', 'a']);
    expect(parts.map(({ text }) => text).join('')).toBe(ruleSentence(rule));
  });
});
