import { once } from 'node:events';
import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { DataPlaneHarness, makeAuthority } from '../support/data-plane-harness.ts';
import type { DifferentialCase } from '../support/differential/case.ts';
import { writtenCases } from '../support/differential/cases.ts';
import { generatedCases } from '../support/differential/generated-cases.ts';
import { answerMessage, isForHttp2, requestMessage } from '../support/differential/http2-case.ts';
import type { StreamMessage } from '../support/differential/http2-case.ts';
import { DifferentialOrigin } from '../support/differential/origin.ts';
import { answerOf, openHttp2, serveHttp2 } from '../support/http2-peers.ts';
import { assertNothingOpen, Peers } from '../support/network-peers.ts';

/**
 * The cases of differential.test.ts that HTTP/2 can say, by node:http2 directly and through Spike: to an origin that speaks
 * HTTP/2, field by field and octet by octet the same at both ends; to one that speaks 1.1, the same but for what only one
 * of the versions has (see `left` in http2-case.ts).
 */
const all = [...writtenCases, ...generatedCases(120, 20_260_301)];
const cases = all.filter(isForHttp2);
const origin = new DifferentialOrigin(cases);
const peers = new Peers();
let spike: DataPlaneHarness;
let direct: ClientHttp2Session;
let through: ClientHttp2Session;
let toOld: ClientHttp2Session;
let arrived: StreamMessage | null = null;

beforeAll(async () => {
  const server = await serveHttp2(peers, (stream, fields) => void serve(stream, fields), { maxHeaderListPairs: 500 } as object);
  const siteCa = await makeAuthority();
  const issuer = createLeafIssuer({ ca: siteCa, now: Date.now });
  const leaf = issuer.issue('localhost');
  if (leaf === null) throw new Error('no certificate');
  // Version 1.1 is agreed on by ALPN: in clear text a client that begins with HTTP/2 gets it to its end.
  const old = await peers.tcp((tcp) => {
    const options = { isServer: true, key: issuer.privateKeyPem, cert: leaf.chainPem, ALPNProtocols: ['http/1.1'] };
    const secure = new TLSSocket(tcp, options);
    secure.on('error', () => undefined); // Spike ends connections that it keeps when it stops.
    origin.serve(secure);
  });
  const routes = [
    { name: 'new', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${server.port}` },
    { name: 'old', listen: '127.0.0.1:0', upstream: `https://localhost:${old.port}` },
  ];
  spike = await DataPlaneHarness.start({ routes, tls: { extraRootsPem: [siteCa.certificatePem] } });
  direct = await openHttp2(peers, `http://127.0.0.1:${server.port}`);
  through = await openHttp2(peers, `http://${spike.address('new')}`);
  toOld = await openHttp2(peers, `https://${spike.address('old')}`, { ca: spike.caPem, servername: 'localhost' });
}); // prettier-ignore

afterAll(async () => {
  await peers[Symbol.asyncDispose]();
  await spike[Symbol.asyncDispose]();
  await assertNothingOpen();
});

/** The origin that speaks HTTP/2: keeps what came, and answers as the case says. */
async function serve(stream: ServerHttp2Stream, fields: string[]): Promise<void> {
  const chunks: Buffer[] = [];
  let trailers: string[] = [];
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
  stream.on('trailers', (_object, _flags: number, list?: string[]) => void (trailers = list ?? []));
  await once(stream, 'end');
  arrived = { fields, content: Buffer.concat(chunks).toString('latin1'), trailers };
  const number = Number((fields[fields.indexOf('x-case') + 1] as string).split('.')[0]);
  const answer = answerMessage((cases[number] as DifferentialCase).requests[0] as DifferentialCase['requests'][number]);
  const hasTrailers = answer.trailers.length > 0;
  stream.respond(answer.fields as never, { waitForTrailers: hasTrailers });
  if (hasTrailers) stream.on('wantTrailers', () => stream.sendTrailers(objectOf(answer.trailers)));
  stream.end(Buffer.from(answer.content, 'latin1'));
} // prettier-ignore

function objectOf(flat: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] as string]] : [])),
  );
}

