import { describe, expect, it } from 'vitest';
import type { MessageDraft } from '../../../../../../src-main/engine/proxy/decoders/decoder.ts';
import { redis } from '../../../../../../src-main/engine/proxy/decoders/redis.ts';
import { waitingLimit } from '../../../../../../src-main/engine/proxy/decoders/redis/conversation.ts';
import { decode, from, octets } from '../../../../../support/decoded.ts';
import type { Passed } from '../../../../../support/decoding-relay.ts';

function command(...words: (string | Buffer)[]): Buffer {
  const parts = words.map((word) =>
    Buffer.concat([Buffer.from(`$${Buffer.byteLength(word)}\r\n`), Buffer.from(word), Buffer.from('\r\n')]),
  );
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}

const ask = (...words: (string | Buffer)[]): Passed => from('request', command(...words));
const answer = (...parts: string[]): Passed => from('response', ...parts);

function told(...passed: Passed[]): MessageDraft[] {
  const whole = decode(redis, passed);
  expect(decode(redis, passed, octets)).toEqual(whole);
  expect(whole.isLost).toBe(false);
  return whole.messages as MessageDraft[];
}

describe('what is shown of a command', () => {
  it.each([
    [['SET', 'user:1', 'secret', 'EX', '10'], 'SET user:1 …'],
    [['set', 'user:1', 'secret'], 'SET user:1 …'],
    [['GET', 'a b'], 'GET "a b"'],
    [['GET', 'grün'], 'GET grün'],
    [['GET', 'a"\0\n'], 'GET "a\\"\\x00\\n"'],
    [['GET', ''], 'GET ""'],
    [['HSET', 'h', 'field', 'secret'], 'HSET h field …'],
    [['HGET', 'h', 'field'], 'HGET h field'],
    [['MGET', 'a', 'b', 'c'], 'MGET a b c'],
    [['MGET', ...Array.from({ length: 20 }, (_, i) => `k${i}`)], /^MGET k0 k1 .* k15 …$/],
    [['AUTH', 'secret'], 'AUTH …'],
    [['AUTH', 'user', 'secret'], 'AUTH …'],
    [['HELLO', '3', 'AUTH', 'user', 'secret'], 'HELLO 3 …'],
    [['CONFIG', 'SET', 'requirepass', 'secret'], 'CONFIG SET requirepass …'],
    [['ACL', 'SETUSER', 'app', '>secret'], 'ACL SETUSER app …'],
    [['MIGRATE', 'db', '6379', 'k', '0', '5', 'AUTH', 'secret'], 'MIGRATE db 6379 k …'],
    [['PUBLISH', 'news', 'secret'], 'PUBLISH news …'],
    [['EVAL', 'return "secret"', '0'], 'EVAL …'],
    [['MODULE.CMD', 'k', 'secret'], 'MODULE.CMD k …'],
    [['PING'], 'PING'],
  ])('%j', (words, text) => {
    const [message] = told(ask(...words), answer('+OK\r\n'));
    expect(message?.text).toMatch(
      typeof text === 'string' ? new RegExp(`^${text.replace(/[\\^$.*+?()[\]{}|"]/g, '\\$&')}$`) : text,
    );
    expect(JSON.stringify(message)).not.toContain('secret');
  });

  it('a long key is cut, and said to be', () => {
    const [message] = told(ask('GET', 'k'.repeat(10_000)), answer('$-1\r\n'));
    expect(message).toMatchObject({ text: `GET ${'k'.repeat(256)}…`, truncated: true, sizeBytes: 10_003 });
  });
});

