import { once } from 'node:events';
import { constants } from 'node:http2';
import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createServer as createHttp1Server, request as http1Request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect as connectTls } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { makeAuthority } from '../support/data-plane-harness.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { answerOf, callHttp2, openHttp2, serveHttp2 } from '../support/http2-peers.ts';
import type { ServeStream, StreamServer } from '../support/http2-peers.ts';

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;
const scene = useScene();
let siteCaPem: string;
let siteTls: { key: string; cert: string };

beforeAll(async () => {
  const siteCa = await makeAuthority();
  const issuer = createLeafIssuer({ ca: siteCa, now: () => Date.now() });
  siteCaPem = siteCa.certificatePem;
  siteTls = { key: issuer.privateKeyPem, cert: issuer.issue('localhost')?.chainPem ?? '' };
});

/** Answers with what it was sent: method, path, fields and body. */
const echo: ServeStream = (stream, fields) => {
  const chunks: Buffer[] = [];
  let trailers: string[] = [];
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
  stream.on('trailers', (_object, _flags, list?: string[]) => void (trailers = list ?? []));
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify({ fields, trailers, body: Buffer.concat(chunks).toString('latin1') }));
  });
};

interface Echoed {
  readonly fields: string[];
  readonly trailers: string[];
  readonly body: string;
}

function echoed(body: Buffer): Echoed {
  return JSON.parse(body.toString()) as Echoed;
}

/** A route to an upstream that speaks HTTP/2 in clear text, and a client of the route. */
async function routed(
  serve: ServeStream,
  options: object = {},
): Promise<{ client: ClientHttp2Session; server: StreamServer }> {
  const server = await serveHttp2(scene.peers, serve, options);
  await scene.spike.configure({ routes: [priorKnowledge(server.port)] });
  return { server, client: await openHttp2(scene.peers, `http://${scene.spike.address('service')}`) };
}

