// Held calls over every transport: what is shown, what is refused and where.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { contract } from '#shared/contract/contract.ts';
import type { AgentClient } from '#shared/contract/contract.ts';
import type { SpikeError } from '#shared/contract/errors.ts';
import { EventSchema } from '#shared/contract/events.ts';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { HeldAnswer, HeldCall, HeldEdit } from '#shared/contract/held.ts';
import { spikeErrorOf } from '#shared/contract/wire-error.ts';
import { startHarness } from '../support/control-harness.ts';
import type { ControlHarness } from '../support/control-harness.ts';
import { transports } from './transports.ts';
import type { Connected } from './transports.ts';

/** An answer has exactly what the contract says: nothing missing, nothing more. */
function expectConforms(procedure: { '~orpc': { outputSchema?: unknown } }, answer: unknown): void {
  const schema = procedure['~orpc'].outputSchema as z.ZodType;
  expect(schema.parse(answer)).toEqual(answer);
}

async function refusal(call: Promise<unknown>): Promise<SpikeError> {
  const reason = await call.then(
    () => null,
    (error: unknown) => error,
  );
  const error = spikeErrorOf(reason);
  if (error === null) throw new Error('expected the agent to refuse, with its own error');
  return error;
}

describe.each(Object.entries(transports))('held calls over %s', (_name, open) => {
  let harness: ControlHarness;
  let connected: Connected;
  let client: AgentClient;

  beforeAll(async () => {
    harness = await startHarness();
    connected = await open(harness);
    client = connected.client;
  });
  afterAll(async () => {
    await connected.close();
    await harness.close();
  });
  afterEach(() => client.held.releaseAll());

  /** So many that are held now: a request, an answer, and so on. */
  async function hold(count: number): Promise<HeldCall[]> {
    harness.engine.holds.hold(count);
    return client.held.list();
  }

  it('are listed, oldest first, and shown with their messages', async () => {
    const listed = await hold(2);
    expectConforms(contract.held.list, listed);
    expect(listed.map(({ at }) => at)).toEqual(['request', 'response']);
    const bytes = listed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect((await client.agent.status()).held).toEqual({ calls: 2, bytes, passed: 0 });
    const [first, second] = await Promise.all(listed.map(({ id }) => client.held.get({ id })));
    expectConforms(contract.held.get, first);
    expectConforms(contract.held.get, second);
    expect(first?.message).toMatchObject({ kind: 'request', method: 'POST', target: '/v1/charge/card' });
    expect(second).toMatchObject({ message: { kind: 'response', status: 402 }, request: { method: 'POST' } });
  });

  it('are released, edited, answered, dropped; who comes late is told what became of them', async () => {
    const [edited = '', answered = '', dropped = '', ...others] = (await hold(6)).map(({ id }) => id);
    const body = { method: 'PUT', body: Buffer.from('{}').toString('base64') };
    expect(await client.held.release({ params: { id: edited }, body })).toEqual({
      id: edited,
      outcome: 'edited',
    });
    expect(await client.held.answer({ params: { id: answered }, body: { status: 503 } })).toEqual({
      id: answered,
      outcome: 'answered',
    });
    expect(await client.held.drop({ id: dropped })).toEqual({ id: dropped, outcome: 'dropped' });
    const [one = '', ...rest] = others;
    expect(await client.held.release({ params: { id: one }, body: {} })).toEqual({
      id: one,
      outcome: 'released',
    });
    expect(await client.held.releaseAll()).toEqual({ released: rest.length });
    expect(await client.held.list()).toEqual([]);

    const late = await refusal(client.held.drop({ id: edited }));
    expect(late).toMatchObject({ code: 'held-not-found', details: { id: edited, outcome: 'edited' } });
    expect(late.message).toBe(`No call is held as "${edited}". It was edited and released already.`);
    const unknown = await refusal(client.held.get({ id: '7-7' }));
    expect(unknown).toMatchObject({ code: 'held-not-found', details: { outcome: null } });
  });

  const host = ['host', 'a'];
  it.each([
    ['method', { method: 'GE T' }, /Expected a method/],
    ['method', { method: '' }, /Expected a method/],
    ['method', { method: 'CONNECT' }, /tunnel/],
    ['target', { target: 'v1' }, /begins with '\/'/],
    ['target', { target: 'http://a/b' }, /begins with '\/'/],
    ['target', { target: '/a b' }, /without spaces/],
    ['target', { target: '/a\r\nx: y' }, /without spaces/],
    ['target', { target: '/a#b' }, /without spaces/],
    ['target', { target: `/${'a'.repeat(65_536)}` }, /./],
    ['status', { status: 199 }, /./],
    ['status', { status: 600 }, /./],
    ['status', { status: 200.5 }, /./],
    ['headers', { headers: 'x: y' }, /./],
    ['headers[0]', { headers: [['x']] }, /./],
    ['headers[0][0]', { headers: [['x y', '1']] }, /Expected a field name/],
    ['headers[0][0]', { headers: [['x\n', '1']] }, /Expected a field name/],
    ['headers[0][0]', { headers: [[':path', '/']] }, /Expected a field name/],
    ['headers[1][1]', { headers: [host, ['x', 'a\r\ny: b']] }, /without line breaks/],
    ['headers[1][1]', { headers: [host, ['x', 'a\u0000']] }, /without line breaks/],
    ['headers[1][1]', { headers: [host, ['x', '€']] }, /without line breaks/],
    ['headers[1][0]', { headers: [host, ['Content-Length', '4']] }, /Content-Length is about framing/],
    ['headers[0][0]', { headers: [['transfer-encoding', 'chunked']] }, /is about framing/],
    ['headers[0][0]', { headers: [['content-encoding', 'br']] }, /is about framing, coding/],
    ['body', { body: 'not base64!' }, /Expected base64/],
    ['body', { body: { json: true } }, /./],
    ['bdoy', { bdoy: '' }, /no such field/],
  ])('an edit with a bad %s is refused, and the call is held on: %j', async (path, edit, message) => {
    const [held] = await hold(1);
    const id = held?.id ?? '';
    const refused = await refusal(client.held.release({ params: { id }, body: edit as unknown as HeldEdit }));
    expect(refused).toMatchObject({ code: 'invalid-input', details: [{ path }] });
    expect(refused.message).toMatch(message);
    expect((await client.held.list()).map((call) => call.id)).toEqual([id]);
  });

  it.each([
    ['status', {}],
    ['status', { status: 199 }],
    ['body', { status: 204, body: 'YQ==' }],
    ['body', { status: 200, body: 'a' }],
    ['headers[0][0]', { status: 200, headers: [['Connection', 'close']] }],
    ['method', { status: 200, method: 'GET' }],
  ])('an answer with a bad %s is refused, and the call is held on: %j', async (path, answer) => {
    const [held] = await hold(1);
    const id = held?.id ?? '';
    const refused = await refusal(
      client.held.answer({ params: { id }, body: answer as unknown as HeldAnswer }),
    );
    expect(refused).toMatchObject({ code: 'invalid-input', details: [{ path }] });
    expect(await client.held.list()).toHaveLength(1);
  });

  it('are told of as they come and go', async () => {
    const events: AgentEvent[] = [];
    for await (const event of await client.agent.events()) {
      if (events.push(event) === 1) void hold(1).then(([held]) => client.held.drop({ id: held?.id ?? '' }));
      if (event.type === 'held.removed') break;
    }
    for (const event of events) expect(EventSchema.parse(event)).toEqual(event);
    const told = events.filter(({ type }) => type.startsWith('held.'));
    expect(told).toMatchObject([
      { type: 'held.added', call: { state: 'held' } },
      { type: 'held.removed', outcome: 'dropped' },
    ]);
  });
});
