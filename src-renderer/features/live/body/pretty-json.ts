const longestOnOneLine = 64;

/**
 * JSON with line breaks and indentation; small objects and lists stay on one line. Every literal stays as it was written:
 * parsing and printing it again would round large numbers and lose keys that are given twice.
 * @returns null when it is not JSON.
 */
export function prettyJson(text: string): string | null {
  try {
    JSON.parse(text);
    return new Printer(text).print();
  } catch {
    return null; // not JSON, or nested deeper than the stack: it is shown as it is
  }
}

const token = /\s*("(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+)/gsy;

/** Walks over text that is known to be JSON. */
class Printer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  print(): string {
    return this.#value(0);
  }

  #next(): string {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text);
    if (found === null) throw new SyntaxError(`no JSON token at ${this.#at}`);
    this.#at = token.lastIndex;
    return found[1] as string;
  }

  #peek(): string {
    const at = this.#at;
    const next = this.#next();
    this.#at = at;
    return next;
  }

  #value(depth: number): string {
    const first = this.#next();
    if (first === '{') return this.#container('{', '}', depth);
    if (first === '[') return this.#container('[', ']', depth);
    return first;
  }

  #container(open: string, close: string, depth: number): string {
    const parts: string[] = [];
    while (this.#peek() !== close) {
      parts.push(open === '{' ? this.#member(depth + 1) : this.#value(depth + 1));
      if (this.#peek() === ',') this.#next();
    }
    this.#next();
    if (parts.length === 0) return open + close;
    const space = open === '{' ? ' ' : '';
    const line = `${open}${space}${parts.join(', ')}${space}${close}`;
    if (depth > 0 && line.length <= longestOnOneLine && !line.includes('\n')) return line;
    const indent = '  '.repeat(depth + 1);
    return `${open}\n${indent}${parts.join(`,\n${indent}`)}\n${'  '.repeat(depth)}${close}`;
  }

  #member(depth: number): string {
    const name = this.#next();
    this.#next(); // the colon
    return `${name}: ${this.#value(depth)}`;
  }
}
