// How fast the HTTP/1.1 codec is by itself, on one core: node bench/codec.mjs [seconds per case]. See also: --cpu-prof.
import { RequestParser, ResponseParser } from '../src-main/engine/proxy/http1/parser.ts';
import {
  serializeRequestHead,
  serializeResponseHead,
} from '../src-main/engine/proxy/http1/serialize-head.ts';

const secondsPerCase = Number(process.argv[2] ?? 1);

const request = Buffer.from(
  'GET /api/orders/4711?expand=lines HTTP/1.1\r\nHost: orders.test:8080\r\nUser-Agent: shop-client/2.4 (linux)\r\n' +
    'Accept: application/json, text/plain\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\n' +
    'Connection: keep-alive\r\nX-Request-Id: 8f14e45f-ceea-467f-a8d9-0d2c5a1f\r\nX-Caller: web\r\n\r\n',
);
const body = Buffer.alloc(1024, 'x');
const responseHead =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: "33a64df5"\r\n' +
  'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n';
const response = Buffer.concat([Buffer.from(`${responseHead}Content-Length: 1024\r\n\r\n`), body]);
const chunked = Buffer.concat([
  Buffer.from(`${responseHead}Transfer-Encoding: chunked\r\n\r\n400\r\n`),
  body,
  Buffer.from('\r\n0\r\n\r\n'),
]);

/** The least that an exchange does; `use` is what a case does with each head. */
function sinkThat(use) {
  return {
    seen: 0,
    onHead(head) {
      this.seen += use(head);
    },
    onData(data) {
      this.seen += data.length;
    },
    onBody(wire) {
      this.seen += wire.length;
    },
    onTrailers() {},
    onComplete() {},
    onError(error) {
      throw new Error(error.message);
    },
  };
}

const framing = (head) => head.rawHeadBytes;
const listed = (head) => head.fields.length;
const requestOn = (head) => serializeRequestHead(head).length;
const responseOn = (head) => serializeResponseHead(head).length;

const cases = [
  ['request head, parsed', RequestParser, request, framing],
  ['request head, parsed, fields listed', RequestParser, request, listed],
  ['request head, parsed and serialised', RequestParser, request, requestOn],
  ['response 1 KiB, parsed', ResponseParser, response, framing],
  ['response 1 KiB, parsed and serialised', ResponseParser, response, responseOn],
  ['response 1 KiB chunked, parsed', ResponseParser, chunked, framing],
];

function measure(Parser, message, use) {
  const parser = new Parser(sinkThat(use));
  const batch = 10_000;
  let count = 0;
  let elapsedMs = 0;
  // The first half warms up.
  for (const limitMs of [secondsPerCase * 500, secondsPerCase * 500]) {
    count = 0;
    const started = process.cpuUsage();
    do {
      for (let i = 0; i < batch; i++) {
        if (parser.feed(message) !== message.length || !parser.isComplete) throw new Error('Not read whole');
        parser.reset();
      }
      count += batch;
      // CPU time, not wall time: it says what a core could do even while others use it. Collection of garbage included.
      const used = process.cpuUsage(started);
      elapsedMs = (used.user + used.system) / 1000;
    } while (elapsedMs < limitMs);
  }
  return (count / elapsedMs) * 1000;
}

console.log(
  `node ${process.version}, ${request.length}-byte request head, ${responseHead.length + 26}-byte response head`,
);
for (const [name, Parser, message, use] of cases) {
  const perSecond = measure(Parser, message, use);
  const ns = Math.round(1e9 / perSecond);
  console.log(`${name.padEnd(40)} ${Math.round(perSecond).toLocaleString('en').padStart(11)} /s  ${ns} ns`);
}