function priorKnowledge(port: number) {
  return { name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${port}` };
}

/** A client's session over TLS inside CONNECT. */
async function throughConnect(target: string): Promise<ClientHttp2Session> {
  const tunnel = await scene.peers.connect(scene.spike.proxyPort);
  tunnel.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  await tunnel.see('\r\n\r\n');
  tunnel.socket.removeAllListeners('data');
  const secure = connectTls({
    socket: tunnel.socket,
    servername: 'localhost',
    ca: scene.spike.caPem,
    ALPNProtocols: ['h2'],
  });
  await once(secure, 'secureConnect');
  return await openHttp2(scene.peers, `https://${target}`, { createConnection: () => secure });
}

describe('HTTP/2 on both sides', () => {
  it('is opened inside CONNECT by ALPN, and passes fields in their order with duplicates and cookies in pieces', async () => {
    await scene.spike.configure({ tls: { extraRootsPem: [siteCaPem] } });
    const server = await serveHttp2(scene.peers, echo, siteTls);
    const client = await throughConnect(`localhost:${server.port}`);
    const answer = await callHttp2(
      client,
      [':method', 'POST', ':path', '/a?b=c', ':scheme', 'https', ':authority', `localhost:${server.port}`,
        'x-b', '1', 'cookie', 'a=1', 'x-a', '2', 'x-b', '3', 'cookie', 'b=2', 'te', 'trailers'],
      'hello',
    ); // prettier-ignore
    expect(answer).toMatchObject({ status: 200, code: 0 });
    const { fields, body } = echoed(answer.body);
    expect(body).toBe('hello');
    expect(fields).toEqual([
      ':method', 'POST', ':scheme', 'https', ':authority', `localhost:${server.port}`, ':path', '/a?b=c',
      'x-b', '1', 'cookie', 'a=1', 'x-a', '2', 'x-b', '3', 'cookie', 'b=2', 'te', 'trailers',
    ]); // prettier-ignore
    const { flow, requestBody } = await scene.spike.flow();
    expect(flow).toMatchObject({
      kind: 'http',
      http: { httpVersion: '2', method: 'POST', url: `https://localhost:${server.port}/a?b=c`, status: 200 },
      tls: { intercepted: true, alpn: 'h2' },
      sizes: { requestBody: 5 },
      error: null,
    });
    expect(flow.http?.requestHeaders.slice(0, 3)).toEqual([
      [':authority', `localhost:${server.port}`],
      ['x-b', '1'],
      ['cookie', 'a=1'],
    ]);
    expect(requestBody.toString()).toBe('hello');
  });

  it('passes trailers both ways', async () => {
    const { client } = await routed((stream) => {
      let sent: string[] = [];
      stream.on('trailers', (_object, _flags, list?: string[]) => void (sent = list ?? []));
      stream.resume();
      stream.on('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': sent.join(), 'x-two': ['1', '2'] }));
        stream.end('body');
      });
    });
    const stream = client.request({ ':path': '/', ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-from': 'client' }));
    stream.end('up');
    const answer = await answerOf(stream);
    expect(answer.body.toString()).toBe('body');
    expect(answer.trailers).toEqual(['x-sum', 'x-from,client', 'x-two', '1', 'x-two', '2']);
    expect((await scene.spike.flow()).flow.http?.trailers).toEqual([
      ['x-sum', 'x-from,client'],
      ['x-two', '1'],
      ['x-two', '2'],
    ]);
  });

  it('passes trailers behind a head alone, and heads alone', async () => {
    const { client } = await routed((stream, fields) => {
      if (fields.includes('/only'))
        return stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
      stream.respond({ ':status': 204 }, { endStream: true });
    });
    expect(await callHttp2(client, { ':path': '/only' })).toMatchObject({
      status: 200,
      fields: expect.arrayContaining(['grpc-status', '5']) as unknown,
      trailers: null,
      code: 0,
    });
    expect(await callHttp2(client, { ':path': '/none' })).toMatchObject({ status: 204, code: 0 });
    expect(await callHttp2(client, { ':path': '/only', ':method': 'HEAD' })).toMatchObject({
      status: 200,
      code: 0,
    });
  });

  it('shows interim answers, and lets a client wait for 100', async () => {
    const { client } = await routed((stream, fields) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
      if (fields.includes('expect')) stream.additionalHeaders({ ':status': 100 });
      echo(stream, fields);
    });
    const stream = client.request(
      { ':path': '/', ':method': 'POST', expect: '100-continue' },
      { endStream: false },
    );
    stream.once('continue', () => stream.end('now'));
    const answer = await answerOf(stream);
    expect(answer.interim).toEqual([103, 100]);
    expect(echoed(answer.body).body).toBe('now');
  });

  it('multiplexes: many streams at once share one connection to the upstream, also those of other clients', async () => {
    const held: ServerHttp2Stream[] = [];
    const { client, server } = await routed((stream) => {
      held.push(stream);
      if (held.length < 60) return;
      for (const one of held) {
        one.respond({ ':status': 200 });
        one.end('all here');
      }
    });
    const other = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => callHttp2(i % 2 === 0 ? client : other, { ':path': `/${i}` })),
    );
    expect(new Set(answers.map(({ body }) => body.toString()))).toEqual(new Set(['all here']));
    expect(server.sessions.size).toBe(1);
    const flows = await scene.spike.flows(60);
    expect(new Set(flows.map(({ flow }) => flow.connectionId)).size).toBe(2);
    expect(flows.filter(({ flow }) => flow.upstream?.reused === false)).toHaveLength(1);
  });

  it('opens no more streams than the upstream allows: others wait, or get a connection of their own', async () => {
    let open = 0;
    let most = 0;
    const { client, server } = await routed(
      (stream) => {
        most = Math.max(most, (open += 1));
        stream.once('close', () => (open -= 1));
        setImmediate(() => {
          stream.respond({ ':status': 200 });
          stream.end('x');
        });
      },
      { settings: { maxConcurrentStreams: 2 } },
    );
    let sessions = 0;
    server.server.on('session', () => (sessions += 1));
    const answers = await Promise.all(Array.from({ length: 100 }, () => callHttp2(client, { ':path': '/' })));
    expect(answers.every(({ status, code }) => status === 200 && code === 0)).toBe(true);
    expect(sessions).toBeLessThanOrEqual(16);
  });

  it('takes no server push', async () => {
    let allowed: boolean | null = null;
    const { client } = await routed((stream, fields) => {
      allowed = stream.pushAllowed;
      echo(stream, fields);
    });
    expect((await callHttp2(client, { ':path': '/' })).status).toBe(200);
    expect(allowed).toBe(false);
  });

  it('sends the answer while the request is still coming, and ends the request then', async () => {
    const seen: { code: number | null } = { code: null };
    const { client } = await routed((stream) => {
      stream.on('close', () => (seen.code = stream.rstCode));
      stream.resume();
      stream.respond({ ':status': 413 });
      stream.end('too much');
    });
    const stream = client.request({ ':path': '/', ':method': 'POST' });
    stream.write('a');
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 413, code: NGHTTP2_NO_ERROR });
    expect(answer.body.toString()).toBe('too much');
    expect((await scene.spike.flow()).flow).toMatchObject({ http: { status: 413 }, error: null });
  });
});

