import type { AddressInfo, Socket } from 'node:net';
import http from 'node:http';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResponseHead, RequestHead } from '../../src-main/engine/proxy/http1/head.ts';
import type { CorpusEntry } from '../property/http1/corpus.ts';
import type { ObservedMessage } from '../property/http1/observe.ts';
import {
  hostileRequests,
  hostileResponses,
  validRequests,
  validResponses,
} from '../property/http1/corpus.ts';
import { createRandom, mutate } from '../property/http1/mutations.ts';
import { observe } from '../property/http1/observe.ts';
import { ResponseParser } from '../../src-main/engine/proxy/http1/parser.ts';

/**
 * The codec beside llhttp, the parser of node:http, on the same bytes over real sockets. Where both take a message they
 * must read the same one: a difference would be a smuggling hole between Spike and a Node service. What llhttp refuses,
 * we refuse. Where we refuse more is listed below, with why.
 */
interface Reading {
  /** How many heads were taken, whether their bodies came or not. */
  heads: number;
  readonly messages: ReadMessage[];
  /** llhttp's code (HPE_...), null if it refused nothing; an early end of the input is no refusal. */
  refusal: string | null;
}

interface ReadMessage {
  readonly start: readonly unknown[];
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

// ---- what llhttp reads -------------------------------------------------------------------------------------------

let server: http.Server;
let current: Reading;
let closed: () => void;

beforeAll(async () => {
  server = http.createServer();
  server.on('request', readRequest);
  // Without a listener, node answers 417 itself to any Expect but 100-continue.
  server.on('checkExpectation', readRequest);
  server.on('connect', (_message, socket: Socket) => {
    current.heads++;
    socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const isEarlyEnd = error.code === 'HPE_INVALID_EOF_STATE' || error.code === 'ECONNRESET';
    if (!isEarlyEnd) current.refusal ??= error.code ?? error.message;
    socket.destroy();
  });
  server.on('connection', (socket: Socket) => socket.on('close', () => closed()));
  await listen(server);
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
});

function readRequest(message: http.IncomingMessage, response: http.ServerResponse): void {
  const reading = current;
  reading.heads++;
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A request that is cut off in its body; `refusal` tells, or the missing message.
  message.on('error', () => undefined);
  message.on('end', () => {
    reading.messages.push({
      start: [message.method, message.url, message.httpVersion],
      fields: message.rawHeaders,
      body: Buffer.concat(chunks).toString('latin1'),
      trailers: message.rawTrailers,
    });
    response.end();
  });
}

function listen(target: net.Server): Promise<number> {
  return new Promise((resolve) => {
    target.listen(0, '127.0.0.1', () => resolve((target.address() as AddressInfo).port));
  });
}

async function readRequestsByLlhttp(input: Buffer): Promise<Reading> {
  const reading: Reading = { heads: 0, messages: [], refusal: null };
  current = reading;
  const serverClosed = new Promise<void>((resolve) => (closed = resolve));
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  // A reset is how a refusing server may close on us; what it read is what counts.
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(input);
  await serverClosed;
  socket.destroy();
  return reading;
}

async function readResponseByLlhttp(input: Buffer, method: string): Promise<Reading> {
  const upstream = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(input));
  });
  const port = await listen(upstream);
  const reading: Reading = { heads: 0, messages: [], refusal: null };
  await new Promise<void>((resolve) => {
    const request = http.request({ port, host: '127.0.0.1', method, agent: false }, (response) => {
      reading.heads++;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error: NodeJS.ErrnoException) => note(error));
      response.on('end', () => {
        reading.messages.push({
          start: [response.statusCode, response.statusMessage, response.httpVersion],
          fields: response.rawHeaders,
          body: Buffer.concat(chunks).toString('latin1'),
          trailers: response.rawTrailers,
        });
      });
    });
    const note = (error: NodeJS.ErrnoException): void => {
      if (error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE')
        reading.refusal = error.code;
    };
    request.on('error', note);
    // A 101: both ended HTTP there, and what follows is not compared.
    request.on('upgrade', (_response, socket) => socket.destroy());
    request.on('close', resolve);
    request.end();
  });
  await new Promise((resolve) => upstream.close(resolve));
  return reading;
}

// ---- what we read ------------------------------------------------------------------------------------------------