/** Without `date`, which node:http2 adds where there is none. */
function withoutDate(flat: readonly string[]): string[] {
  return flat.filter((_, at) => flat[at - (at % 2)] !== 'date');
}

/** Where HTTP/2 ends a request with its head, 1.1 says so by a length of 0. */
function withoutNoLength(flat: readonly string[]): string[] {
  const at = flat.indexOf('content-length');
  return at >= 0 && flat[at + 1] === '0' ? [...flat.slice(0, at), ...flat.slice(at + 2)] : [...flat];
}

async function ask(session: ClientHttp2Session, message: StreamMessage): Promise<StreamMessage> {
  const hasTrailers = message.trailers.length > 0;
  const endStream = message.content === '' && !hasTrailers;
  const stream = session.request(message.fields as never, { endStream, waitForTrailers: hasTrailers });
  if (hasTrailers) stream.on('wantTrailers', () => stream.sendTrailers(objectOf(message.trailers)));
  if (!endStream) stream.end(Buffer.from(message.content, 'latin1'));
  const answer = await answerOf(stream);
  expect(answer.code).toBe(0);
  const fields = [':status', String(answer.status), ...withoutDate(answer.fields)];
  return { fields, content: answer.body.toString('latin1'), trailers: answer.trailers ?? [] };
}

function told(one: DifferentialCase, message: StreamMessage): string {
  return `${one.name}: ${JSON.stringify({ ...message, content: message.content.slice(0, 500) })}`;
}

const numbered = cases.map((one, number) => [one.name, number] as const);

it('has enough cases to say something', () => {
  expect(cases.length).toBeGreaterThan(60);
});

describe('from HTTP/2 to HTTP/2', () => {
  it.each(numbered)('%s', async (_, number) => {
    const one = cases[number] as DifferentialCase;
    const message = requestMessage(one.requests[0] as never, `${number}.0`, 'origin.test');
    const back = await ask(direct, message);
    const came = arrived;
    expect(came?.content, told(one, message)).toBe(message.content);
    const throughBack = await ask(through, message);
    expect(arrived, told(one, message)).toEqual(came);
    expect(throughBack, told(one, message)).toEqual(back);
  });
});

describe('from HTTP/2 to HTTP/1.1', () => {
  it.each(numbered)('%s', async (_, number) => {
    const one = cases[number] as DifferentialCase;
    const message = requestMessage(one.requests[0] as never, `${number}.0`, 'origin.test', 'https');
    const back = await ask(toOld, message);
    const [came] = origin.take();
    expect(came?.head.split(' ').slice(0, 2).join(' ')).toBe(`${message.fields[1]} ${message.fields[7]}`);
    const [, ...lines] = (came?.head ?? '').slice(0, -4).split('\r\n');
    expect(lines[0], told(one, message)).toMatch(/^host: origin\.test$/i);
    const answer = answerMessage(one.requests[0] as never);
    const isHead = one.requests[0]?.method === 'HEAD';
    expect(back.content, told(one, message)).toBe(isHead ? '' : answer.content);
    expect(back.fields, told(one, message)).toEqual(withoutDate(answer.fields));
    expect(back.trailers, told(one, message)).toEqual(answer.trailers);
    const request = { lines, body: came?.body ?? '' };
    expect(contentOf(request), told(one, message)).toEqual({
      ...message,
      fields: withoutNoLength(message.fields.slice(8)),
    });
  });

  /** What reached the origin in 1.1, said in HTTP/2 again. */
  function contentOf({ lines, body }: { lines: string[]; body: string }): StreamMessage {
    const seen = requestMessage({ method: '', target: '', version: '1.1', lines, body } as never, '', '');
    const fields = seen.fields.slice(10);
    return { ...seen, fields: withoutNoLength(fields) };
  }
});
