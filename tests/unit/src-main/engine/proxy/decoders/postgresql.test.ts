import { describe, expect, it } from 'vitest';
import { messageTextLimit } from '#shared/flow/message.ts';
import type { MessageDraft } from '../../../../../../src-main/engine/proxy/decoders/decoder.ts';
import { postgresql } from '../../../../../../src-main/engine/proxy/decoders/postgresql.ts';
import { hidePasswords } from '../../../../../../src-main/engine/proxy/decoders/postgresql/hidden-passwords.ts';
import {
  waitingLimit,
  waitingTextLimit,
} from '../../../../../../src-main/engine/proxy/decoders/postgresql/session.ts';
import { Tally } from '../../../../../../src-main/engine/proxy/decoders/postgresql/tally.ts';
import { decode, from, octets } from '../../../../../support/decoded.ts';
import type { Passed } from '../../../../../support/decoding-relay.ts';

type Part = string | number | Buffer;

/** A number is an Int16, a text ends with a NUL. */
function payload(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(`${part}\0`);
      return typeof part === 'number' ? Buffer.of(part >> 8, part & 0xff) : part;
    }),
  );
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function message(type: string, ...parts: Part[]): Buffer {
  const body = payload(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function untyped(code: number, ...parts: Part[]): Buffer {
  const body = payload(parts);
  return Buffer.concat([int32(body.length + 8), int32(code), body]);
}

const startup = untyped(
  0x30000,
  'user',
  'app',
  'database',
  'shop',
  'application_name',
  'orders',
  Buffer.of(0),
);
const ready = (state = 'I'): Buffer => message('Z', Buffer.from(state));
const begun: readonly Passed[] = [
  from('request', startup),
  from('response', message('R', int32(0)), message('K', int32(7), int32(8)), ready()),
];
const error = (code: string, text: string, severity = 'ERROR'): Buffer =>
  message(
    'E',
    Buffer.from('S'),
    severity,
    Buffer.from('V'),
    severity,
    Buffer.from('C'),
    code,
    Buffer.from('M'),
    text,
    Buffer.of(0),
  );
const parse = (name: string, text: string): Buffer => message('P', name, text, 0);
const bind = (portal: string, statement: string, parameters = 0): Buffer =>
  message(
    'B',
    portal,
    statement,
    0,
    parameters,
    ...Array.from({ length: parameters }, () => Buffer.concat([int32(6), Buffer.from('hidden')])),
    0,
  );
const describePortal = message('D', Buffer.from('P'), '');
const execute = (portal = '', limit = 0): Buffer => message('E', portal, int32(limit));
const sync = message('S');
const parsed = message('1');
const bound = message('2');
const noData = message('n');
const complete = (tag: string): Buffer => message('C', tag);

/** What is told after the connection has been made; also octet by octet. */
function told(...passed: Passed[]): MessageDraft[] {
  const whole = decode(postgresql, [...begun, ...passed]);
  expect(decode(postgresql, [...begun, ...passed], octets)).toEqual(whole);
  return whole.messages.slice(1) as MessageDraft[];
}

describe('how a connection begins', () => {
  it('with a session: who, where, how it was let in', () => {
    expect(decode(postgresql, begun).messages).toEqual([
      {
        type: 'command',
        direction: 'request',
        at: 0,
        durationMs: 1,
        sizeBytes: startup.length - 4,
        text: 'connect as app to shop (orders)',
        truncated: false,
        summary: 'no password asked for',
        error: null,
      },
    ]);
  });

  it('version 3.2 and what a server does not know of it', () => {
    const { messages, isLost } = decode(postgresql, [
      from('request', untyped(0x30002, 'user', 'app', '_pq_.x', 'y', Buffer.of(0))),
      from('response', message('v', int32(0x30000), int32(0)), message('R', int32(0)), ready()),
    ]);
    expect(isLost).toBe(false);
    expect(messages).toMatchObject([{ text: 'connect as app to app' }]);
  });

  it.each([
    ['SSLRequest', 80_877_103],
    ['GSSENCRequest', 80_877_104],
  ])('%s that is answered with no goes on', (_, code) => {
    const passed = [from('request', untyped(code)), from('response', 'N'), ...begun];
    expect(decode(postgresql, passed)).toMatchObject({
      isLost: false,
      messages: [{ text: 'connect as app to shop (orders)' }],
    });
  });

  it.each([
    [80_877_103, 'S'],
    [80_877_104, 'G'],
  ])('what is encrypted is said to be, once, and nothing more', (code, yes) => {
    const passed = [
      from('request', untyped(code)),
      from('response', yes),
      from('request', '\x16\x03\x01 anything'),
      ...begun,
    ];
    const { messages, isLost } = decode(postgresql, passed);
    expect(isLost).toBe(true);
    expect(messages).toEqual([
      expect.objectContaining({ type: 'notice', text: 'Not read from here on: what follows is encrypted.' }),
    ]);
  });

  it('a server that answers SSLRequest with an error', () => {
    const { messages } = decode(postgresql, [
      from('request', untyped(80_877_103)),
      from('response', error('53300', 'sorry, too many clients already', 'FATAL')),
    ]);
    expect(messages).toMatchObject([
      { type: 'notice', error: 'FATAL 53300: sorry, too many clients already' },
    ]);
  });

  it('a cancel request, without its key', () => {
    const { messages } = decode(postgresql, [
      from('request', untyped(80_877_102, int32(4711), int32(99_999))),
    ]);
    expect(messages).toMatchObject([
      { type: 'command', text: 'cancel what process 4711 does', durationMs: null },
    ]);
    expect(JSON.stringify(messages)).not.toContain('99999');
  });

  it('passwords and SASL are not looked at', () => {
    const { messages } = decode(postgresql, [
      from('request', startup),
      from('response', message('R', int32(3))),
      from('request', message('p', 'open sesame')),
      from('response', error('28P01', 'password authentication failed for user "app"', 'FATAL')),
    ]);
    expect(messages).toMatchObject([
      {
        summary: 'password in clear',
        error: 'FATAL 28P01: password authentication failed for user "app"',
        durationMs: 3,
      },
    ]);
    expect(JSON.stringify(messages)).not.toContain('sesame');
  });

  it('recognised by the number of its version, nothing else', () => {
    expect(postgresql.recognise(startup, 1)).toBe('yes');
    expect(postgresql.recognise(untyped(0x20000, ''), 5432)).toBe('no');
    expect(postgresql.recognise(Buffer.from('GET / HTTP/1.1\r\n'), 5432)).toBe('no');
    expect(postgresql.recognise(Buffer.from('*1\r\n'), 5432)).toBe('no');
    expect(postgresql.recognise(startup.subarray(0, 7), 1)).toBe('more');
  });
});

describe('simple queries', () => {
  it('several statements are one message with one sum', () => {
    expect(
      told(
        from('request', message('Q', 'BEGIN; SELECT 1; SELECT 2; COMMIT')),
        from(
          'response',
          complete('BEGIN'),
          message('T', 0),
          message('D', 0),
          complete('SELECT 1'),
          message('D', 0),
          complete('SELECT 1'),
        ),
        from('response', complete('COMMIT'), ready()),
      ),
    ).toMatchObject([{ at: 2, durationMs: 2, summary: '4 statements: BEGIN, 2 rows, COMMIT', error: null }]);
  });

  it('an empty one; one that fails half-way; one in a transaction; one without an answer', () => {
    expect(
      told(
        from('request', message('Q', '')),
        from('response', message('I'), ready()),
        from('request', message('Q', 'INSERT INTO t VALUES (1); SELECT 1/0')),
        from('response', complete('INSERT 0 1'), error('22012', 'division by zero'), ready('T')),
        from('request', message('Q', 'SELECT 2')),
        from('response', complete('SELECT 1'), ready('T')),
        from('request', message('Q', 'SELECT pg_sleep(100)')),
      ),
    ).toMatchObject([
      { text: '', summary: 'empty query' },
      { summary: '1 row inserted', error: 'ERROR 22012: division by zero', durationMs: 1 },
      { summary: '1 row, in a transaction' },
      { text: 'SELECT pg_sleep(100)', durationMs: null, summary: 'no answer, in a transaction' },
    ]);
  });

  it('a text beyond the limit is cut at a whole character, the rest walked past', () => {
    const long = `SELECT '${'ü'.repeat(100_000)}'`;
    const [first, next] = told(
      from('request', message('Q', long), message('Q', 'SELECT 2')),
      from('response', complete('SELECT 1'), ready(), complete('SELECT 1'), ready()),
    );
    expect(first).toMatchObject({ truncated: true, sizeBytes: Buffer.byteLength(long) + 1 });
    expect(long.startsWith(first?.text ?? '-')).toBe(true);
    expect(Buffer.byteLength(first?.text ?? '')).toBeGreaterThan(messageTextLimit - 4);
    expect(next).toMatchObject({ text: 'SELECT 2', truncated: false });
  });

  it('NOTIFY, a notice, a function call, a session that is ended', () => {
    expect(
      told(
        from('response', message('A', int32(12), 'jobs', 'new')),
        from(
          'response',
          message(
            'N',
            Buffer.from('S'),
            'WARNUNG',
            Buffer.from('V'),
            'WARNING',
            Buffer.from('C'),
            '01000',
            Buffer.from('M'),
            'mind',
            Buffer.of(0),
          ),
        ),
        from('request', message('F', int32(1234), 0, 0, 0)),
        from('response', message('V', int32(0)), ready()),
        from('response', error('57P01', 'terminating connection due to administrator command', 'FATAL')),
      ),
    ).toMatchObject([
      { type: 'notice', direction: 'response', text: 'new', summary: 'NOTIFY jobs from process 12' },
      { type: 'notice', text: 'mind', summary: 'WARNING 01000' },
      { type: 'command', text: 'call of function 1234', summary: 'returned' },
      { type: 'notice', error: 'FATAL 57P01: terminating connection due to administrator command' },
    ]);
  });

  it('text of a session in LATIN1', () => {
    expect(
      told(
        from('response', message('S', 'client_encoding', 'LATIN1')),
        from('request', message('Q', Buffer.from("SELECT 'grün'\0", 'latin1'))),
        from('response', complete('SELECT 1'), ready()),
      ),
    ).toMatchObject([{ text: "SELECT 'grün'" }]);
  });
});

describe('the extended protocol', () => {
  it('what comes together is one message: the statement, never its parameters', () => {
    const messages = told(
      from('request', parse('', 'SELECT $1, $2'), bind('', '', 2), describePortal, execute(), sync),
      from('response', parsed, bound, noData, message('D', 0), complete('SELECT 1'), ready()),
    );
    expect(messages).toMatchObject([
      { text: 'SELECT $1, $2', summary: '1 row, 2 parameters', at: 2, durationMs: 1 },
    ]);
    expect(JSON.stringify(messages)).not.toContain('hidden');
  });

  it('one that is prepared first, and then run twice in one pipeline', () => {
    expect(
      told(
        from('request', parse('s1', 'SELECT $1'), sync),
        from('response', parsed, ready()),
        from('request', bind('', 's1', 1), execute(), bind('', 's1', 1), execute(), sync),
        from('response', bound, complete('SELECT 1'), bound, complete('SELECT 2'), ready()),
      ),
    ).toMatchObject([
      { text: 'SELECT $1', summary: 'prepared, as s1' },
      { text: 'SELECT $1', summary: '1 row, 1 parameter, statement s1' },
      { text: 'SELECT $1', summary: '2 rows, 1 parameter, statement s1' },
    ]);
  });

  it('a portal that is read in parts', () => {
    expect(
      told(
        from('request', parse('', 'SELECT * FROM t'), bind('c1', ''), execute('c1', 2), sync),
        from('response', parsed, bound, message('D', 0), message('D', 0), message('s'), ready('T')),
        from('request', execute('c1', 2), message('C', Buffer.from('P'), 'c1'), sync),
        from('response', message('D', 0), complete('SELECT 1'), message('3'), ready()),
      ),
    ).toMatchObject([
      { text: 'SELECT * FROM t', summary: '2 rows, more to come, portal c1' },
      { text: 'SELECT * FROM t', summary: '1 row, in a transaction, portal c1' },
    ]);
  });

  it('after an error nothing runs up to the Sync, also what comes after it', () => {
    expect(
      told(
        from(
          'request',
          parse('', 'SELEC'),
          bind('', ''),
          execute(),
          parse('', 'SELECT 1'),
          bind('', ''),
          execute(),
        ),
        from('response', error('42601', 'syntax error')),
        from(
          'request',
          parse('', 'SELECT 2'),
          bind('', ''),
          execute(),
          sync,
          parse('', 'SELECT 3'),
          bind('', ''),
          execute(),
          sync,
        ),
        from('response', ready(), parsed, bound, complete('SELECT 1'), ready()),
      ),
    ).toMatchObject([
      { text: 'SELEC', error: 'ERROR 42601: syntax error', durationMs: 1 },
      { text: 'SELECT 1', error: 'not run: something before it in its pipeline failed', durationMs: null },
      { text: 'SELECT 2', error: 'not run: something before it in its pipeline failed' },
      { text: 'SELECT 3', summary: '1 row', error: null },
    ]);
  });

  it('a constraint that fails when the Sync commits', () => {
    expect(
      told(
        from('request', parse('', 'INSERT'), bind('', ''), execute(), sync),
        from(
          'response',
          parsed,
          bound,
          complete('INSERT 0 1'),
          error('23503', 'violates foreign key'),
          ready(),
        ),
      ),
    ).toMatchObject([
      { summary: '1 row inserted' },
      { type: 'notice', error: 'ERROR 23503: violates foreign key' },
    ]);
  });

  it('a statement that was prepared before it could be seen', () => {
    expect(
      told(
        from('request', bind('', 'old'), execute(), sync),
        from('response', bound, complete('SELECT 1'), ready()),
      ),
    ).toMatchObject([{ text: 'statement old', summary: '1 row' }]);
  });
});

describe('COPY', () => {
  const data = message('d', Buffer.alloc(100));

  it('in, with a Sync that the server passes over', () => {
    expect(
      told(
        from('request', parse('', 'COPY t FROM STDIN'), bind('', ''), execute(), sync),
        from('response', parsed, bound, message('G', Buffer.of(0), 0)),
        from('request', data, sync, data, message('c'), sync),
        from('response', complete('COPY 20'), ready()),
        from('request', message('Q', 'SELECT 1')),
        from('response', complete('SELECT 1'), ready()),
      ),
    ).toMatchObject([
      { text: 'COPY t FROM STDIN', summary: '20 rows copied, 200 bytes in' },
      { summary: '1 row' },
    ]);
  });

  it('in, given up by the client', () => {
    expect(
      told(
        from('request', message('Q', 'COPY t FROM STDIN')),
        from('response', message('G', Buffer.of(0), 0)),
        from('request', data, message('f', 'no more')),
        from('response', error('57014', 'COPY from stdin failed: no more'), ready()),
      ),
    ).toMatchObject([{ summary: '100 bytes in', error: 'ERROR 57014: COPY from stdin failed: no more' }]);
  });

  it('out, and both ways for as long as it lasts', () => {
    expect(
      told(
        from('request', message('Q', 'COPY t TO STDOUT')),
        from(
          'response',
          message('H', Buffer.of(0), 0),
          data,
          data,
          message('c'),
          complete('COPY 2'),
          ready(),
        ),
        from('request', message('Q', 'START_REPLICATION')),
        from('response', message('W', Buffer.of(0), 0), data),
        from('request', data),
      ),
    ).toMatchObject([
      { summary: '2 rows copied, 200 bytes out' },
      { summary: 'no answer, 200 bytes streamed', durationMs: null },
    ]);
  });
});

describe('bounds', () => {
  it('a message of 256 MiB is walked past, and nothing of it kept', () => {
    const messages: MessageDraft[] = [];
    const decoder = postgresql.create((one) => messages.push(one));
    for (const { direction, bytes } of begun) decoder.bytes(direction, bytes, 0);
    decoder.bytes('request', message('Q', 'SELECT large'), 1);
    const chunk = Buffer.alloc(65_536, 'D');
    decoder.bytes('response', Buffer.concat([Buffer.from('D'), int32(4 + 4_096 * chunk.length)]), 2);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 4_096; i++) decoder.bytes('response', chunk, 3);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 22);
    decoder.bytes('response', Buffer.concat([complete('SELECT 1'), ready()]), 4);
    expect(messages[1]).toMatchObject({ summary: '1 row', durationMs: 3 });
  });

  it('texts that wait are bounded in all; what is answered makes room again', () => {
    const text = (i: number): string => `SELECT ${i}${' '.repeat(60_000)}`;
    const ask = (i: number): Passed => from('request', message('Q', text(i)));
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    const answered = numbers.flatMap((i) => [ask(i), from('response', complete('SELECT 1'), ready())]);
    const waiting = numbers.map((i) => ask(i));
    const { messages } = decode(postgresql, [...begun, ...answered, ...waiting]);
    const texts = messages.slice(1).map((one) => one.text ?? '');
    expect(texts.slice(0, 100)).toEqual(numbers.map(text));
    const kept = texts.slice(100).filter((one) => one !== '');
    expect(kept).toHaveLength(Math.floor(waitingTextLimit / text(99).length));
    expect(messages.at(-1)).toMatchObject({ text: '', truncated: true, summary: 'no answer' });
  });

  it('more that waits than is kept: told, and given up', () => {
    const many = Buffer.concat(Array.from({ length: waitingLimit + 1 }, () => sync));
    const { isLost, messages } = decode(postgresql, [...begun, from('request', many)]);
    expect(isLost).toBe(true);
    expect(messages.at(-1)?.text).toBe('Not read from here on: more than 32768 messages wait for an answer.');
  });

  it.each<[string, Passed]>([
    ['a type that there is not', from('request', message('y'))],
    ['a length under four', from('request', Buffer.of(0x51, 0, 0, 0, 3))],
    ['a length beyond what any server takes', from('response', Buffer.from('D\xff\xff\xff\xff', 'latin1'))],
    ['an answer to nothing', from('response', complete('SELECT 1'))],
    ['ParseComplete for nothing', from('response', parsed)],
    ['ready for nothing', from('response', ready())],
  ])('given up on: %s', (_, passed) => {
    const question = from('request', sync, parse('', 'SELECT 1'));
    const decoded = decode(postgresql, [
      ...begun,
      ...(passed.direction === 'request' ? [question] : []),
      passed,
      question,
    ]);
    expect(decoded.isLost).toBe(true);
    expect(decoded.messages.at(-1)?.text).toMatch(/^Not read from here on: /);
  });
});