describe('what came of it', () => {
  it.each([
    ['+OK\r\n', 'OK'],
    [':12\r\n', '12'],
    ['$5\r\nhello\r\n', '5 bytes'],
    ['$0\r\n\r\n', '0 bytes'],
    ['$-1\r\n', 'nil'],
    ['*-1\r\n', 'nil'],
    ['_\r\n', 'nil'],
    ['*0\r\n', '0 items'],
    ['*2\r\n*1\r\n:1\r\n$1\r\n\n\r\n', '2 items'],
    ['*3\r\n-ERR a\r\n+OK\r\n-ERR b\r\n', '3 items, 2 errors'],
    ['%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n+c\r\n', '2 pairs'],
    ['~1\r\n+a\r\n', '1 item'],
    [',1.5\r\n', '1.5'],
    ['#t\r\n', 'true'],
    ['#f\r\n', 'false'],
    ['(3492890328409238509324850943850943825024385\r\n', '3492890328409238509324850943850943825024385'],
    ['=8\r\ntxt:some\r\n', '8 bytes'],
    ['|1\r\n+ttl\r\n:5\r\n+OK\r\n', 'OK'],
    ['*2\r\n|1\r\n+ttl\r\n:5\r\n+a\r\n+b\r\n', '2 items'],
    [`+${'x'.repeat(5_000)}\r\n`, `${'x'.repeat(127)}…`],
  ])('%j', (bytes, summary) => {
    expect(told(ask('GET', 'a'), answer(bytes), ask('PING'), answer('+PONG\r\n'))).toMatchObject([
      { text: 'GET a', summary, error: null, durationMs: 1 },
      { text: 'PING', summary: 'PONG' },
    ]);
  });

  it.each([
    ['-WRONGTYPE no\r\n', 'WRONGTYPE no'],
    ['!9\r\nSYNTAX no\r\n', 'error of 9 bytes'],
  ])('%j is an error', (bytes, error) => {
    expect(told(ask('GET', 'a'), answer(bytes))).toMatchObject([{ summary: '', error }]);
  });

  it('pipelined, in a transaction, without an answer', () => {
    expect(
      told(
        from('request', command('MULTI'), command('INCR', 'n'), command('EXEC'), command('BLPOP', 'q', '0')),
        answer('+OK\r\n+QUEUED\r\n*1\r\n:1\r\n'),
      ),
    ).toMatchObject([
      { text: 'MULTI', summary: 'OK' },
      { text: 'INCR n', summary: 'QUEUED' },
      { text: 'EXEC', summary: '1 item' },
      { text: 'BLPOP q 0', summary: 'no answer', durationMs: null },
    ]);
  });
});

describe('what a server says unasked', () => {
  it('RESP2: messages, confirmations one by one, a ping among them', () => {
    expect(
      told(
        ask('SUBSCRIBE', 'a', 'b'),
        answer(
          '*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n',
          '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$6\r\nsecret\r\n',
        ),
        answer('*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n'),
        ask('PING'),
        answer('*2\r\n$4\r\npong\r\n$0\r\n\r\n'),
        ask('UNSUBSCRIBE'),
        answer('*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n'),
        ask('LRANGE', 'l', '0', '-1'),
        answer('*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n'),
      ),
    ).toMatchObject([
      { type: 'notice', direction: 'response', text: 'message a', summary: '6 bytes' },
      { text: 'SUBSCRIBE a b', summary: '2 channels' },
      { text: 'PING', summary: '2 items' },
      { text: 'UNSUBSCRIBE', summary: '2 channels' },
      { type: 'command', text: 'LRANGE l 0 -1', summary: '3 items' },
    ]);
  });

  it('RESP3: pushes between answers; an array that looks like a message is an answer', () => {
    expect(
      told(
        ask('SUBSCRIBE', 'a'),
        answer('>3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n'),
        ask('LRANGE', 'l', '0', '-1'),
        answer(
          '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n',
          '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n',
        ),
        answer('>4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$1\r\na\r\n$3\r\nabc\r\n'),
      ),
    ).toMatchObject([
      { text: 'SUBSCRIBE a' },
      { type: 'notice', text: 'invalidate' },
      { type: 'command', text: 'LRANGE l 0 -1', summary: '3 items' },
      { type: 'notice', text: 'pmessage a* a', summary: '3 bytes' },
    ]);
  });

  it('MONITOR: commands with their first argument, until RESET', () => {
    expect(
      told(
        ask('MONITOR'),
        answer('+OK\r\n+1700000000.123456 [0 127.0.0.1:5000] "set" "k" "secret"\r\n'),
        ask('RESET'),
        answer('+RESET\r\n'),
      ),
    ).toMatchObject([
      { text: 'MONITOR', summary: 'OK' },
      { type: 'notice', text: '[0 127.0.0.1:5000] "set" "k" …' },
      { text: 'RESET', summary: 'RESET' },
    ]);
  });

  it('CLIENT REPLY: what has no answer does not wait for one', () => {
    expect(
      told(
        from('request', command('CLIENT', 'REPLY', 'SKIP'), command('SET', 'a', '1'), command('GET', 'a')),
        answer('$1\r\n1\r\n'),
        from(
          'request',
          command('CLIENT', 'REPLY', 'OFF'),
          command('SET', 'b', '1'),
          command('CLIENT', 'REPLY', 'ON'),
        ),
        answer('+OK\r\n'),
      ).map(({ text, summary }) => `${text}: ${summary}`),
    ).toEqual([
      'CLIENT REPLY SKIP: no answer asked for',
      'SET a …: no answer asked for',
      'GET a: 1 byte',
      'CLIENT REPLY OFF: no answer asked for',
      'SET b …: no answer asked for',
      'CLIENT REPLY ON: OK',
    ]);
  });

  it('too many clients: an error before anything was asked', () => {
    expect(told(answer('-ERR max number of clients reached\r\n'))).toMatchObject([
      { type: 'notice', error: 'ERR max number of clients reached' },
    ]);
  });
});

