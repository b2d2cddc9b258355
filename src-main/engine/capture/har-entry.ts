// One call as an entry of a HAR file.
//
// Chrome's importer refuses the whole file if a status, a time, a size or one of send, wait and receive is missing or no
// number, so each is always there: -1 for unknown sizes and for parts that did not happen, 0 for the status of no answer.
import { isIP } from 'node:net';
import type { Direction, Flow, Http, Timings } from '#shared/flow/flow.ts';
import { splitAddress } from '#shared/routes/route.ts';
import { fieldValue } from './field-text.ts';
import { bodyComment, harTextOf } from './har-content.ts';
import type { HarBody } from './har-content.ts';
import { harHeaders, harUrl, queryString, requestCookies, responseCookies } from './har-fields.ts';
import type { HarOptions } from './har.ts';
import { harMessages } from './har-messages.ts';
import type { Redactor } from './redaction.ts';

/** What Chrome writes where there is no type; readers expect a string. */
const NO_TYPE = 'x-unknown';

type BodyOf = (flow: Flow, side: Direction) => Promise<HarBody | null>;
/** `sizeBytes`: the length before secrets were replaced. */
type Body = HarBody & { readonly sizeBytes: number };

/** Rejects only when `bodyOf` or `messagesOf` do. */
export async function harEntry(
  flow: Flow,
  { bodyOf, messagesOf, redactor }: Pick<HarOptions, 'bodyOf' | 'messagesOf' | 'redactor'>,
  pageId: string,
): Promise<object> {
  const http = redactedHttp(flow, redactor);
  const [requestBody, responseBody] = await Promise.all([
    storedBody(flow, 'request', http, bodyOf, redactor),
    storedBody(flow, 'response', http, bodyOf, redactor),
  ]);
  const timings = harTimings(flow.timings);
  return {
    pageref: pageId,
    startedDateTime: flow.startedAt,
    time: totalTime(timings),
    request: harRequest(flow, http, requestBody),
    response: harResponse(flow, http, responseBody),
    cache: {},
    timings,
    ...serverAddress(flow),
    connection: flow.connectionId,
    ...(flow.kind === 'websocket' ? await webSocket(flow, messagesOf, redactor) : {}),
    _spike: ownFacts(flow, http, redactor),
  };
}

async function webSocket(
  flow: Flow,
  messagesOf: HarOptions['messagesOf'],
  redactor: Redactor | null,
): Promise<object> {
  const messages = flow.messages === null ? [] : await messagesOf(flow);
  return { _resourceType: 'websocket', _webSocketMessages: harMessages(flow, messages, redactor) };
}

/** Stands in where no HTTP came to be: a failed handshake, a refused head. The method is the refused one, if it was one. */
function withoutHttp(flow: Flow): Http {
  const refused = /^([A-Z]{1,20}) /.exec(flow.rawHead ?? '')?.[1] ?? 'GET';
  const isTls = flow.kind === 'tls-failure';
  return {
    method: isTls ? 'CONNECT' : refused,
    url: `${isTls ? 'https' : 'http'}://${flow.tls?.sni ?? flow.callee.name}/`,
    httpVersion: '1.1',
    requestHeaders: [],
    status: null,
    reason: null,
    responseHeaders: [],
    grpcStatus: null,
    trailers: [],
    requestBody: 'none',
    responseBody: 'none',
  };
}

function redactedHttp(flow: Flow, redactor: Redactor | null): Http {
  const http = flow.http ?? withoutHttp(flow);
  if (redactor === null) return http;
  return {
    ...http,
    method: redactor.text(http.method),
    url: redactor.url(http.url),
    requestHeaders: redactor.fields(http.requestHeaders, 'request-headers'),
    responseHeaders: redactor.fields(http.responseHeaders, 'response-headers'),
    trailers: redactor.fields(http.trailers, 'trailers'),
    reason: http.reason === null ? null : redactor.text(http.reason),
  };
}

async function storedBody(
  flow: Flow,
  side: Direction,
  http: Http,
  bodyOf: BodyOf,
  redactor: Redactor | null,
): Promise<Body | null> {
  const state = side === 'request' ? http.requestBody : http.responseBody;
  if (state !== 'stored' && state !== 'truncated') return null;
  const body = await bodyOf(flow, side);
  if (body === null) return null;
  const sizeBytes = body.bytes.length;
  if (redactor === null) return { ...body, sizeBytes };
  const fields = side === 'request' ? http.requestHeaders : http.responseHeaders;
  return {
    ...body,
    sizeBytes,
    bytes: redactor.body(body.bytes, fieldValue(fields, 'content-type'), `${side}-body`),
  };
}

/** `connect` includes `ssl` (HAR 1.2, timings), where Spike counts them apart. */
function harTimings({ blocked, dns, connect, tls, send, wait, receive }: Timings) {
  const connecting = connect === null && tls === null ? null : (connect ?? 0) + (tls ?? 0);
  return {
    blocked: milliseconds(blocked, -1),
    dns: milliseconds(dns, -1),
    connect: milliseconds(connecting, -1),
    send: milliseconds(send, 0),
    wait: milliseconds(wait, 0),
    receive: milliseconds(receive, 0),
    ssl: milliseconds(tls, -1),
  };
}

