/**
 * Cuts a stream of valid HTTP/1 into its messages and keeps every byte of them. Written apart from Spike's parser, and only
 * for messages that the tests themselves have made: it checks nothing.
 */
export interface WireMessage {
  /** Start line, field lines and the empty line. */
  readonly head: string;
  /** The body as on the wire: with chunk sizes, extensions and trailers. */
  readonly body: string;
}

/** What is known of a message whose body is still to come. */
interface Framing {
  readonly kind: 'none' | 'length' | 'chunked' | 'until-close';
  readonly length: number;
}

/** The index behind the message's last byte; -1 while it has not come. */
function endOfBody(text: string, at: number, framing: Framing): number {
  if (framing.kind === 'until-close') return -1;
  if (framing.kind === 'chunked') return endOfChunks(text, at);
  return at + framing.length <= text.length ? at + framing.length : -1;
}

function endOfChunks(text: string, from: number): number {
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return -1;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    at += size + 2;
  }
  // The trailer section, which may be empty.
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return -1;
    if (lineEnd === at) return lineEnd + 2;
    at = lineEnd + 2;
  }
}

function framingOf(head: string): Framing {
  if (/\r\ntransfer-encoding:[ \t]*[^\r]*chunked/i.test(head)) return { kind: 'chunked', length: 0 };
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1];
  return length === undefined ? { kind: 'none', length: 0 } : { kind: 'length', length: Number(length) };
}

/** The status of a response's head. */
export function statusOf(head: string): number {
  return Number(/^HTTP\/\d\.\d (\d{3})/.exec(head)?.[1]);
}

/** Reads one side of a connection; the answers of a HEAD have no body, so it is told the methods. */
export class MessageSplitter {
  readonly #methods: readonly string[] | null;
  readonly messages: WireMessage[] = [];
  #text = '';

  /** @param methods Of the requests that are answered, in order; null: requests are read. */
  constructor(methods: readonly string[] | null) {
    this.#methods = methods;
  }

  /** The head that has come, while its body has not. */
  get pendingHead(): string | null {
    const end = this.#text.indexOf('\r\n\r\n');
    return end < 0 ? null : this.#text.slice(0, end + 4);
  }

  /** Bytes that belong to no whole message. */
  get rest(): string {
    return this.#text;
  }

  /** Returns the messages that are whole now. */
  push(bytes: Buffer): WireMessage[] {
    this.#text += bytes.toString('latin1');
    const before = this.messages.length;
    for (;;) {
      // One empty line before a request is passed by (RFC 9112, section 2.2).
      const start = this.#methods === null && this.#text.startsWith('\r\n') ? 2 : 0;
      const headEnd = this.#text.indexOf('\r\n\r\n', start);
      if (headEnd < 0) break;
      const head = this.#text.slice(start, headEnd + 4);
      const end = endOfBody(this.#text, headEnd + 4, this.#framingOf(head));
      if (end < 0) break;
      this.messages.push({ head, body: this.#text.slice(headEnd + 4, end) });
      this.#text = this.#text.slice(end);
    }
    return this.messages.slice(before);
  }

  /** The connection has ended: what was read until then is a message, if its end is what it waited for. */
  end(): void {
    const head = this.pendingHead;
    if (head === null || this.#methods === null) return;
    if (this.#framingOf(head).kind !== 'until-close') return;
    this.messages.push({ head, body: this.#text.slice(head.length) });
    this.#text = '';
  }

  get #answered(): number {
    return this.messages.filter(({ head }) => statusOf(head) >= 200).length;
  }

  #framingOf(head: string): Framing {
    const framing = framingOf(head);
    if (this.#methods === null) return framing;
    const status = statusOf(head);
    const bodiless = status < 200 || status === 204 || status === 304;
    if (bodiless || this.#methods[this.#answered] === 'HEAD') return { kind: 'none', length: 0 };
    return framing.kind === 'none' ? { kind: 'until-close', length: 0 } : framing;
  }
}
