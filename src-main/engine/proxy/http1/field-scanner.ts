import type { HttpVersion } from './head.ts';
import { trimmedSlice } from './fields.ts';
import { refusalAtName, refusalAtOctet } from './head-refusals.ts';
import { Refusal } from './http1-error.ts';
import { COLON, CR, HTAB, isFieldValue, isHostName, isToken, LF, SP } from './octets.ts';
import { parseAuthority } from './target.ts';

/** Kinds of lines in `marks`: the codec's own numbers, kept in a flat list of small integers. */
export const HOP_BY_HOP = 0;
export const UPGRADE_LINE = 1;
/** A TE that allows trailers: the one part of it that is passed on. */
export const TE_TRAILERS = 2;
/** Passed on unless the head is written without it. */
export const ALT_SVC_LINE = 3;

const noTokens: readonly string[] = Object.freeze([]);
const closeTokens: readonly string[] = Object.freeze(['close']);
const keepAliveTokens: readonly string[] = Object.freeze(['keep-alive']);

/** Registered codings beside chunked (RFC 9112, section 7.2): behind an unknown name, others may see something else. */
const knownCodings: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress']);

const octetsOf = (name: string): Uint8Array => Uint8Array.from(name, (letter) => letter.charCodeAt(0));
const TE = octetsOf('te');
const HOST = octetsOf('host');
const EXPECT = octetsOf('expect');
const UPGRADE = octetsOf('upgrade');
const ALT_SVC = octetsOf('alt-svc');
const CONNECTION = octetsOf('connection');
const KEEP_ALIVE = octetsOf('keep-alive');
const CONTENT_LENGTH = octetsOf('content-length');
const PROXY_CONNECTION = octetsOf('proxy-connection');
const TRANSFER_ENCODING = octetsOf('transfer-encoding');
const PROXY_AUTHORIZATION = octetsOf('proxy-authorization');

/** Lengths of these names: nearly every other line is passed by after one look at the length of its name. */
const isNoticedLength = new Uint8Array(256);
const noticed = [TE, HOST, EXPECT, UPGRADE, ALT_SVC, CONNECTION, KEEP_ALIVE, CONTENT_LENGTH];
noticed.push(PROXY_CONNECTION, TRANSFER_ENCODING, PROXY_AUTHORIZATION);
for (const name of noticed) isNoticedLength[name.length] = 1;

/**
 * The one pass over the field lines of a head or trailer section: checks every octet, and notes what framing and
 * forwarding need. One scanner serves all messages of a parser; what it noted holds until the next `scan`.
 */
export class FieldScanner {
  /** -1 when absent. */
  contentLength = -1;
  hasTransferEncoding = false;
  chunkedLast = false;
  host: string | null = null;
  /** Index in `bytes` of the Host line, -1 when absent. */
  hostAt = -1;
  hasUpgradeToken = false;
  upgrade: string | null = null;
  expectContinue = false;
  connectionTokens: readonly string[] = noTokens;
  /** [kind, start, end, ...]: see `MessageHead.marks`. */
  marks: number[] | null = null;
  /** Index in `bytes` of the last line that says something about framing; -1 if none does. */
  framingAt = -1;

  private hasClose = false;
  private hasKeepAlive = false;
  /** The line under the scan: indices in `bytes`, and where `text` begins in it. The bytes are not kept: they pin memory. */
  private text = '';
  private base = 0;
  private nameAt = 0;
  private nameEnd = 0;
  private valueEnd = 0;

  /**
   * Scans from `at` to the empty line. `text` is the whole section as latin1 and begins at index `base` of `bytes`.
   * The caller has made sure that the section ends within `bytes`, or that an octet which ends the scan comes first.
   */
  scan(bytes: Buffer, base: number, at: number, text: string, maxFields: number): Refusal | null {
    this.clear(base, text);
    let i = at;
    for (let count = 0; ; count++) {
      const start = i;
      while (isToken[bytes[i] as number] === 1) i++;
      const nameEnd = i;
      if (bytes[i] !== COLON || nameEnd === start) {
        const isEnd = nameEnd === start && bytes[i] === CR && bytes[i + 1] === LF;
        return isEnd ? null : refusalAtName(bytes, start, i);
      }
      if (count === maxFields) return new Refusal('too-many-fields', start);
      i++;
      while (isFieldValue[bytes[i] as number] === 1) i++;
      if (bytes[i] !== CR || bytes[i + 1] !== LF) return refusalAtOctet(bytes, i, 'invalid-field-value');
      // Before the line is understood: a folded value is not the value.
      if (bytes[i + 2] === SP || bytes[i + 2] === HTAB) return new Refusal('obs-fold', i + 2);
      if (isNoticedLength[nameEnd - start] === 1) {
        const refusal = this.notice(bytes, start, nameEnd, i);
        if (refusal !== null) return refusal;
      }
      i += 2;
    }
  }