function readByUs(entry: CorpusEntry, input: Buffer): Reading {
  const seen = observe(input, [], entry);
  return {
    heads: seen.messages.filter((message) => message.head !== null).length,
    messages: seen.messages.filter((message) => message.complete).map(asRead),
    refusal: seen.error?.code ?? null,
  };
}

function asRead({ head, data, trailers }: ObservedMessage): ReadMessage {
  return {
    start: startOf(head as RequestHead | ResponseHead),
    fields: head?.fields ?? [],
    body: data.toString('latin1'),
    trailers,
  };
}

function startOf(head: RequestHead | ResponseHead): unknown[] {
  return 'method' in head
    ? [head.method, head.target, head.httpVersion]
    : [head.status, head.reason, head.httpVersion];
}

/** http.request reads one response and has no opinion on what follows. */
function firstMessageOf(entry: CorpusEntry, input: Buffer): Buffer {
  const parser = new ResponseParser(silentSink);
  parser.expect(entry.method);
  const end = parser.feed(input);
  return parser.error === null ? input.subarray(0, end) : input;
}

const silentSink = {
  onHead: () => undefined,
  onData: () => undefined,
  onBody: () => undefined,
  onTrailers: () => undefined,
  onComplete: () => undefined,
  onError: () => undefined,
};

// ---- requests ----------------------------------------------------------------------------------------------------

/** Hostile requests that llhttp takes: entry, and why we do not. Kept exact, so that a new llhttp shows here. */
const stricterRequests: Record<string, string> = {
  // Codings: llhttp asks only that chunked comes last.
  'TE.TE identity, then chunked': 'identity is no coding any more, and some take it for "not chunked"',
  'TE with a leading comma': 'an empty item that others may not skip',
  'TE with a tab before chunked': 'others trim SP only, and see an unknown coding',
  'TE in HTTP/1.0': 'RFC 9112, section 6.1: the framing is faulty',
  'CL with a tab before it': 'others trim SP only, and see no number',
  'CL with a tab after it': 'as above',
  'CL of 2^53': 'cannot be counted exactly in a number',
  // Lines.
  'bare LF before the request': 'a line end that others do not know',
  'two empty lines before the request': 'RFC 9112, section 2.2, asks for one; no client sends more',
  'two spaces after the method': 'others see an empty target',
  // Targets: llhttp leaves what is in them to its caller.
  'fragment in the target': 'is not part of a request target',
  'asterisk with GET': 'RFC 9112, section 3.2.4: OPTIONS only',
  'absolute-form with user information': 'RFC 9110, section 4.2.4: a way to hide the host',
  'absolute-form without a host': 'names no upstream',
  'absolute-form with a port beyond 65535': 'names no upstream',
  'absolute-form with a bad IPv6 literal': 'names no upstream',
  'CONNECT with a path': 'names no upstream',
  'CONNECT without a port': 'RFC 9110, section 9.3.6: there is no default',
  'CONNECT with a scheme': 'others take the scheme for the host',
  'CONNECT with a Content-Length': 'body or tunnel: two readings',
  'CONNECT with chunks': 'body or tunnel: two readings',
  'no version': 'HTTP/0.9 has no fields, and a proxy no use for it',
  'HTTP/0.9': 'as above',
  // Host: node asks only that there is one.
  'two Hosts': 'RFC 9112, section 3.2',
  'two equal Hosts': 'RFC 9112, section 3.2',
  'Host with user information': 'names no upstream',
  'Host with a path': 'names no upstream',
  'Host with a space': 'names no upstream',
  'Host as a list': 'names two',
  'Host with a port beyond 65535': 'names no upstream',
  'Host with a port that is no number': 'names no upstream',
  'Host with port 0': 'names no upstream',
  'Host with an open bracket': 'names no upstream',
  // Chunks.
  'chunk size of 2^53': 'cannot be counted exactly in a number',
  'chunk size of seventeen zeros': 'no encoder writes it, and others may stop counting',
  'chunk extension without a value': 'RFC 9112, section 7.1.1: what follows "=" is a token or quoted',
  'Host in the trailers': 'whoever merges trailers into the head routes the request anew',
};

