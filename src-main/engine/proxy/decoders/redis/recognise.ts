/** Redis, Redis with TLS, Sentinel. Others speak in lines as well: a plain word is a command on these ports only. */
const redisPorts: ReadonlySet<number> = new Set([6379, 6380, 26379]);

/** Redis takes no command with more arguments (1024 * 1024). */
const mostDigits = 7;
const longestBulkDigits = 10;
const longestWord = 20;

/** An array of bulk strings, or on Redis's own ports a word: a client has the first say, so that nothing else is known. */
export function recogniseRedis(first: Buffer, port: number): 'yes' | 'no' | 'more' {
  const text = first.toString('latin1', 0, mostDigits + longestBulkDigits + longestWord);
  if (text === '') return 'more';
  if (text.startsWith('*')) return recogniseArray(text);
  if (!redisPorts.has(port)) return 'no';
  const word = /^[A-Za-z]{1,20}(?=([ \r\n])|$)/.exec(text);
  if (word === null) return 'no';
  return word[1] === undefined ? 'more' : 'yes';
}

/** `*2\r\n$3\r\n`: how it begins, as far as it is there. */
function recogniseArray(text: string): 'yes' | 'no' | 'more' {
  if (/^\*[1-9]\d{0,6}\r\n\$\d{1,10}\r\n/.test(text)) return 'yes';
  return /^\*(?:$|[1-9]\d{0,6}(?:$|\r(?:$|\n(?:$|\$(?:$|\d{1,10}(?:$|\r$))))))/.test(text) ? 'more' : 'no';
}