  /** RFC 9112, section 9.3. */
  keepsAlive(version: HttpVersion): boolean {
    return !this.hasClose && (version === '1.1' || this.hasKeepAlive);
  }

  private clear(base: number, text: string): void {
    this.base = base;
    this.text = text;
    this.contentLength = -1;
    this.hasTransferEncoding = false;
    this.chunkedLast = false;
    this.host = null;
    this.hostAt = -1;
    this.hasUpgradeToken = false;
    this.upgrade = null;
    this.expectContinue = false;
    this.connectionTokens = noTokens;
    this.marks = null;
    this.framingAt = -1;
    this.hasClose = false;
    this.hasKeepAlive = false;
  }

  private notice(bytes: Buffer, start: number, nameEnd: number, valueEnd: number): Refusal | null {
    this.nameAt = start;
    this.nameEnd = nameEnd;
    this.valueEnd = valueEnd;
    switch (nameEnd - start) {
      case HOST.length:
        return isNamed(bytes, start, HOST) ? this.noticeHost(bytes) : null;
      case CONTENT_LENGTH.length:
        if (isNamed(bytes, start, CONTENT_LENGTH)) return this.noticeContentLength(bytes);
        return this.refuseIfObscured('content_length');
      case TRANSFER_ENCODING.length:
        if (isNamed(bytes, start, TRANSFER_ENCODING)) return this.noticeTransferEncoding();
        return this.refuseIfObscured('transfer_encoding');
      default:
        this.noticeConnectionField(bytes, start);
        return null;
    }
  }

  private noticeHost(bytes: Buffer): Refusal | null {
    if (this.host !== null) return new Refusal('duplicate-host', this.nameAt);
    const host = this.value();
    if (
      !isPlainName(bytes, this.nameEnd + 1, this.valueEnd) &&
      host !== '' &&
      parseAuthority(host) === null
    ) {
      return new Refusal('invalid-host', this.nameEnd + 1);
    }
    this.host = host;
    this.hostAt = this.nameAt;
    return null;
  }