describe('commands in plain words', () => {
  it('quotes, ends of lines, nothing; secrets hidden', () => {
    expect(
      told(
        from('request', 'PING\r\n\r\nset k "a secret"\nAUTH secret\r\n'),
        answer('+PONG\r\n+OK\r\n-ERR no\r\n'),
      ),
    ).toMatchObject([{ text: 'PING' }, { text: 'SET k …' }, { text: 'AUTH …', error: 'ERR no' }]);
  });
});

describe('bounds', () => {
  it('a value of 512 MiB is walked past, in both directions', () => {
    const messages: MessageDraft[] = [];
    const decoder = redis.create((one) => messages.push(one));
    const chunk = Buffer.alloc(65_536, 'v');
    const count = 8_192;
    const before = process.memoryUsage().arrayBuffers;
    decoder.bytes('request', Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${count * chunk.length}\r\n`), 1);
    for (let i = 0; i < count; i++) decoder.bytes('request', chunk, 1);
    decoder.bytes('request', Buffer.from('\r\n'), 1);
    decoder.bytes('response', Buffer.from(`$${count * chunk.length}\r\n`), 2);
    for (let i = 0; i < count; i++) decoder.bytes('response', chunk, 2);
    decoder.bytes('response', Buffer.from('\r\n'), 3);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 22);
    expect(messages).toMatchObject([{ text: 'SET k …', summary: '536870912 bytes', durationMs: 2 }]);
  });

  it('commands beyond those that may wait are counted, and answered in their turn', () => {
    const many = waitingLimit + 10;
    const messages = decode(redis, [
      from('request', ...Array.from({ length: many }, () => command('PING'))),
      answer('+PONG\r\n'.repeat(many)),
      ask('GET', 'a'),
      answer('$-1\r\n'),
    ]);
    expect(messages.isLost).toBe(false);
    expect(messages.messages).toHaveLength(waitingLimit + 2);
    expect(messages.messages.slice(-2)).toMatchObject([
      { type: 'notice', text: '10 commands not shown: too many waited for an answer at once.' },
      { type: 'command', text: 'GET a', summary: 'nil' },
    ]);
  });

  it.each<[string, Passed[]]>([
    ['no array of bulk strings', [from('request', '*1\r\n:1\r\n')]],
    ['a bulk without its end', [from('request', '*1\r\n$1\r\nabc\r\n')]],
    ['a length that is no number', [from('request', '*x\r\n')]],
    ['arrays in arrays without end', [ask('GET', 'a'), answer('*1\r\n'.repeat(65))]],
    ['a number line that does not end', [ask('GET', 'a'), answer(`:1\r\n$${'1'.repeat(100)}`)]],
    ['an unknown type', [ask('GET', 'a'), answer('?\r\n')]],
    ['an answer to nothing', [answer('+OK\r\n')]],
    ['a line in plain words without end', [from('request', 'x'.repeat(70_000))]],
    ['replication', [ask('PSYNC', '?', '-1')]],
  ])('given up on: %s', (_, passed) => {
    for (const split of [(bytes: Buffer) => [bytes], octets]) {
      const { isLost, messages } = decode(redis, [...passed, ask('PING')], split);
      expect(isLost).toBe(true);
      expect(messages.at(-1)?.text).toMatch(/^Not read from here on: /);
    }
  });
});

describe('recognition', () => {
  it.each([
    ['*1\r\n$4\r\nPING\r\n', 1, 'yes'],
    ['*1\r\n$', 1, 'more'],
    ['*1\r\n:', 1, 'no'],
    ['*0\r\n', 1, 'no'],
    ['PING\r\n', 6379, 'yes'],
    ['PING', 6379, 'more'],
    ['PING\r\n', 4222, 'no'],
    ['GET / HTTP/1.1\r\n', 80, 'no'],
    ['\x16\x03\x01', 6379, 'no'],
    ['', 6379, 'more'],
  ])('%j on port %d: %s', (first, port, expected) => {
    expect(redis.recognise(Buffer.from(first, 'latin1'), port)).toBe(expected);
  });
});
