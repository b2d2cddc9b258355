import { cutUtf8 } from '../shown.ts';

/** Octets of one argument that are shown. */
export const argumentLimit = 256;

/** An argument as redis-cli writes it: in quotes with escapes where it is not one plain word. */
export function shownArgument(bytes: Buffer, start: number, end: number, size: number): string {
  const isCut = end - start < size;
  const text = isCut ? cutUtf8(bytes, start, end) : bytes.toString('utf8', start, end);
  const more = isCut ? '…' : '';
  if (/^[^\s"'\\\p{C}\ufffd]+$/u.test(text)) return text + more;
  if (/[\p{C}\ufffd]/u.test(text)) return `"${escaped(bytes.toString('latin1', start, end))}${more}"`;
  return `"${text.replace(/["\\]/g, '\\$&')}${more}"`;
}

const named: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
};

function escaped(octets: string): string {
  return octets.replace(
    /[^ -~]|["\\]/g,
    (octet) => named[octet] ?? `\\x${octet.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

const word = /\s*(?:"((?:[^"\\]|\\[^])*)(?:"|$)|'((?:[^'\\]|\\[^])*)(?:'|$)|(\S+))/y;

/** The words of an inline command; quotes keep spaces in one. Escapes stay as they are. */
export function inlineArguments(line: string): string[] {
  const words: string[] = [];
  word.lastIndex = 0;
  for (let match = word.exec(line); match !== null && match[0] !== ''; match = word.exec(line)) {
    words.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return words;
}
