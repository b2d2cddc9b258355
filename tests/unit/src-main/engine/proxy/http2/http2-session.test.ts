import { describe, expect, it } from 'vitest';
import { Http2Session } from '../../../../../../src-main/engine/proxy/http2/http2-session.ts';
import type { Http2RequestHead } from '../../../../../../src-main/engine/proxy/http2/ports.ts';
import { hold } from '../../../../../../src-main/engine/proxy/ports.ts';
import { activeRule } from '../../../../../support/data-plane-harness.ts';
import type { RuleText } from '../../../../../support/data-plane-harness.ts';
import { FakeStream, FakeUpstream, requestHead, resetBy } from '../../../../../support/fake-http2.ts';
import { fakeNetwork } from '../../../../../support/fake-network.ts';

/** A session with one stream; `answer` gives its call an upstream that speaks HTTP/2. */
function opened(more: Partial<Http2RequestHead> = {}, rules: RuleText[] = []) {
  const network = fakeNetwork(rules.map(activeRule));
  const session = new Http2Session(network.environment, network.facts, { maxHeadBytes: 1000, maxFields: 10 });
  const client = new FakeStream();
  session.opened(client, requestHead(more));
  const upstream = new FakeUpstream();
  const connect = () => {
    network.asks.at(-1)?.request.http2(upstream);
    const last = upstream.opened.at(-1);
    if (last === undefined) throw new Error('no stream was opened');
    // A request without a body has ended with its head.
    if (last.head.ended) expect(last.stream.take()).toEqual(['end']);
    return last;
  };
  return { ...network, session, client, upstream, connect };
}

const ok = { status: 200, fields: ['x-a', '1'], neverIndexed: [], ended: false };

describe('a stream', () => {
  it('is asked for, answered, and ended with its trailers', () => {
    const { client, connect, flows, session } = opened({ fields: ['x-b', '2'] });
    const { head, owner, stream } = connect();
    expect(head).toMatchObject({
      method: 'GET',
      authority: 'orders',
      path: '/',
      fields: ['x-b', '2'],
      ended: true,
    });
    owner.head(ok);
    owner.received(Buffer.from('hello'));
    stream.trailers = ['x-after', 'done'];
    owner.ended();
    expect(client.take()).toEqual(['head 200 x-a 1', 'data hello', 'end x-after done']);
    expect(flows).toMatchObject([
      {
        status: 200,
        httpVersion: '2',
        requestFields: ':authority: orders\r\nx-b: 2\r\n',
        trailers: 'x-after: done\r\n',
        error: null,
      },
    ]);
    expect(session.awaited).toBe('request');
  });

  it('keeps its body while there is no upstream, and tells the client to wait', () => {
    const { client, connect } = opened({ method: 'POST', ended: false });
    client.owner?.received(Buffer.from('one'));
    expect(client.holds).toBe(hold.connecting);
    const { stream } = connect();
    expect(client.holds).toBe(0);
    client.owner?.received(Buffer.from('two'));
    client.trailers = ['x-sum', '6'];
    client.owner?.ended();
    expect(stream.take()).toEqual(['data one', 'data two', 'end x-sum 6']);
  });

  it('passes fullness on in both directions', () => {
    const { client, connect } = opened({ method: 'POST', ended: false });
    const { owner, stream } = connect();
    stream.isFull = true;
    client.owner?.received(Buffer.from('x'));
    expect(client.holds).toBe(hold.full);
    owner.drained();
    expect(client.holds).toBe(0);
    client.isFull = true;
    owner.head(ok);
    owner.received(Buffer.from('y'));
    expect(stream.holds).toBe(hold.full);
    client.owner?.drained();
    expect(stream.holds).toBe(0);
  });

  it('that the client resets is abandoned at the upstream with its code', () => {
    const { client, connect, flows } = opened();
    const { stream } = connect();
    client.owner?.closed(resetBy(11));
    expect(stream.take()).toEqual(['abandon 11']);
    expect(flows).toMatchObject([{ error: { cause: 'client-closed', code: 'HTTP2_ENHANCE_YOUR_CALM' } }]);
  });

  it('that the upstream resets is reset for the client with its code', () => {
    const { client, connect, flows } = opened();
    const { owner } = connect();
    owner.head(ok);
    owner.closed(resetBy(8));
    expect(client.take()).toEqual(['head 200 x-a 1', 'reset 8']);
    expect(flows).toMatchObject([{ error: { cause: 'upstream-reset', code: 'HTTP2_CANCEL' } }]);
  });

  it('whose connection is lost is 502 before the head', () => {
    const { client, connect } = opened();
    connect().owner.closed(resetBy(null));
    expect(client.take()[0]).toMatch(/^head 502 .*spike-error upstream-reset/);
  });

  it('that was refused is asked for once more, with its body, and then no more', () => {
    const { client, connect, asks } = opened({ method: 'POST', ended: false });
    client.owner?.received(Buffer.from('body'));
    client.owner?.ended();
    connect().owner.closed(resetBy(7));
    expect(asks).toHaveLength(2);
    const second = connect();
    expect(second.stream.take()).toEqual(['data body', 'end']);
    second.owner.closed(resetBy(7));
    expect(asks).toHaveLength(2);
    expect(client.take()).toEqual(['reset 7']);
  });

  it('that was refused after more than is kept is not asked for again', () => {
    const { client, connect, asks } = opened({ method: 'POST', ended: false });
    const { owner } = connect();
    client.owner?.received(Buffer.alloc(70_000));
    owner.closed(resetBy(7));
    expect(asks).toHaveLength(1);
    expect(client.take()).toEqual(['reset 7']);
  });

  it('answered before it has ended ends with NO_ERROR', () => {
    const { client, connect } = opened({ method: 'POST', ended: false });
    const { owner, stream } = connect();
    owner.head({ ...ok, ended: true });
    owner.ended();
    expect(client.take()).toEqual(['head 200 x-a 1 end', 'end', 'reset 0']);
    expect(stream.take()).toEqual([]);
  });

  it('of Spike that stops says why', () => {
    const { session, connect, flows } = opened();
    const { stream } = connect();
    session.stop({ cause: 'spike-stopping', code: 'X', message: 'over' });
    expect(stream.take()).toEqual(['abandon 8']);
    expect(flows).toMatchObject([{ error: { cause: 'spike-stopping' } }]);
  });
});