describe('an end before its time', () => {
  it('of a client reaches the upstream with its code', async () => {
    const codes: number[] = [];
    const { client } = await routed((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('first');
      stream.on('close', () => codes.push(stream.rstCode ?? -1));
    });
    for (const code of [NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM]) {
      const stream = client.request({ ':path': '/' });
      const over = answerOf(stream);
      await once(stream, 'data');
      stream.close(code);
      await over;
    }
    const flows = await scene.spike.flows(2);
    expect(flows.map(({ flow }) => [flow.error?.cause, flow.error?.code])).toEqual([
      ['client-closed', 'HTTP2_CANCEL'],
      ['client-closed', 'HTTP2_ENHANCE_YOUR_CALM'],
    ]);
    await expect.poll(() => codes).toEqual([NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM]);
  });

  it.each([NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, constants.NGHTTP2_INTERNAL_ERROR])(
    'of an upstream reaches the client with its code: %i',
    async (code) => {
      const { client } = await routed((stream, fields) => {
        if (fields.includes('/late')) {
          // Without it, node:http2 would end the stream in an orderly way first.
          stream.respond({ ':status': 200 }, { waitForTrailers: true });
          stream.write('some', () => stream.close(code));
        } else stream.close(code);
      });
      expect(await callHttp2(client, { ':path': '/early' })).toMatchObject({ status: 0, code });
      const late = await callHttp2(client, { ':path': '/late' });
      expect(late).toMatchObject({ status: 200, code });
      expect(late.body.toString()).toBe('some');
      for (const { flow } of await scene.spike.flows(2)) expect(flow.error?.cause).toBe('upstream-reset');
    },
  );

  it('of the upstream’s connection is 502 before the head, and a reset after it; the next call finds a new one', async () => {
    const { client } = await routed((stream, fields) => {
      if (fields.includes('/late')) {
        stream.respond({ ':status': 200 });
        stream.write('some', () => stream.session?.destroy());
      } else if (fields.includes('/early')) stream.session?.destroy();
      else echo(stream, fields);
    });
    expect((await callHttp2(client, { ':path': '/early' })).status).toBe(502);
    expect(await callHttp2(client, { ':path': '/late' })).toMatchObject({
      status: 200,
      code: constants.NGHTTP2_INTERNAL_ERROR,
    });
    expect((await callHttp2(client, { ':path': '/fine' })).status).toBe(200);
  });

  it('of the client’s connection cancels what it asked for', async () => {
    const codes: number[] = [];
    const { client } = await routed((stream) => {
      stream.on('close', () => codes.push(stream.rstCode ?? -1));
      stream.respond({ ':status': 200 });
      stream.write('x');
    });
    const stream = client.request({ ':path': '/' });
    stream.on('error', () => undefined);
    await once(stream, 'data');
    client.destroy();
    expect((await scene.spike.flow()).flow.error).toMatchObject({ cause: 'client-closed' });
    await expect.poll(() => codes).toEqual([NGHTTP2_CANCEL]);
  });

  it('GOAWAY without error lets open streams end, and the next call gets another connection', async () => {
    let first: ServerHttp2Stream | null = null;
    const { client, server } = await routed((stream, fields) => {
      if (first !== null) return echo(stream, fields);
      first = stream;
      stream.respond({ ':status': 200 });
      stream.write('begun ');
      stream.session?.goaway(NGHTTP2_NO_ERROR);
    });
    let sessions = 0;
    server.server.on('session', () => (sessions += 1));
    const slow = client.request({ ':path': '/slow' });
    const answer = answerOf(slow);
    await once(slow, 'data');
    expect((await callHttp2(client, { ':path': '/next' })).status).toBe(200);
    (first as ServerHttp2Stream | null)?.end('and done');
    expect(await answer).toMatchObject({ status: 200, code: 0 });
    expect(sessions).toBe(2);
  });

  it('GOAWAY with a code resets the streams with that code', async () => {
    const { client } = await routed((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('x', () => stream.session?.goaway(NGHTTP2_ENHANCE_YOUR_CALM));
    });
    expect(await callHttp2(client, { ':path': '/' })).toMatchObject({ code: NGHTTP2_ENHANCE_YOUR_CALM });
  });

  it('a refused stream is asked for once more, with its body', async () => {
    let refused = 0;
    const { client } = await routed((stream, fields) => {
      if (refused++ === 0) stream.close(NGHTTP2_REFUSED_STREAM);
      else echo(stream, fields);
    });
    const answer = await callHttp2(client, { ':path': '/', ':method': 'POST' }, 'again');
    expect(answer.status).toBe(200);
    expect(echoed(answer.body).body).toBe('again');
    expect((await scene.spike.flow()).flow.error).toBeNull();
  });

  it('a stream that is refused again reaches the client as refused', async () => {
    const { client } = await routed((stream) => stream.close(NGHTTP2_REFUSED_STREAM));
    expect(await callHttp2(client, { ':path': '/' })).toMatchObject({ code: NGHTTP2_REFUSED_STREAM });
  });
});

