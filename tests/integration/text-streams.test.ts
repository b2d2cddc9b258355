// Streams of events and lines: what a server has flushed is with the client and among the messages while it goes on.
import { request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';
import type { Transform } from 'node:stream';
import { expect, test } from 'vitest';
import type { Flow } from '#shared/flow/flow.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';

const scene = useScene();

/** The last of a call that is open, with messages in it. */
async function openFlow(count: number): Promise<Flow> {
  const { spike } = scene;
  const find = (): Flow | undefined => spike.open.findLast(({ messages }) => messages !== null);
  await spike.until(() => find() !== undefined);
  const { id } = find() as Flow;
  await spike.messagesOf(id, count);
  return find() as Flow;
}

interface Stream {
  readonly answer: ServerResponse;
  readonly response: IncomingMessage;
  /** What the client has got, its content coding left on. */
  readonly got: Buffer[];
  gets(part: string): Promise<void>;
}

/** A call whose answer has begun and is not over. */
async function openStream(contentType: string, headers: Record<string, string> = {}): Promise<Stream> {
  const { peers, spike } = scene;
  const { promise: answering, resolve: answered } = Promise.withResolvers<ServerResponse>();
  const server = await peers.http((_request, answer) => {
    answer.writeHead(200, { 'content-type': contentType, ...headers });
    answer.flushHeaders();
    answered(answer);
  });
  await spike.configure({ routes: [routeTo(server.port)] });
  const call = request(`http://${spike.address('service')}/feed`).end();
  peers.also(() => void call.destroy());
  const response = await new Promise<IncomingMessage>((resolve) => call.once('response', resolve));
  response.on('error', () => undefined);
  const got: Buffer[] = [];
  response.on('data', (bytes: Buffer) => got.push(bytes));
  return {
    answer: await answering,
    response,
    got,
    async gets(part) {
      while (!Buffer.concat(got).includes(part))
        await new Promise((resolve) => response.once('data', resolve));
    },
  };
}

test('events are told with name, id and data while the stream is open', async () => {
  const { spike } = scene;
  const stream = await openStream('text/event-stream; charset=utf-8');
  stream.answer.write('id: 7\nevent: price\ndata: {"eur":1}\ndata: second\n\n: keep alive\n\ndata: pl');
  await stream.gets('keep alive');
  const flow = await openFlow(1);
  expect(flow).toMatchObject({ kind: 'http', durationMs: null, messages: { count: 1, dropped: 0 } });
  stream.answer.write('ain\r\n\r\n');
  const messages = await spike.messagesOf(flow.id, 2);
  expect(messages).toMatchObject([
    { index: 0, type: 'event', direction: 'response', text: '{"eur":1}\nsecond', summary: 'price, id 7' },
    { index: 1, type: 'event', text: 'plain', summary: '', compressed: false, error: null },
  ]);

  stream.answer.end('data: never ended');
  const ended = await spike.flow();
  expect(ended.flow.messages).toEqual({ count: 3, dropped: 0 });
  expect((await spike.messagesOf(flow.id, 3))[2]).toMatchObject({
    text: 'never ended',
    error: 'The stream ended in the middle of it.',
  });
  expect(ended.responseBody.toString()).toMatch(/^id: 7[^]*never ended$/);
});

test.each<[string, () => Transform & { flush(done: () => void): void }]>([
  ['gzip', createGzip],
  ['br', createBrotliCompress],
  ['zstd', createZstdCompress],
])('events in %s are told when the server flushes them', async (coding, compressor) => {
  const { spike } = scene;
  const stream = await openStream('text/event-stream', { 'content-encoding': coding });
  const compressed = compressor();
  compressed.pipe(stream.answer);
  const flushed = (text: string): Promise<void> =>
    new Promise((resolve) => {
      compressed.write(text);
      compressed.flush(resolve);
    });
  await flushed('data: one\n\n');
  const flow = await openFlow(1);
  await flushed('data: two\n\n');
  expect(await spike.messagesOf(flow.id, 2)).toMatchObject([
    { text: 'one', compressed: true },
    { text: 'two', compressed: true },
  ]);
  // The last one is in the flow although it is decompressed after the connection is over.
  compressed.end('data: three\n\n');
  const ended = await spike.flow();
  expect(ended.flow.messages).toEqual({ count: 3, dropped: 0 });
  expect((await spike.messagesOf(flow.id, 3))[2]).toMatchObject({ index: 2, text: 'three', error: null });
});

test('lines of NDJSON are told one by one; the last one needs no end', async () => {
  const { spike } = scene;
  const stream = await openStream('application/x-ndjson');
  stream.answer.write('{"n":1}\n\n{"n":2}\r\n{"n"');
  const flow = await openFlow(2);
  stream.answer.end(':3}');
  await spike.flow();
  const messages = await spike.messagesOf(flow.id, 3);
  expect(messages.map(({ type, text }) => [type, text])).toEqual([
    ['line', '{"n":1}'],
    ['line', '{"n":2}'],
    ['line', '{"n":3}'],
  ]);
});

test('a coding that is none is said once, and the bytes reach the client as they are', async () => {
  const { spike } = scene;
  const stream = await openStream('text/event-stream', { 'content-encoding': 'gzip' });
  stream.answer.write('this is no gzip');
  await stream.gets('this is no gzip');
  const flow = await openFlow(1);
  stream.answer.end('nor this');
  expect((await spike.flow()).flow.messages).toEqual({ count: 1, dropped: 0 });
  expect((await spike.messagesOf(flow.id, 1))[0]?.error).toMatch(
    /^What follows is not shown. It cannot be decompressed/,
  );
});

test('a client that leaves a stream ends it, and the flow keeps what it saw', async () => {
  const { peers, spike } = scene;
  const stream = await openStream('text/event-stream');
  stream.answer.write('data: one\n\n');
  const flow = await openFlow(1);
  stream.response.destroy();
  // A client may end its own side and go on reading: that it is gone shows when it is written to, and answers with a RST.
  const writing = setInterval(() => stream.answer.write('data: more\n\n'), 10);
  peers.also(() => clearInterval(writing));
  const ended = await spike.flow();
  expect(ended.flow).toMatchObject({ id: flow.id, error: { cause: 'client-closed' } });
  expect(spike.messages.get(flow.id)?.[0]).toMatchObject({ text: 'one' });
});

test('other answers, and streams while nothing is recorded, have no messages', async () => {
  const { peers, spike } = scene;
  const json = await peers.http((_request, answer) => {
    answer.writeHead(200, { 'content-type': 'application/octet-stream' });
    answer.end('data: no event\n\n');
  });
  await spike.configure({ routes: [routeTo(json.port)] });
  await (await fetch(`http://${spike.address('service')}/`)).text();
  expect((await spike.flow()).flow.messages).toBeNull();

  await spike.configure({ capture: { recording: false } });
  const stream = await openStream('text/event-stream');
  stream.answer.write('data: one\n\n');
  await stream.gets('one');
  expect(spike.messages.size).toBe(0);
});