describe('hidePasswords', () => {
  it.each([
    ["CREATE ROLE a LOGIN PASSWORD 'geheim' CREATEDB", "CREATE ROLE a LOGIN PASSWORD '…' CREATEDB"],
    ["alter user a encrypted password E'ge\\'heim'", "alter user a encrypted password '…'"],
    ["ALTER ROLE a PASSWORD 'it''s geheim'; SELECT 'kept'", "ALTER ROLE a PASSWORD '…'; SELECT 'kept'"],
    ['ALTER ROLE a PASSWORD $x$geheim$x$', "ALTER ROLE a PASSWORD '…'"],
    [
      "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password 'geheim')",
      "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password '…')",
    ],
    [
      "CREATE SUBSCRIPTION s CONNECTION 'host=db password=geheim dbname=x' PUBLICATION p",
      "CREATE SUBSCRIPTION s CONNECTION 'host=db password=… dbname=x' PUBLICATION p",
    ],
    ["UPDATE users SET password = 'geheim' WHERE id = 1", "UPDATE users SET password = '…' WHERE id = 1"],
    ["ALTER ROLE a PASSWORD 'cut off in the mid", "ALTER ROLE a PASSWORD '…'"],
    ['SELECT password FROM users WHERE password = $1', 'SELECT password FROM users WHERE password = $1'],
    ["SELECT 'word'", "SELECT 'word'"],
  ])('%s', (statement, shown) => {
    expect(hidePasswords(statement)).toBe(shown);
  });
});

it.each([
  [['SELECT 0'], '0 rows'],
  [['INSERT 0 1'], '1 row inserted'],
  [['CREATE TABLE'], 'CREATE TABLE'],
  [['SELECT 2', 'SELECT 3', 'DELETE 4'], '3 statements: 5 rows, 4 rows deleted'],
  [['SET', 'SET'], '2 statements: 2 × SET'],
  [
    Array.from({ length: 20 }, (_, i) => `TAG ${'x'.repeat(i)}`),
    /^20 statements: (TAG x*(, )?){8}, 12 others$/,
  ],
])('the tally of %j', (tags, expected) => {
  const tally = new Tally();
  for (const tag of tags) tally.add(tag);
  expect(tally.toString()).toMatch(expected);
});
