// Flows of every kind, for property tests: also such as no peer would send, but the schema allows.
import fc from 'fast-check';
import { failureCauses } from '#shared/flow/failure-cause.ts';
import { flowKinds, resolvers } from '#shared/flow/flow.ts';
import type { AppliedFault, Flow, Http } from '#shared/flow/flow.ts';
import { formatMicroseconds } from '#shared/flow/flow-summary.ts';

const octets = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
  maxLength: 20,
});
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
const size = fc.nat({ max: 1_000_000 });
const duration = orNull(fc.double({ min: 0, max: 1e6, noNaN: true }));
const bodyState = fc.constantFrom<Http['requestBody'][]>('none', 'stored', 'truncated', 'dropped', 'evicted');
const fieldName = fc.constantFrom(
  'content-type',
  'Content-Encoding',
  'Cookie',
  'Set-Cookie',
  'Location',
  'Referer',
  'Authorization',
  'X-Any',
  'Via',
);
const fieldValue = fc.oneof(
  octets,
  fc.constantFrom(
    'application/json',
    'text/plain; charset=nonsense',
    'text/html; charset=utf-16',
    'gzip',
    'a=1; b="2";;',
    '/next?a=%zz',
    'a=b; Expires=Thu, 99 Jan 2099 99:99:99 GMT; Path=/',
    'a=b; expires=Tue, 10 Mar 2026 14:12:40 GMT; HttpOnly; Secure',
    'a=b; expires=+275760-09-13T00:00:00.000Z',
    '=; =',
    'multipart/form-data; boundary=x',
  ),
);
const fields = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 5 });
const url = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  octets,
  octets.map((path) => `http://h/${path}`),
);
const service = fc.record({
  name: fc.string({ maxLength: 10 }),
  resolvedBy: fc.constantFrom(...resolvers),
  pid: orNull(fc.nat()),
});

const http: fc.Arbitrary<Http> = fc.record({
  method: octets,
  url,
  httpVersion: fc.constantFrom('1.0', '1.1', '2', '3'),
  requestHeaders: fields,
  status: orNull(fc.integer({ min: 100, max: 999 })),
  reason: orNull(octets),
  responseHeaders: fields,
  grpcStatus: orNull(fc.nat({ max: 16 })),
  trailers: fields,
  requestBody: bodyState,
  responseBody: bodyState,
});

const fault: fc.Arbitrary<AppliedFault> = fc.record({
  ruleId: fc.string(),
  ruleName: fc.string(),
  type: fc.string(),
  direction: orNull(fc.constantFrom('request', 'response')),
  atMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  delayedMs: duration,
  bytes: orNull(size),
  status: orNull(fc.nat()),
  messages: orNull(fc.nat()),
  code: orNull(fc.nat()),
  outcome: fc.constantFrom('acting', 'done', 'released'),
  note: fc.string(),
});

export const arbitraryFlow: fc.Arbitrary<Flow> = fc.record({
  id: fc.string({ minLength: 21, maxLength: 21 }),
  kind: fc.constantFrom(...flowKinds),
  startedAt: fc.double({ min: 0, max: 4e12, noNaN: true }).map(formatMicroseconds),
  durationMs: duration,
  caller: service,
  callee: service,
  route: orNull(fc.string()),
  connectionId: fc.string(),
  client: fc.constant('127.0.0.1:50000'),
  upstream: orNull(
    fc.record({
      address: fc.constantFrom('127.0.0.1:8101', '[::1]:8101', 'orders.internal:80'),
      reused: fc.boolean(),
    }),
  ),
  tls: orNull(
    fc.record({
      intercepted: fc.boolean(),
      sni: orNull(octets),
      alpn: orNull(octets),
      version: orNull(octets),
      hello: fc.constant(null),
      note: orNull(octets),
    }),
  ),
  http: orNull(http),
  protocol: fc.constant(null),
  bytes: fc.constant(null),
  messages: fc.constant(null),
  rawHead: orNull(octets),
  sizes: fc.record({ requestHead: size, requestBody: size, responseHead: size, responseBody: size }),
  timings: fc.record({
    blocked: duration,
    dns: duration,
    connect: duration,
    tls: duration,
    send: duration,
    wait: duration,
    receive: duration,
  }),
  faults: fc.array(fault, { maxLength: 2 }),
  playback: orNull(fc.string()),
  trace: fc.constant(null),
  error: orNull(
    fc.record({ code: fc.string(), cause: fc.constantFrom(...failureCauses), message: fc.string() }),
  ),
  worker: fc.nat(),
});

export const arbitraryBody = orNull(
  fc.record({
    bytes: fc
      .oneof(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 40 }), fc.json())
      .map((content) =>
        typeof content === 'string' ? Buffer.from(content.toWellFormed()) : Buffer.from(content),
      ),
    truncated: fc.boolean(),
    decoded: fc.boolean(),
  }),
);
