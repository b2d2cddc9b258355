import type { CaseAnswer, CaseRequest, DifferentialCase } from './case.ts';

/** The cases that were thought of; those that chance makes are in generated-cases.ts. */
const whole = [1 << 30];
const host = 'Host: {authority}';

export function answer(
  status: string,
  lines: readonly string[] = [],
  body = '',
  rest: Partial<CaseAnswer> = {},
): CaseAnswer {
  const head = [`HTTP/1.1 ${status}`, ...lines, '', ''].join('\r\n');
  return { interim: [], head, body, closes: false, pieces: whole, ...rest };
}

/** An answer with its length. */
export function sized(
  body: string,
  lines: readonly string[] = [],
  rest: Partial<CaseAnswer> = {},
): CaseAnswer {
  return answer('200 OK', [...lines, `Content-Length: ${body.length}`], body, rest);
}

export function chunked(...chunks: readonly string[]): string {
  return `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;
}

/** Every octet that there is. */
export const allOctets = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet));

export function big(length: number): string {
  return allOctets.repeat(Math.ceil(length / 256)).slice(0, length);
}

function ask(part: Partial<CaseRequest> = {}): CaseRequest {
  return {
    method: 'GET',
    target: '/',
    version: '1.1',
    lines: [host],
    body: '',
    answer: sized('ok'),
    ...part,
  };
}

function single(
  name: string,
  part: Partial<CaseRequest>,
  pieces: readonly number[] = whole,
): DifferentialCase {
  return { name, requests: [ask(part)], pipelined: false, pieces };
}

function withLines(name: string, ...lines: readonly string[]): DifferentialCase {
  return single(name, { lines: [host, ...lines] });
}

function post(name: string, lines: readonly string[], body: string, pieces = whole): DifferentialCase {
  return single(name, { method: 'POST', lines: [host, ...lines], body }, pieces);
}

function answered(name: string, given: CaseAnswer, part: Partial<CaseRequest> = {}): DifferentialCase {
  return single(name, { answer: given, ...part });
}

const methods = [
  ...[
    'GET',
    'HEAD',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'M-SEARCH',
    'PURGE',
    'get',
    'x',
    "!#$%&'*+-.^_`|~0",
  ],
].map((method) =>
  answered(`method ${method}`, method === 'HEAD' ? answer('200 OK', ['Content-Length: 7']) : sized('ok'), {
    method,
  }),
);

const targets = [
  '/?',
  '/?a=b&a=b&=&&',
  '//double//slash/',
  '/%41%7e%2F%2f%00%zz%',
  '/a/../b/./c/..;x=y',
  '/~user/(x)!*\';:@&=+$,[]{}|\\^`"<>',
  '/?q=a+b%20c?d/e',
  `/${'long/'.repeat(2500)}`,
  `/?${'k=v&'.repeat(3000)}`,
].map((target) => single(`target ${target.slice(0, 40)}`, { target }));

const odd = [
  single('no field but Host', {}),
  withLines('case of names and values', 'x-LOWER: a', 'X-UPPER: A', 'x-MiXeD: aB', 'X-Request-ID: 1'),
  withLines('the same field again and again', 'X-A: 1', 'X-B: 2', 'x-a: 3', 'X-A: 1', 'X-a:'),
  withLines('empty values', 'X-Empty:', 'X-Space: ', 'X-Tab:\t', 'X-End: z'),
  withLines('space around values', 'X-A:none', 'X-B:   three', 'X-C:\ttab\t', 'X-D: in  side \t '),
  withLines('octets beyond ASCII', 'X-Latin: caf\xe9', 'X-Utf8: caf\xc3\xa9', 'X-Obs: \x80\xff'),
  withLines('names of all token letters', "!#$%&'*+-.^_`|~09AZaz: 1", '0: 1', '-: 1'),
  withLines('values of all visible letters', `X-All: ${allOctets.slice(0x20, 0x7f)}`),
  withLines('quotes and commas', 'X-List: a,, b ,"c,d" , ""', 'Cookie: a=b; c="d"; e', 'Cookie: f=g'),
  withLines('a long field', `X-Long: ${'v'.repeat(30_000)}`),
  withLines('two hundred fields', ...Array.from({ length: 200 }, (_, index) => `X-${index}: ${index}`)),
  withLines('range', 'Range: bytes=0-0,-1', 'If-Range: "e"'),
  withLines('conditions', 'If-None-Match: W/"a", "b"', 'If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT'),
  withLines('credentials', 'Authorization: Basic YTpi', 'Authorization: Bearer x'),
  withLines(
    'traces',
    'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'Via: 1.1 a',
    'Forwarded: for=1',
  ),
  withLines('X-Forwarded as given', 'X-Forwarded-For: 10.0.0.1', 'X-Forwarded-Proto: https'),
  withLines(
    'names near those that end here',
    'Connection-X: 1',
    'TEE: 1',
    'Proxy-X: 1',
    'Keep-Alives: 1',
    'Upgrades: 1',
  ),
  single('Host last and in capitals', { lines: ['X-First: 1', 'HOST: {authority}'] }),
  single('Host without a space', { lines: ['Host:{authority}'] }),
  single('an empty line before', { before: '\r\n' }),
];