/** The sum of what is not negative, `ssl` being part of `connect` (HAR 1.2, entries). */
function totalTime(timings: ReturnType<typeof harTimings>): number {
  const { blocked, dns, connect, send, wait, receive } = timings;
  const parts = [blocked, dns, connect, send, wait, receive].filter((part) => part > 0);
  return milliseconds(
    parts.reduce((sum, part) => sum + part, 0),
    0,
  );
}

/** In µs precision: sums of fractions would else end in fifteen digits of noise. */
function milliseconds(value: number | null, absent: number): number {
  return value === null || !Number.isFinite(value) || value < 0 ? absent : Math.round(value * 1000) / 1000;
}

const versionText = (http: Http): string => `HTTP/${http.httpVersion}`;
/** No head is empty: 0 means that nobody counted. */
const headSize = (sizeBytes: number): number => (sizeBytes > 0 ? sizeBytes : -1);

function harRequest(flow: Flow, http: Http, body: Body | null): object {
  const url = harUrl(http.url);
  return {
    method: http.method,
    url,
    httpVersion: versionText(http),
    cookies: requestCookies(http.requestHeaders),
    headers: harHeaders(http.requestHeaders),
    queryString: queryString(url),
    ...postData(http, body),
    headersSize: headSize(flow.sizes.requestHead),
    bodySize: flow.http === null ? -1 : flow.sizes.requestBody,
  };
}

/** HAR 1.2 has no encoding here, and lets names of one's own begin with an underscore. */
function postData(http: Http, body: Body | null): object {
  if (http.requestBody === 'none') return {};
  const type = fieldValue(http.requestHeaders, 'content-type');
  const { text, encoding } = body === null ? { text: '', encoding: undefined } : harTextOf(body, type);
  const comment = bodyComment(body, http.requestBody);
  return {
    postData: {
      mimeType: type ?? NO_TYPE,
      text,
      ...(encoding === undefined ? {} : { _encoding: encoding }),
      ...(comment === '' ? {} : { comment }),
    },
  };
}

function harResponse(flow: Flow, http: Http, body: Body | null): object {
  const answered = http.status !== null;
  const failure = flow.error?.cause ?? (answered ? null : 'no-response');
  return {
    status: http.status ?? 0,
    statusText: http.reason ?? '',
    httpVersion: versionText(http),
    cookies: responseCookies(http.responseHeaders),
    headers: harHeaders(http.responseHeaders),
    content: answered ? harContent(flow, http, body) : { size: 0, mimeType: NO_TYPE },
    redirectURL: fieldValue(http.responseHeaders, 'location') ?? '',
    headersSize: answered ? headSize(flow.sizes.responseHead) : -1,
    bodySize: answered ? flow.sizes.responseBody : -1,
    ...(failure === null ? {} : { _error: failure }),
  };
}

function harContent(flow: Flow, http: Http, body: Body | null): object {
  const type = fieldValue(http.responseHeaders, 'content-type');
  const isCoded = fieldValue(http.responseHeaders, 'content-encoding') !== null;
  const isWhole = body !== null && body.decoded && !body.truncated;
  const size = contentSize(flow, http, body, isCoded);
  const comment = bodyComment(body, http.responseBody);
  return {
    size,
    ...(isCoded && isWhole ? { compression: size - flow.sizes.responseBody } : {}),
    mimeType: type ?? NO_TYPE,
    ...(body === null ? {} : harTextOf(body, type)),
    ...(comment === '' ? {} : { comment }),
  };
}

/** The decoded length, where it is known. Of what passed, that is: stand-ins of secrets are not counted. */
function contentSize(flow: Flow, http: Http, body: Body | null, isCoded: boolean): number {
  if (http.responseBody === 'none') return 0;
  if (body !== null && body.decoded && !body.truncated) return body.sizeBytes;
  return isCoded ? -1 : flow.sizes.responseBody;
}

/** An address alone (HAR 1.2): the port, and names, are among Spike's own facts. */
function serverAddress(flow: Flow): object {
  if (flow.upstream === null) return {};
  const { host } = splitAddress(flow.upstream.address);
  return isIP(host) === 0 ? {} : { serverIPAddress: host };
}

/** What HAR has no place for, under one name. */
function ownFacts(flow: Flow, http: Http, redactor: Redactor | null): object {
  const text = (value: string): string => redactor?.text(value) ?? value;
  return {
    id: flow.id,
    kind: flow.kind,
    durationMs: flow.durationMs,
    caller: flow.caller,
    callee: flow.callee,
    route: flow.route,
    client: flow.client,
    upstream: flow.upstream,
    tls: flow.tls,
    sizes: flow.sizes,
    bodies: { request: http.requestBody, response: http.responseBody },
    messages: flow.messages,
    grpcStatus: http.grpcStatus,
    trailers: http.trailers,
    faults: flow.faults.map((fault) => ({ ...fault, note: text(fault.note) })),
    playback: flow.playback,
    trace: flow.trace,
    error: flow.error === null ? null : { ...flow.error, message: text(flow.error.message) },
    // What was refused could not be understood, so nothing says where the secrets in it are.
    rawHead: redactor === null ? flow.rawHead : null,
    worker: flow.worker,
  };
}