describe('a stream that goes nowhere', () => {
  it.each([
    [{ method: 'CONNECT', path: '', authority: 'x:1' }, 501, 'connect-not-here'],
    [{ method: 'CONNECT', protocol: 'connect-udp' }, 501, 'connect-not-here'],
    [{ fields: ['x', 'y'.repeat(1000)] }, 431, 'head-too-large'],
    [{ fields: Array.from({ length: 22 }, () => 'a') }, 431, 'head-too-large'],
  ] as const)('%o', (more, status, code) => {
    const { client, asks, flows } = opened(more as Partial<Http2RequestHead>);
    expect(client.take()[0]).toMatch(new RegExp(`^head ${status} `));
    expect(asks).toHaveLength(0);
    expect(flows).toMatchObject([{ kind: 'refused', status, error: { code } }]);
  });
});

describe('rules', () => {
  it('answer in place of the upstream', () => {
    const { client, asks } = opened({}, [
      { name: 'r', faults: [{ type: 'status', status: 503, body: 'no', headers: { 'X-Why': 'rule' } }] },
    ]);
    expect(client.take()).toEqual([
      expect.stringMatching(/^head 503 x-why rule .*content-length 2$/),
      'data no',
      'end',
    ]);
    expect(asks).toHaveLength(0);
  });

  it('hold the head back with what follows it, in order, until they are let go', () => {
    const { client, connect, runtime } = opened({}, [
      { name: 'r', faults: [{ type: 'hang', direction: 'response' }] },
    ]);
    const { owner } = connect();
    owner.head(ok);
    owner.received(Buffer.from('hello'));
    owner.ended();
    expect(client.take()).toEqual([]);
    runtime.configure([]);
    expect(client.take()).toEqual(['head 200 x-a 1', 'data hello', 'end']);
  });

  it('begin the call when the whole head has passed the link', () => {
    const { connect, asks, clock } = opened({}, [
      { name: 'r', faults: [{ type: 'latency', latencyMs: 100, direction: 'request' }] },
    ]);
    expect(asks).toHaveLength(0);
    clock.advance(100);
    expect(asks).toHaveLength(1);
    expect(connect().head.path).toBe('/');
  });

  it.each(['before-head', 'after-head', 'mid-body'] as const)('cut at %s', (at) => {
    const { client, connect } = opened({}, [{ name: 'r', faults: [{ type: 'reset', at }] }]);
    const { owner, stream } = connect();
    owner.head({ ...ok, fields: ['content-length', '4'] });
    owner.received(Buffer.from('1234'));
    const before = {
      'before-head': [],
      'after-head': ['head 200 content-length 4'],
      'mid-body': ['head 200 content-length 4', 'data 12'],
    };
    expect(client.take()).toEqual([...before[at], 'reset 2']);
    expect(stream.take()).toEqual(['abandon 8']);
  });
});

describe('a client that stalls on a stream', () => {
  const late = { cause: 'client-timeout', code: 'X', message: 'Too late.' } as const;
  const post = { method: 'POST', ended: false } as const;

  it('in its body is told 408, and the call is given up', () => {
    const { session, client, connect, flows } = opened(post);
    const { stream } = connect();
    const [waiting] = session.streams;
    expect(waiting?.awaited).toBe('body');
    waiting?.timedOut(late);
    expect(stream.take()).toEqual(['abandon 8']);
    expect(client.take().map((command) => command.slice(0, 8))).toEqual([
      'head 408',
      'data Spi',
      'end',
      'reset 0',
    ]);
    expect(flows).toMatchObject([{ error: { cause: 'client-timeout' } }]);
    expect([...session.streams]).toEqual([]);
  });

  it('is not asked for more while it is held, answered, or has said all', () => {
    const { session, client, connect } = opened(post);
    const { owner, stream } = connect();
    const [waiting] = session.streams;
    stream.isFull = true;
    client.owner?.received(Buffer.from('x'));
    expect(waiting?.awaited).toBeNull();
    owner.drained();
    expect(waiting?.awaited).toBe('body');
    owner.head(ok);
    expect(waiting?.awaited).toBeNull();
    expect([...opened().session.streams][0]?.awaited).toBeNull();
  });

  it('and takes nothing of its answer is reset', () => {
    const { session, client, connect, flows } = opened();
    const { owner } = connect();
    owner.head(ok);
    client.isFull = true;
    owner.received(Buffer.from('y'));
    const [waiting] = session.streams;
    expect(waiting?.awaited).toBe('reading');
    client.take();
    waiting?.timedOut(late);
    expect(client.take()).toEqual(['abandon 8']);
    expect(flows).toMatchObject([{ status: 200, error: { cause: 'client-timeout' } }]);
  });

  it('or leaves what is over untaken, is drained when it is idle, and ended when that does not help', () => {
    const { session } = opened();
    const told: string[] = [];
    session.connection = {
      drain: () => void told.push('drain'),
      destroy: () => void told.push('destroy'),
      goaway: () => undefined,
    };
    session.timedOut();
    session.timedOut();
    expect(told).toEqual(['drain', 'destroy']);
  });
});