const hopByHop = [
  withLines('Connection: keep-alive', 'Connection: keep-alive', 'Keep-Alive: timeout=5, max=100'),
  withLines('Connection in the middle', 'A: 1', 'Connection: Keep-Alive', 'B: 2', 'Proxy-Connection: keep-alive', 'C: 3'),
  withLines('fields that Connection names', 'Connection: X-Hop, keep-alive', 'X-Hop: 1', 'X-Stays:  2 ', 'x-hop: 3'),
  withLines('Connection twice', 'Connection: X-One', 'X-One: 1', 'Connection: X-Two', 'X-Two: 2', 'X-Three: 3'),
  withLines('Connection names what must stay', 'Connection: host, content-length', 'X-A: 1'),
  withLines('TE with trailers', 'TE: trailers, deflate;q=0.5', 'Connection: TE', 'X-A: 1'),
  withLines('TE without trailers', 'TE: gzip', 'Connection: TE', 'X-A: 1'),
  withLines('proxy credentials', 'Proxy-Authorization: Basic YTpi', 'X-A: 1'),
  withLines('an upgrade to h2c', 'Connection: Upgrade', 'Upgrade: h2c'),
  withLines('an upgrade that is not taken', 'X-A: 1', 'Connection: Upgrade', 'Upgrade: tea/1, coffee', 'X-B: 2'),
  single('Connection: close', { lines: [host, 'Connection: close', 'X-A: 1'] }),
  answered('an answer with its hop-by-hop fields', sized('ok', ['Connection: keep-alive, X-Hop', 'Keep-Alive: timeout=5', 'X-Hop: 1', 'X-Stays: 2'])),
  answered('an answer that closes', sized('ok', ['Connection: close'], { closes: true })),
  answered('an answer with Proxy-Authenticate', answer('407 Proxy Authentication Required', ['Proxy-Authenticate: Basic realm="r"', 'Content-Length: 0'])),
]; // prettier-ignore