describe('flow control', () => {
  const total = 64 * 1024 * 1024;

  it('stops the upstream when the client does not read, and goes on when it does', async () => {
    let written = 0;
    const { client } = await routed((stream) => {
      stream.respond({ ':status': 200 });
      const chunk = Buffer.alloc(65_536, 'x');
      const more = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!stream.write(chunk)) return void stream.once('drain', more);
        }
        stream.end();
      };
      more();
    });
    const stream = client.request({ ':path': '/' });
    await once(stream, 'response');
    await settled(() => written);
    // What may be under way: the windows of both connections, and what Node keeps in its streams.
    expect(written).toBeLessThan(4 * 1024 * 1024);
    let read = 0;
    stream.on('data', (chunk: Buffer) => (read += chunk.length));
    await once(stream, 'end');
    expect(read).toBe(total);
  });

  it('stops the client when the upstream does not read', async () => {
    let open: ServerHttp2Stream | null = null;
    const { client } = await routed((stream) => {
      open = stream;
    });
    const stream = client.request({ ':path': '/', ':method': 'POST' });
    let written = 0;
    const chunk = Buffer.alloc(65_536, 'x');
    const more = (): void => {
      while (written < total) {
        written += chunk.length;
        if (!stream.write(chunk)) return void stream.once('drain', more);
      }
      stream.end();
    };
    more();
    await settled(() => written);
    expect(written).toBeLessThan(4 * 1024 * 1024);
    let read = 0;
    const upstream = open as ServerHttp2Stream | null;
    upstream?.on('data', (part: Buffer) => (read += part.length));
    upstream?.on('end', () => {
      upstream.respond({ ':status': 200 });
      upstream.end();
    });
    expect((await answerOf(stream)).status).toBe(200);
    expect(read).toBe(total);
  });
});

