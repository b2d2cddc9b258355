import { describe, expect, it } from 'vitest';
import type { ActiveRule } from '../../../../../src-main/engine/cluster/messages.ts';
import { Http1Session } from '../../../../../src-main/engine/proxy/http1-session.ts';
import { hold } from '../../../../../src-main/engine/proxy/ports.ts';
import { activeRule } from '../../../../support/data-plane-harness.ts';
import { FakeConnection, fakeNetwork, FakeTransport } from '../../../../support/fake-network.ts';

function open(rules: readonly ActiveRule[] = []) {
  const network = fakeNetwork(rules);
  const client = new FakeTransport();
  const upgraded: unknown[] = [];
  const session = new Http1Session(network.environment, network.facts, client, {
    connect: null,
    proxyUser: () => undefined,
    upgraded: (switched, ahead) => void upgraded.push([switched.rest?.toString(), ahead?.toString()]),
  });
  const say = (text: string): void => session.received(Buffer.from(text, 'latin1'));
  /** Grants the lease that waits, as a new connection or one that was used before. */
  const grant = (uses = 0): FakeConnection => {
    const connection = new FakeConnection();
    connection.uses = uses;
    network.leases.shift()?.request.leased(connection);
    return connection;
  };
  const answer = (connection: FakeConnection, text: string): void =>
    connection.owner?.received(Buffer.from(text, 'latin1'));
  return { ...network, client, session, say, grant, answer, upgraded };
}

const get = 'GET /a HTTP/1.1\r\nHost: orders\r\n\r\n';
const post = 'POST /b HTTP/1.1\r\nHost: orders\r\nContent-Length: 5\r\n\r\nhello';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('bytes in, bytes out', () => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n';
  const asked = `${get}${post}`;
  const answers = [chunked, ok];

  /** The whole conversation, with the client's and the upstream's bytes cut at these places. */
  function converse(
    cutAt: number,
    answerCutAt: number,
  ): { sent: string[]; received: string; urls: string[] } {
    const scene = open();
    const sent: string[] = [];
    let current: FakeConnection | null = null;
    const serve = (): void => {
      for (;;) {
        if (scene.leases.length > 0) current = scene.grant();
        if (current === null || current.transport.text !== [get, post][sent.length]) return;
        const connection: FakeConnection = current;
        const text = answers[sent.length] as string;
        sent.push(connection.transport.text);
        current = null;
        scene.answer(connection, text.slice(0, answerCutAt));
        scene.answer(connection, text.slice(answerCutAt));
      }
    };
    for (const piece of [asked.slice(0, cutAt), asked.slice(cutAt)]) {
      scene.say(piece);
      serve();
    }
    return { sent, received: scene.client.text, urls: scene.flows.map((flow) => flow.url) };
  }

  it('are the same wherever the requests are cut', () => {
    for (let cut = 1; cut < asked.length; cut++) {
      const { sent, received, urls } = converse(cut, 20);
      expect(sent, `cut at ${cut}`).toEqual([get, post]);
      expect(received).toBe(chunked + ok);
      expect(urls).toEqual(['http://orders:80/a', 'http://orders:80/b']);
    }
  });

  it('are the same wherever the answers are cut', () => {
    for (let cut = 1; cut < chunked.length; cut++) {
      expect(converse(asked.length, cut).received, `cut at ${cut}`).toBe(chunked + ok);
    }
  });
});