const bodies = [
  post('length 0', ['Content-Length: 0'], ''),
  post('length with zeros', ['Content-Length: 0003'], 'abc'),
  post('all octets', ['Content-Length: 256'], allOctets),
  post('a body that looks like a request', ['Content-Length: 22'], 'GET / HTTP/1.1\r\nA: b\r\n'),
  post('3 MB', ['Content-Length: 3000000'], big(3_000_000)),
  post('chunks', ['Transfer-Encoding: chunked'], chunked('a', 'bc', allOctets)),
  post('no chunk but the last', ['Transfer-Encoding: chunked'], chunked()),
  post('chunked in capitals', ['transfer-encoding: Chunked'], chunked('abc')),
  post('chunk sizes with zeros and capitals', ['Transfer-Encoding: chunked'], `000A\r\n0123456789\r\n0\r\n\r\n`),
  post('chunk extensions', ['Transfer-Encoding: chunked'], '3;a=b;c="d e";f\r\nabc\r\n0;last\r\n\r\n'),
  post('trailers', ['Transfer-Encoding: chunked', 'Trailer: X-Sum'], '3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-other:  2 \r\n\r\n'),
  post('one large chunk', ['Transfer-Encoding: chunked'], chunked(big(1_000_000))),
  post('a thousand chunks', ['Transfer-Encoding: chunked'], chunked(...Array.from({ length: 1000 }, () => 'xyz'))),
  post('gzip, then chunked', ['Transfer-Encoding: gzip, chunked'], chunked('not really')),
  post('content coding', ['Content-Encoding: br', 'Content-Length: 4'], '\x0b\x01\x80a'),
  single('GET with a body', { lines: [host, 'Content-Length: 4'], body: 'body' }),
  single('DELETE with chunks', { method: 'DELETE', lines: [host, 'Transfer-Encoding: chunked'], body: chunked('a') }),
  single('PUT of a form', { method: 'PUT', lines: [host, 'Content-Type: multipart/form-data; boundary="=_ x"', 'Content-Length: 9'], body: '--=_ x--\n' }),
  post('one octet at a time', ['Content-Length: 5', 'X-A: 1'], 'hello', [1]),
  post('chunks, one octet at a time', ['Transfer-Encoding: chunked'], '5;e=1\r\nhello\r\n0\r\nT: 1\r\n\r\n', [1]),
  post('head and body in odd pieces', ['Content-Length: 20000'], big(20_000), [7, 1, 50, 3, 999]),
]; // prettier-ignore

const expects = [
  single('waits for 100', {
    method: 'POST',
    lines: [host, 'Expect: 100-continue', 'Content-Length: 5'],
    body: 'hello',
    waits: true,
    answer: sized('ok', [], { interim: ['HTTP/1.1 100 Continue\r\n\r\n'] }),
  }),
  single('waits for 100 with fields, chunked', {
    method: 'PUT',
    lines: [host, 'Expect: 100-Continue', 'Transfer-Encoding: chunked'],
    body: chunked('hello'),
    waits: true,
    answer: sized('ok', [], { interim: ['HTTP/1.1 100 Go on\r\nX-Why: yes\r\n\r\n'] }),
  }),
  single('waits and is refused', {
    method: 'POST',
    lines: [host, 'Expect: 100-continue', 'Content-Length: 5'],
    body: 'hello',
    waits: true,
    answer: answer('417 Expectation Failed', ['Connection: close', 'Content-Length: 2'], 'no', { closes: true }),
  }),
  single('says 100-continue and does not wait', {
    method: 'POST',
    lines: [host, 'Expect: 100-continue', 'Content-Length: 5'],
    body: 'hello',
  }),
  answered(
    '102 and 103 before the answer',
    sized('ok', [], {
      interim: ['HTTP/1.1 102 Processing\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\n\r\n'],
    }),
  ),
]; // prettier-ignore

const answers = [
  answered('204', answer('204 No Content', ['X-A: 1'])),
  answered('304 with a length', answer('304 Not Modified', ['ETag: "a"', 'Content-Length: 1234'])),
  answered('304 to HEAD', answer('304 Not Modified', ['ETag: "a"']), { method: 'HEAD' }),
  answered('HEAD with chunked', answer('200 OK', ['Transfer-Encoding: chunked']), { method: 'HEAD' }),
  answered('HEAD without framing', answer('200 OK', ['X-A: 1']), { method: 'HEAD' }),
  answered('206 with two ranges', answer('206 Partial Content', ['Content-Type: multipart/byteranges; boundary=x', 'Content-Length: 5'], '--x--')),
  answered('no reason', answer('200 ', ['Content-Length: 0'])),
  answered('an own status and reason', answer('799 caf\xe9 \t au lait', ['Content-Length: 0'])),
  answered('redirect', answer('301 Moved Permanently', ['Location: //x/%7e?#f', 'Content-Length: 0'])),
  answered('cookies', sized('ok', ['Set-Cookie: a=b; Path=/; HttpOnly', 'set-cookie: c="d,e"', 'Set-Cookie:'])),
  answered('odd space in fields', sized('ok', ['A:1', 'B:   2  ', 'C:\t3', 'X-Latin: \xe9\xff', 'Date:'])),
  answered('chunks', answer('200 OK', ['Transfer-Encoding: chunked'], chunked('a', allOctets))),
  answered('chunks with extensions and trailers', answer('200 OK', ['Transfer-Encoding: chunked', 'Trailer: X-Sum'], '003;x=y\r\nabc\r\n0;z\r\nX-Sum: 1\r\n\r\n')),
  answered('until the end', answer('200 OK', ['X-A: 1'], big(5000), { closes: true })),
  answered('until the end, nothing', answer('200 OK', [], '', { closes: true })),
  answered('3 MB', sized(big(3_000_000))),
  answered('one octet at a time', sized('hello', ['X-A: 1'], { pieces: [1] })),
  answered('chunks, one octet at a time', answer('200 OK', ['Transfer-Encoding: chunked'], '5;e=1\r\nhello\r\n0\r\nT: 1\r\n\r\n', { pieces: [1] })),
  answered('events', answer('200 OK', ['Content-Type: text/event-stream', 'Transfer-Encoding: chunked'], chunked('data: 1\n\n', 'data: 2\n\n'), { pieces: [100, 9] })),
  answered('an error', answer('500 Internal Server Error', ['Retry-After: 1', 'Content-Length: 4'], 'oops')),
  answered('an upgrade that is offered', answer('426 Upgrade Required', ['Upgrade: HTTP/2.0', 'Connection: Upgrade', 'Content-Length: 0'])),
]; // prettier-ignore