/** Waits until a number has stood still for a while. */
async function settled(value: () => number): Promise<void> {
  let before = -1;
  while (value() !== before) {
    before = value();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

describe('translation', () => {
  /** Echoes in HTTP/1.1, with raw fields. */
  async function http1Echo(): Promise<number> {
    const server = createHttp1Server((asked: IncomingMessage, response) => {
      const chunks: Buffer[] = [];
      asked.on('data', (chunk: Buffer) => void chunks.push(chunk));
      asked.on('end', () => {
        response.setHeader('x-one', ['1', '2']);
        response.setHeader('connection', 'x-hop, keep-alive');
        response.setHeader('x-hop', 'ends here');
        response.setHeader('trailer', 'x-after');
        response.write(
          JSON.stringify({
            fields: [asked.httpVersion, asked.method, asked.url, ...asked.rawHeaders],
            trailers: asked.rawTrailers,
            body: Buffer.concat(chunks).toString('latin1'),
          }),
        );
        response.addTrailers({ 'X-After': 'done' });
        response.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    scene.peers.also(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as { port: number }).port;
  }

  it('of a client of HTTP/2 to an upstream of HTTP/1.1', async () => {
    await scene.spike.configure({ routes: [routeTo(await http1Echo())] });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    const stream = client.request(
      [':method', 'POST', ':path', '/p', ':scheme', 'http', ':authority', 'here', 'cookie', 'a=1', 'x-b', '2', 'cookie', 'c=3', 'te', 'trailers'] as never,
      { waitForTrailers: true },
    ); // prettier-ignore
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    stream.end('body');
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 200, code: 0, trailers: ['x-after', 'done'] });
    const fields = answer.fields.map((text, i) => (i % 2 === 0 ? text : ''));
    expect(fields).toContain('x-one');
    for (const hop of ['x-hop', 'connection', 'keep-alive', 'transfer-encoding'])
      expect(fields).not.toContain(hop);
    const seen = echoed(answer.body);
    expect(seen.body).toBe('body');
    expect(seen.trailers).toEqual(['x-sum', '7']);
    expect(seen.fields).toEqual([
      '1.1', 'POST', '/p', 'host', 'here', 'x-b', '2', 'cookie', 'a=1; c=3', 'transfer-encoding', 'chunked',
      'te', 'trailers', 'connection', 'te',
    ]); // prettier-ignore
    const again = await callHttp2(client, { ':path': '/q' });
    expect(echoed(again.body).fields.slice(0, 3)).toEqual(['1.1', 'GET', '/q']);
    const length = await callHttp2(client, { ':path': '/r', ':method': 'PUT', 'content-length': 3 }, 'abc');
    expect(echoed(length.body).fields).toContain('content-length');
    expect(echoed((await callHttp2(client, { ':path': '/s', ':method': 'POST' })).body).fields).toContain(
      'content-length',
    );
    expect((await scene.spike.flow()).flow.http).toMatchObject({
      httpVersion: '2',
      trailers: [['x-after', 'done']],
    });
  });

  it('of a client of HTTP/1.1 to an upstream of HTTP/2', async () => {
    const server = await serveHttp2(scene.peers, (stream, fields) => {
      if (fields.includes('/trailers')) {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-after': 'done' }));
        stream.end('chunked');
      } else echo(stream, fields);
    });
    await scene.spike.configure({ routes: [priorKnowledge(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write(
      'POST /x HTTP/1.1\r\nHost: there\r\nX-B: 1\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 7\r\n\r\n',
    );
    const text = await client.toEnd();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const seen = echoed(Buffer.from(/\r\n(\{.*\})\r\n/.exec(text)?.[1] ?? '', 'latin1'));
    expect(seen.fields).toEqual([
      ':method', 'POST', ':scheme', 'http', ':authority', 'there', ':path', '/x', 'x-b', '1',
    ]); // prettier-ignore
    expect(seen).toMatchObject({ body: 'body', trailers: ['x-sum', '7'] });
    const second = await scene.peers.connect(scene.spike.port('service'));
    second.write('GET /trailers HTTP/1.1\r\nHost: there\r\nConnection: close\r\n\r\n');
    expect(await second.toEnd()).toMatch(/\r\n7\r\nchunked\r\n0\r\nx-after: done\r\n\r\n$/);
    expect(server.sessions.size).toBe(1);
  });

  it('is what a client of HTTP/1.1 gets from an https upstream that speaks HTTP/2 alone', async () => {
    const server = await serveHttp2(scene.peers, echo, siteTls);
    await scene.spike.configure({
      tls: { extraRootsPem: [siteCaPem] },
      routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `https://localhost:${server.port}` }],
    });
    const get = async (): Promise<number> => {
      const asked = http1Request({ port: scene.spike.port('service'), path: '/', agent: false });
      asked.end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      return response.statusCode ?? 0;
    };
    expect(await get()).toBe(200);
    expect(await get()).toBe(200);
    expect(server.sessions.size).toBe(1);
  });

  it('asks an http upstream in HTTP/2 first when the client speaks it without being asked', async () => {
    const server = await serveHttp2(scene.peers, echo);
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    expect(echoed((await callHttp2(client, { ':path': '/' })).body).fields).toContain(':authority');
  });

  it.each([
    ['HTTP/1.1 200 OK\r\nTE: gzip\r\nHTTP2-Settings: x\r\nContent-Length: 2\r\n\r\nok', 200],
    [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nConnection: x\r\nX-After: 1\r\n\r\n',
      200,
    ],
    ['HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nok', 502],
    ['HTTP/1.1 204 No Content\r\n\r\n', 204],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n', 304],
    ['HTTP/1.0 200 OK\r\n\r\nuntil close', 200],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 200],
    ['HTTP/1.1 200 OK\r\nX-\xe4: \r\n\r\n', 502],
    ['HTTP/1.1 200 OK\r\nX-Latin: gr\xfc\xdf\r\nContent-Length: 2\r\n\r\nok', 200],
  ])('of what an upstream of HTTP/1.1 may answer: %j', async (bytes, status) => {
    const server = await scene.peers.answering(Buffer.from(bytes, 'latin1'));
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    expect(await callHttp2(client, { ':path': '/' })).toMatchObject({ status, code: 0 });
  });

  it('of an upgrade to h2c is left out: the answer comes in HTTP/1.1', async () => {
    await scene.spike.configure({ routes: [routeTo(await http1Echo())] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
    );
    const text = await client.see('x-after');
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(text.toLowerCase()).not.toMatch(/upgrade|http2-settings/);
  });

  it.each(['HTTP/2', 'HTTP/1.1'] as const)(
    'of an upstream that wants a client certificate: a client of %s is told so',
    async (version) => {
      const wants = { ...siteTls, ca: siteCaPem, requestCert: true, rejectUnauthorized: true };
      const server = await serveHttp2(scene.peers, echo, { ...wants, minVersion: 'TLSv1.3' });
      const { port } = server;
      await scene.spike.configure({
        routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `https://localhost:${port}` }],
        tls: { extraRootsPem: [siteCaPem] },
      });
      if (version === 'HTTP/2') {
        const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
        expect((await callHttp2(client, { ':path': '/' })).status).toBe(502);
        expect((await callHttp2(client, { ':path': '/again' })).status).toBe(502);
      } else {
        const client = await scene.peers.connect(scene.spike.port('service'));
        client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 502 /);
      }
      const { flow } = await scene.spike.flow();
      expect(flow.error?.message).toContain('tls.clientCertificates');
    },
  );

  it('says so when an upstream that is asked in HTTP/1.1 speaks HTTP/2 alone', async () => {
    const server = await serveHttp2(scene.peers, echo);
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 502 /);
    const { flow } = await scene.spike.flow();
    expect(flow.error).toMatchObject({ cause: 'upstream-malformed-response', code: 'http2-only' });
    expect(flow.error?.message).toContain(`Make a route to h2c://127.0.0.1:${server.port}.`);
  });

  it('says so when an upstream was said to speak HTTP/2 and does not', async () => {
    await scene.spike.configure({ routes: [priorKnowledge(await http1Echo())] });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    const answer = await callHttp2(client, { ':path': '/' });
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toContain('does not speak HTTP/2');
  });
});

describe('bounds', () => {
  it('answers a head beyond the limit with 431, and shows it', async () => {
    await routed(echo);
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`, {
      maxSendHeaderBlockLength: 1_000_000,
    });
    const half = 'y'.repeat(40_000);
    const large = await callHttp2(client, { ':path': '/', 'x-large': half, 'x-larger': half });
    expect(large.status).toBe(431);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x-${i}`, '1']));
    expect((await callHttp2(client, { ':path': '/', ...many })).status).toBe(431);
    for (const { flow } of await scene.spike.flows(2)) {
      expect(flow).toMatchObject({ kind: 'refused', error: { cause: 'client-limit-exceeded' } });
    }
    expect((await callHttp2(client, { ':path': '/' })).status).toBe(200);
  });

  it('ends a connection for one field beyond 64 KiB, and shows it', async () => {
    await routed(echo);
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`, {
      maxSendHeaderBlockLength: 1_000_000,
    });
    await callHttp2(client, { ':path': '/', 'x-large': '\u00ff'.repeat(70_000) });
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'refused', error: { cause: 'client-malformed-request' } });
  });

  it('announces how many streams a client may have, and refuses CONNECT', async () => {
    const { client } = await routed(echo);
    expect((await callHttp2(client, { ':path': '/' })).status).toBe(200);
    expect(client.remoteSettings).toMatchObject({ maxConcurrentStreams: 256, enableConnectProtocol: true });
    expect((await callHttp2(client, { ':method': 'CONNECT', ':authority': 'elsewhere:443' })).status).toBe(
      501,
    );
    const { flow } = await scene.spike.flow(({ kind }) => kind === 'refused');
    expect(flow.error?.code).toBe('connect-not-here');
  });

  it('ends a connection that resets streams as fast as it opens them', async () => {
    const { client } = await routed((stream) => void stream.resume());
    let opened = 0;
    while (!client.closed && !client.destroyed && opened < 6000) {
      const stream = client.request({ ':path': '/' });
      stream.on('error', () => undefined);
      stream.close(NGHTTP2_CANCEL);
      if (++opened % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(opened).toBeLessThan(6000);
    const { flow } = await scene.spike.flow(({ kind }) => kind === 'refused');
    expect(flow.error).toMatchObject({ cause: 'client-malformed-request', code: 'ERR_HTTP2_ERROR' });
  });
});

describe('going away', () => {
  it('with a route that moves: open streams end, new ones are not taken', async () => {
    let held: ServerHttp2Stream | null = null;
    const { client, server } = await routed((stream) => {
      held = stream;
      stream.respond({ ':status': 200 });
      stream.write('begun ');
    });
    const stream = client.request({ ':path': '/' });
    const answer = answerOf(stream);
    await once(stream, 'data');
    const goaway = once(client, 'goaway');
    await scene.spike.configure({ routes: [] });
    const [code] = (await goaway) as [number];
    expect(code).toBe(NGHTTP2_NO_ERROR);
    (held as ServerHttp2Stream | null)?.end('done');
    expect((await answer).body.toString()).toBe('begun done');
    await once(client, 'close');
    expect(server.sessions.size).toBe(1);
  });

  it('with Spike: drained when the last stream has ended', async () => {
    let held: ServerHttp2Stream | null = null;
    const { client } = await routed((stream) => {
      held = stream;
      stream.respond({ ':status': 200 });
      stream.write('begun ');
    });
    const stream = client.request({ ':path': '/' });
    const answer = answerOf(stream);
    await once(stream, 'data');
    const drained = scene.spike.plane.drain();
    (held as ServerHttp2Stream | null)?.end('done');
    expect((await answer).body.toString()).toBe('begun done');
    await drained;
  });

  it('at once: open flows say why', async () => {
    const { client } = await routed((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('begun ');
    });
    const stream = client.request({ ':path': '/' });
    const answer = answerOf(stream);
    await once(stream, 'data');
    await scene.spike.plane.close();
    await answer;
    expect((await scene.spike.flow()).flow.error?.cause).toBe('spike-stopping');
  });
});
