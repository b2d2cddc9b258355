/**
 * What of a command's arguments is shown: its sub-command and its keys, no values. A command that is not here is shown
 * with its first argument, which is the key of nearly all of them.
 */
export interface CommandSpec {
  /** In capitals. */
  readonly name: string;
  /** Arguments that are shown, from the first one. */
  readonly shown: number;
  /** What its answers need; `plain`: nothing, there is one. */
  readonly answers: 'plain' | 'subscription' | 'monitor' | 'reset' | 'replication' | 'client' | 'protocol';
}

/** Of commands that take nothing but keys, channels or patterns as many are shown. */
export const shownArgumentsLimit = 16;

const all = shownArgumentsLimit;

/** By the number of arguments that are shown. */
const shown: Readonly<Record<number, string>> = {
  0: 'AUTH EVAL EVAL_RO EVALSHA EVALSHA_RO ECHO PING',
  2: [
    'ACL CLIENT CLUSTER COMMAND CONFIG DEBUG LATENCY MEMORY MODULE OBJECT PUBSUB SENTINEL SLOWLOG XGROUP XINFO',
    'HGET HSET HSETNX HEXISTS HSTRLEN HINCRBY HINCRBYFLOAT COPY RENAME RENAMENX SMOVE RPOPLPUSH BRPOPLPUSH LMOVE BLMOVE',
    'EXPIRE PEXPIRE EXPIREAT PEXPIREAT GETBIT INCRBY DECRBY LINDEX SETBIT LPOP RPOP SPOP SRANDMEMBER BITOP',
    'SWAPDB',
  ].join(' '),
  3: 'LRANGE LTRIM GETRANGE SETRANGE SCAN ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE HSCAN SSCAN ZSCAN MIGRATE WAITAOF',
  [all]: [
    'MGET DEL UNLINK EXISTS TOUCH WATCH HMGET HDEL SDIFF SINTER SUNION SDIFFSTORE SINTERSTORE SUNIONSTORE PFCOUNT PFMERGE',
    'BLPOP BRPOP BZPOPMIN BZPOPMAX LMPOP BLMPOP ZMPOP BZMPOP XREAD XREADGROUP XRANGE XREVRANGE XACK XPENDING',
    'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE KEYS INFO FLUSHALL FLUSHDB WAIT SELECT TYPE TTL',
    'ZUNION ZINTER ZDIFF ZUNIONSTORE ZINTERSTORE ZDIFFSTORE',
  ].join(' '),
};

const answers: Readonly<Record<string, CommandSpec['answers']>> = {
  SUBSCRIBE: 'subscription',
  PSUBSCRIBE: 'subscription',
  SSUBSCRIBE: 'subscription',
  UNSUBSCRIBE: 'subscription',
  PUNSUBSCRIBE: 'subscription',
  SUNSUBSCRIBE: 'subscription',
  MONITOR: 'monitor',
  RESET: 'reset',
  SYNC: 'replication',
  PSYNC: 'replication',
  CLIENT: 'client',
  HELLO: 'protocol',
};

const specs = new Map<string, CommandSpec>();
for (const [count, names] of Object.entries(shown)) {
  for (const name of names.split(' ')) specs.set(name, spec(name, Number(count)));
}
// HELLO: the version of the protocol; what may follow is AUTH.
for (const name of [
  ...Object.keys(answers),
  'HELLO',
  'GET',
  'SET',
  'INCR',
  'LPUSH',
  'RPUSH',
  'SADD',
  'ZADD',
]) {
  if (!specs.has(name)) specs.set(name, spec(name, 1));
}
for (const [name, known] of [...specs]) specs.set(name.toLowerCase(), known);

function spec(name: string, count: number): CommandSpec {
  return { name, shown: count, answers: answers[name] ?? 'plain' };
}

/** Of names of up to six octets, by these as one number: the most frequent commands are found without making a text. */
const shortSpecs = new Map<number, CommandSpec>();
for (const [name, known] of specs)
  if (name.length <= 6) shortSpecs.set(shortKey(Buffer.from(name), 0, name.length), known);

function shortKey(bytes: Buffer, start: number, end: number): number {
  let key = 0;
  for (let at = start; at < end; at++) key = key * 256 + (bytes[at] as number);
  return key;
}

/** As `commandSpec`, of a name as it was sent. */
export function commandSpecIn(bytes: Buffer, start: number, end: number): CommandSpec {
  const known = end - start <= 6 ? shortSpecs.get(shortKey(bytes, start, end)) : undefined;
  return known ?? commandSpec(bytes.toString('latin1', start, end));
}

/** @param name As it was sent: names are the same in small letters and in capitals. */
export function commandSpec(name: string): CommandSpec {
  const upper = specs.get(name) ?? specs.get(name.toUpperCase());
  return upper ?? spec(name.toUpperCase(), 1);
}