const oldClients = [
  single('1.0', { version: '1.0', answer: sized('ok', ['Connection: close'], { closes: true }) }),
  single('1.0 without Host', { version: '1.0', lines: [], answer: sized('ok', ['Connection: close'], { closes: true }) }),
  single('1.0 and an answer until the end', { version: '1.0', answer: answer('200 OK', [], 'all of it', { closes: true }) }),
  single('1.0 with a body', { version: '1.0', method: 'POST', lines: [host, 'Content-Length: 3'], body: 'abc', answer: sized('ok', ['Connection: close'], { closes: true }) }),
  {
    name: '1.0 that keeps its connection',
    requests: ['/1', '/2'].map((target) =>
      ask({ version: '1.0', target, lines: [host, 'Connection: keep-alive'], answer: sized('ok', ['Connection: keep-alive']) }),
    ),
    pipelined: false,
    pieces: whole,
  },
  answered('an origin of 1.0', { ...answer('200 OK', [], 'ten octets', { closes: true }), head: 'HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\n' }),
]; // prettier-ignore

const sequences: DifferentialCase[] = [
  {
    name: 'ten in a row on one connection',
    requests: Array.from({ length: 10 }, (_, index) => ask({ target: `/${index}`, answer: sized(`${index}`.repeat(index)) })),
    pipelined: false,
    pieces: whole,
  },
  {
    name: 'ten pipelined',
    requests: Array.from({ length: 10 }, (_, index) => ask({ target: `/${index}`, answer: sized(`${index}`.repeat(index * 100)) })),
    pipelined: true,
    pieces: whole,
  },
  {
    name: 'pipelined with bodies of all kinds, one octet at a time',
    requests: [
      ask({ method: 'POST', lines: [host, 'Content-Length: 3'], body: 'abc' }),
      ask({ method: 'HEAD', answer: answer('200 OK', ['Content-Length: 9']) }),
      ask({ method: 'POST', lines: [host, 'Transfer-Encoding: chunked'], body: chunked('de', 'f'), before: '\r\n' }),
      ask({ answer: answer('204 No Content') }),
      ask({ answer: answer('200 OK', ['Transfer-Encoding: chunked'], chunked('x', 'y')) }),
      ask({ lines: [host, 'Connection: close'], answer: sized('last') }),
    ],
    pipelined: true,
    pieces: [1],
  },
  {
    name: 'pipelined behind a large answer',
    requests: [ask({ answer: sized(big(2_000_000)) }), ask({ target: '/2' })],
    pipelined: true,
    pieces: whole,
  },
]; // prettier-ignore

const asterisk = single('OPTIONS *', { method: 'OPTIONS', target: '*' });

export const writtenCases: readonly DifferentialCase[] = [
  ...methods,
  ...targets,
  ...odd,
  ...hopByHop,
  ...bodies,
  ...expects,
  ...answers,
  ...oldClients,
  ...sequences,
  asterisk,
];