/** Hostile responses that llhttp takes. */
const stricterResponses: Record<string, string> = {
  'TE gzip alone': 'until close, says the RFC; others wait for chunks',
  'TE in HTTP/1.0': 'RFC 9112, section 6.1: the framing is faulty',
  'empty line before the status line': 'may be the rest of the response before it',
  'HTTP/2': 'is not what was asked for',
  'status below 100': 'RFC 9110, section 15: not a status',
  'control character in the reason': 'RFC 9112, section 4: not a reason',
};

/**
 * What we take of mutated input, llhttp has taken too, and read the same: the rule that leaves no room for smuggling.
 * Only the messages up to the first that ends the connection count; what follows is no message to anyone.
 */
function expectTakenAlike(entry: CorpusEntry, input: Buffer, llhttp: Reading): void {
  const seen = observe(input, [], entry);
  for (const [i, message] of seen.messages.filter((each) => each.complete).entries()) {
    const head = message.head as RequestHead | ResponseHead;
    if ('method' in head && !http.METHODS.includes(head.method)) return;
    if ('method' in head ? head.method === 'CONNECT' : head.endsHttp) return;
    // llhttp ends the connection at an interim response that says close; whether it may is nobody's framing.
    if (message.interim.some((each) => !each.keepAlive)) return;
    expect(llhttp.messages[i], JSON.stringify(input.toString('latin1'))).toEqual(asRead(message));
    if (!head.keepAlive) return;
  }
}

// Mostly from valid ones: what both refuse is no comparison.
const requests = [...validRequests, ...validRequests, ...validRequests, ...hostileRequests];
const responses = [...validResponses, ...validResponses, ...validResponses, ...hostileResponses];
const rounds = Number(process.env['SPIKE_DIFFERENTIAL_ROUNDS'] ?? 1500);
const timeoutMs = 30_000 + rounds * 5;

describe('requests, beside http.createServer', () => {
  it.each(validRequests)('both take: $name', async (entry) => {
    const llhttp = await readRequestsByLlhttp(entry.bytes);
    expect(llhttp).toEqual(readByUs(entry, entry.bytes));
  });

  it('refuses of the hostile ones all that llhttp refuses, and those listed', async () => {
    const taken: string[] = [];
    for (const entry of hostileRequests) {
      expect(readByUs(entry, entry.bytes).refusal).toBe(entry.code);
      const llhttp = await readRequestsByLlhttp(entry.bytes);
      if (llhttp.refusal === null && llhttp.heads > 0) taken.push(entry.name);
    }
    expect(taken).toEqual(Object.keys(stricterRequests));
  });

  it(
    'takes nothing of mutated requests that llhttp refuses or reads in another way',
    async () => {
      const random = createRandom(1);
      let taken = 0;
      for (let i = 0; i < rounds; i++) {
        const { entry, input } = mutate(requests, random);
        taken += readByUs(entry, input).messages.length;
        expectTakenAlike(entry, input, await readRequestsByLlhttp(input));
      }
      // The comparison is worth something only if much was taken.
      expect(taken).toBeGreaterThan(rounds / 10);
    },
    timeoutMs,
  );
});

describe('responses, beside http.request', () => {
  it.each(validResponses)('both take: $name', async (entry) => {
    const llhttp = await readResponseByLlhttp(entry.bytes, entry.method);
    expect(llhttp).toEqual(readByUs(entry, entry.bytes));
  });

  it('refuses of the hostile ones all that llhttp refuses, and those listed', async () => {
    const taken: string[] = [];
    for (const entry of hostileResponses) {
      expect(readByUs(entry, entry.bytes).refusal).toBe(entry.code);
      const llhttp = await readResponseByLlhttp(entry.bytes, entry.method);
      if (llhttp.refusal === null && llhttp.heads > 0) taken.push(entry.name);
    }
    expect(taken).toEqual(Object.keys(stricterResponses));
  });

  it(
    'takes nothing of mutated responses that llhttp refuses or reads in another way',
    async () => {
      const random = createRandom(2);
      let taken = 0;
      for (let i = 0; i < rounds; i++) {
        const { entry, input } = mutate(responses, random);
        const first = firstMessageOf(entry, input);
        taken += readByUs(entry, first).messages.length;
        expectTakenAlike(entry, first, await readResponseByLlhttp(first, entry.method));
      }
      expect(taken).toBeGreaterThan(rounds / 10);
    },
    timeoutMs,
  );
});