  /** Digits, and SP around them; nothing that another parser might read as a sign, a list, or white space to skip. */
  private noticeContentLength(bytes: Buffer): Refusal | null {
    let at = this.nameEnd + 1;
    let end = this.valueEnd;
    while (bytes[at] === SP) at++;
    while (end > at && bytes[end - 1] === SP) end--;
    if (at === end) return new Refusal('invalid-content-length', at);
    let value = 0;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - 48;
      if (digit < 0 || digit > 9) return new Refusal('invalid-content-length', at);
      value = value * 10 + digit;
      if (value > Number.MAX_SAFE_INTEGER) return new Refusal('content-length-overflow', at);
    }
    if (this.contentLength >= 0) return this.refuseSecondLength(value);
    this.contentLength = value;
    this.framingAt = this.nameAt;
    return null;
  }

  private refuseSecondLength(value: number): Refusal {
    const same = value === this.contentLength;
    return new Refusal(same ? 'duplicate-content-length' : 'differing-content-lengths', this.nameAt);
  }

  /** Lines add up to one list (RFC 9110, section 5.3), so chunked has to be the last item of the last line. */
  private noticeTransferEncoding(): Refusal | null {
    this.hasTransferEncoding = true;
    this.framingAt = this.nameAt;
    const list = this.text.slice(this.nameEnd + 1 - this.base, this.valueEnd - this.base);
    for (const item of list.toLowerCase().split(',')) {
      const coding = item.replace(/^ +| +$/g, '');
      if (this.chunkedLast) return new Refusal('transfer-encoding-not-chunked-last', this.nameAt);
      if (coding === 'chunked') this.chunkedLast = true;
      else if (!/^[!#$%&'*+.^`|~\w-]+$/.test(coding)) {
        return new Refusal('invalid-transfer-encoding', this.nameEnd + 1);
      } else if (!knownCodings.has(coding)) return new Refusal('unknown-transfer-coding', this.nameEnd + 1);
    }
    return null;
  }

  /** CGI-like servers turn "-" into "_" and could take such a field for the real one. */
  private refuseIfObscured(name: string): Refusal | null {
    const written = this.text.slice(this.nameAt - this.base, this.nameEnd - this.base).toLowerCase();
    return written.replaceAll('-', '_') === name ? new Refusal('obscured-framing', this.nameAt) : null;
  }

  /** Fields about this connection, which decide nothing about framing. */
  private noticeConnectionField(bytes: Buffer, start: number): void {
    const length = this.nameEnd - start;
    if (length === CONNECTION.length && isNamed(bytes, start, CONNECTION)) this.noticeConnection();
    else if (length === KEEP_ALIVE.length && isNamed(bytes, start, KEEP_ALIVE)) this.mark(HOP_BY_HOP);
    else if (length === PROXY_CONNECTION.length && isNamed(bytes, start, PROXY_CONNECTION))
      this.mark(HOP_BY_HOP);
    else if (length === PROXY_AUTHORIZATION.length && isNamed(bytes, start, PROXY_AUTHORIZATION)) {
      this.mark(HOP_BY_HOP);
    } else if (length === UPGRADE.length && isNamed(bytes, start, UPGRADE)) this.noticeUpgrade();
    else if (length === ALT_SVC.length && isNamed(bytes, start, ALT_SVC)) this.mark(ALT_SVC_LINE);
    else if (length === EXPECT.length && isNamed(bytes, start, EXPECT)) {
      this.expectContinue ||= this.value().toLowerCase() === '100-continue';
    } else if (length === TE.length && isNamed(bytes, start, TE)) {
      const trailers = listItems(this.value().toLowerCase()).includes('trailers');
      this.mark(trailers ? TE_TRAILERS : HOP_BY_HOP);
    }
  }

  private noticeConnection(): void {
    this.mark(HOP_BY_HOP);
    const lower = this.value().toLowerCase();
    const tokens =
      lower === 'keep-alive' ? keepAliveTokens : lower === 'close' ? closeTokens : listItems(lower);
    this.connectionTokens =
      this.connectionTokens === noTokens ? tokens : this.connectionTokens.concat(tokens);
    for (const token of tokens) {
      if (token === 'keep-alive') this.hasKeepAlive = true;
      else if (token === 'close') this.hasClose = true;
      else if (token === 'upgrade') this.hasUpgradeToken = true;
    }
  }

  private noticeUpgrade(): void {
    this.mark(UPGRADE_LINE);
    this.upgrade = this.upgrade === null ? this.value() : `${this.upgrade}, ${this.value()}`;
  }

  private value(): string {
    return trimmedSlice(this.text, this.nameEnd + 1 - this.base, this.valueEnd - this.base);
  }

  private mark(kind: number): void {
    const start = this.nameAt - this.base;
    const end = this.valueEnd + 2 - this.base;
    if (this.marks === null) this.marks = [kind, start, end];
    else this.marks.push(kind, start, end);
  }
}

/** Whether the name that begins at `start`, known to be of the right length and a token, is this one in any case. */
function isNamed(bytes: Buffer, start: number, lowerName: Uint8Array): boolean {
  for (let i = 0; i < lowerName.length; i++) {
    // 0x20 folds the case of letters, and no other token character onto a letter or "-".
    if (((bytes[start + i] as number) | 0x20) !== lowerName[i]) return false;
  }
  return true;
}

/** The common Host, a name with at most four digits of port, told without a pattern: one is in every request. */
function isPlainName(bytes: Buffer, from: number, to: number): boolean {
  let i = from;
  if (bytes[i] === SP) i++;
  const start = i;
  while (isHostName[bytes[i] as number] === 1) i++;
  if (i === start) return false;
  if (i === to) return true;
  const first = bytes[i + 1] as number;
  if (bytes[i] !== COLON || first < 49 || first > 57 || to - i > 5) return false;
  i += 2;
  while ((bytes[i] as number) >= 48 && (bytes[i] as number) <= 57) i++;
  return i === to;
}

/** The items of a list (RFC 9110, section 5.6.1), without white space and without empty ones. */
function listItems(list: string): string[] {
  return list.split(/[ \t]*,[ \t]*/).filter((item) => item !== '');
}