describe('commands', () => {
  it('send the head of a request that waits for 100 as soon as there is a connection', () => {
    const { say, grant } = open();
    say('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    expect(grant().transport.text).toContain('100-continue');
  });

  it('have a client wait while its upstream connects, and not longer', () => {
    const { say, grant, client } = open();
    say(post);
    expect(client.holds).toBe(hold.connecting);
    grant();
    expect(client.holds).toBe(0);
  });

  it('keep a pipelining client waiting until its turn, however often another reason goes', () => {
    const { say, grant, answer, client } = open();
    say(get + get + get);
    expect(client.holds).toBe(hold.turn);
    const first = grant();
    expect(client.holds).toBe(hold.turn);
    answer(first, ok);
    expect(client.holds).toBe(hold.turn);
    answer(grant(), ok);
    expect(client.holds).toBe(0);
  });

  it('ask for nothing more while the client does not take its answers', () => {
    const { say, grant, answer, client, session, leases } = open();
    say(get + get);
    client.isFull = true;
    answer(grant(), ok);
    expect(leases).toHaveLength(0);
    client.isFull = false;
    session.drained();
    expect(leases).toHaveLength(1);
  });

  it('have the upstream wait for a slow client', () => {
    const { say, grant, answer, client, session } = open();
    say(get);
    const connection = grant();
    client.isFull = true;
    answer(connection, 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok');
    expect(connection.transport.holds).toBe(hold.full);
    client.isFull = false;
    session.drained();
    expect(connection.transport.holds).toBe(0);
  });

  it('try a stale connection again for GET alone, and once', () => {
    for (const [request, tries] of [
      [get, 2],
      [post, 1],
    ] as const) {
      const { say, grant, leases, client } = open();
      say(request);
      grant(1).owner?.closed(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
      expect(leases.length).toBe(tries - 1);
      if (tries === 2) {
        expect(leases[0]?.fresh).toBe(true);
        grant(1).owner?.closed(null);
      }
      expect(client.text).toMatch(/^HTTP\/1\.1 502 /);
    }
  });

  it('end a connection in an orderly way, once, and write nothing afterwards', () => {
    for (const hostile of ['GET / HTTP/1.1\r\n\r\n', `${get.replace('/a', 'ftp://x/')}junk`, '\0']) {
      const { say, client, flows, session } = open();
      say(hostile);
      say('more');
      session.ended();
      expect(client.commands).toEqual(['close']);
      expect(client.text).toMatch(/^HTTP\/1\.1 400 /);
      expect(flows.map((flow) => flow.kind)).toEqual(['refused']);
    }
  });

  it('hand over an upgrade with what both sides said ahead', () => {
    const { say, grant, answer, upgraded, client } = open();
    say('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nclient');
    answer(grant(), 'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nserver');
    expect(upgraded).toEqual([['server', 'client']]);
    expect(client.text).toMatch(/^HTTP\/1\.1 101 S\r\n/);
  });

  it('hand over an upgrade whose 101 a rule holds only when it has come out', () => {
    const rule = activeRule({ name: 'slow', faults: [{ type: 'latency', latencyMs: 50 }] });
    const { say, grant, answer, upgraded, client, clock } = open([rule]);
    say('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    const connection = grant();
    answer(connection, 'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    answer(connection, 'early');
    expect([client.text, upgraded.length]).toEqual(['', 0]);
    clock.advance(50);
    expect(client.text).toMatch(/^HTTP\/1\.1 101 S\r\n/);
    expect(upgraded).toEqual([['early', undefined]]);
  });

  it('give up the upstream with a client that goes', () => {
    const { say, grant, session, flows } = open();
    say(get);
    const connection = grant();
    session.closed(null);
    expect(connection.released).toBe(false);
    expect(flows[0]?.error?.cause).toBe('client-closed');
    const waiting = open();
    waiting.say(get);
    waiting.session.closed(null);
    expect(waiting.leases[0]?.cancelled).toBe(true);
  });
});

describe('what the client is to send next', () => {
  const late = { cause: 'client-timeout', code: 'SPIKE_CLIENT_TIMEOUT', message: 'Too late.' } as const;

  it('is told at every byte: a head from its first one on, nothing while it is answered, then a request', () => {
    const scene = open();
    const seen = [scene.session.awaited];
    for (const octet of get) {
      scene.say(octet);
      if (seen.at(-1) !== scene.session.awaited) seen.push(scene.session.awaited);
    }
    scene.answer(scene.grant(), ok);
    seen.push(scene.session.awaited);
    expect(seen).toEqual(['request', 'head', null, 'request']);
    expect(scene.session.turn).toBe(1);
  });

  it('is the rest of its body, nothing while it waits for the answer, and then that it reads', () => {
    const scene = open();
    scene.say(post.slice(0, -2));
    expect(scene.session.awaited).toBe('body');
    scene.say('lo');
    expect(scene.session.awaited).toBeNull();
    scene.answer(scene.grant(), ok);
    scene.client.isFull = true;
    expect(scene.session.awaited).toBe('reading');
  });

  it('is nothing more of a body once the answer has begun: the client may wait for that', () => {
    const scene = open();
    scene.say(post.slice(0, -2));
    scene.answer(scene.grant(), ok.slice(0, -1));
    expect(scene.session.awaited).toBeNull();
  });

  it('and who stalls in a body is answered 408, once', () => {
    const scene = open();
    scene.say(post.slice(0, -2));
    scene.session.timedOut(late);
    scene.session.timedOut(late);
    expect(scene.client.text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(scene.client.commands).toEqual(['close']);
    expect(scene.flows).toHaveLength(1);
    expect(scene.flows[0]?.error?.cause).toBe('client-timeout');
  });

  it('is the rest of a pipelined head once the answers before it have left', () => {
    const scene = open();
    scene.say(get + get.slice(0, 9));
    expect(scene.session.awaited).toBeNull();
    scene.answer(scene.grant(), ok);
    expect(scene.session.awaited).toBe('head');
    scene.session.timedOut(late);
    expect(scene.client.text).toMatch(/okHTTP\/1\.1 408 Request Timeout\r\n/);
    expect(scene.client.commands).toEqual(['close']);
    expect(scene.flows[1]).toMatchObject({ kind: 'refused', status: 408, rawHead: get.slice(0, 9) });
    expect(scene.session.awaited).toBeNull();
  });

  it('does not come between requests: the connection is closed, and nothing is said or shown', () => {
    const scene = open();
    scene.session.timedOut(late);
    expect([scene.client.text, scene.client.commands, scene.flows]).toEqual(['', ['close'], []]);
  });
});

describe('a client that says no more', () => {
  it('is told to its upstream behind the whole request, also to one that is connected later', () => {
    for (const isLater of [false, true]) {
      const { say, grant, session, flows } = open();
      say(get);
      const before = isLater ? null : grant();
      session.ended();
      const connection = before ?? grant();
      expect(connection.transport.text).toBe(get);
      expect(connection.transport.commands).toEqual(['end']);
      expect(flows).toEqual([]);
    }
  });

  it('gets its answer, and the connection is not used again', () => {
    const { say, grant, session, answer, client, flows } = open();
    say(get);
    const connection = grant();
    session.ended();
    answer(connection, ok);
    expect(client.text).toBe(ok);
    expect(client.commands).toEqual(['close']);
    expect(connection.released).toBe(false);
    expect(flows).toMatchObject([{ status: 200, error: null }]);
  });

  it.each([
    ['unanswered', '', 'before it was answered'],
    ['in the middle of its answer', ok.slice(0, -1), 'in the middle of its answer'],
  ])('has given up if the upstream ends the call %s, and it is not tried again', (_, said, when) => {
    const { say, grant, session, answer, client, flows, leases } = open();
    say(get);
    const connection = grant(1);
    session.ended();
    if (said !== '') answer(connection, said);
    connection.owner?.ended();
    expect(leases).toHaveLength(0);
    expect(client.text).toBe(said);
    expect(client.commands).toEqual(['close']);
    expect(flows).toMatchObject([
      { error: { cause: 'client-closed', message: `The client closed its connection ${when}.` } },
    ]);
  });

  it('behind pipelined requests says so with the last', () => {
    const { say, grant, session, answer } = open();
    say(get + get);
    session.ended();
    const first = grant();
    expect(first.transport.commands).toEqual([]);
    answer(first, ok);
    expect(grant().transport.commands).toEqual(['end']);
  });

  it('ends behind what a rule has let through, and at once while it holds the request', () => {
    const faults = [{ type: 'bandwidth', bytesPerSecond: get.length, direction: 'request' }] as const;
    for (const isPassed of [true, false]) {
      const { say, grant, session, clock, flows } = open([activeRule({ name: 'slow', faults })]);
      say(get);
      clock.advance(isPassed ? 2000 : 500);
      const connection = grant();
      session.ended();
      expect(connection.transport.commands).toEqual(isPassed ? ['end'] : []);
      // A flow that is open for so long is reported as well.
      const failures = flows.flatMap(({ error }) => error?.cause ?? []);
      expect(failures).toEqual(isPassed ? [] : ['client-closed']);
    }
  });
});
