import type { FieldScanner } from './field-scanner.ts';
import type { RequestTarget } from './target.ts';
import { splitFields } from './fields.ts';
import { hostTarget } from './target.ts';

export type HttpVersion = '1.0' | '1.1';

/**
 * How the end of the body is found (RFC 9112, section 6.3): `none` means that there is no body; `length` may be 0 bytes.
 * `until-close` is for responses only: its end is the close of the connection, so call `finish()`.
 */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close';

/**
 * What requests and responses have in common. Everything but `fields` was learnt in one pass; `fields` are cut out of the
 * text on first use, since a call that no rule reads never needs them as a list.
 */
export abstract class MessageHead {
  readonly httpVersion: HttpVersion;
  /** The head as it came, latin1, from the start line to the empty line: one string, shared by everything cut from it. */
  readonly text: string;
  /** Index in `text` of the first field line. */
  readonly fieldsAt: number;
  readonly framing: Framing;
  /** As declared, null when absent. Also set where no body follows it: HEAD, 304. */
  readonly contentLength: number | null;
  /** Whether the sender lets the connection be used again, by version, Connection field and framing (RFC 9112, 9.3). */
  readonly keepAlive: boolean;
  /** The value of Upgrade, when Connection nominates it and the version is 1.1 (RFC 9110, section 7.8); else null. */
  readonly upgrade: string | null;
  /** What Connection lists, in lower case, in order. */
  readonly connectionTokens: readonly string[];
  /** Lines that do not travel as they are, for serialize-head.ts: [kind, start, end, ...] indices in `text`; null if none. */
  readonly marks: readonly number[] | null;
  /** Whether `replaceFields` was called: `text` no longer says what is sent on. */
  edited = false;
  private list: readonly string[] | null = null;

  constructor(version: HttpVersion, text: string, fieldsAt: number, framing: Framing, scan: FieldScanner) {
    this.httpVersion = version;
    this.text = text;
    this.fieldsAt = fieldsAt;
    this.framing = framing;
    this.contentLength = scan.contentLength < 0 ? null : scan.contentLength;
    this.keepAlive = framing !== 'until-close' && scan.keepsAlive(version);
    this.upgrade = version === '1.1' && scan.hasUpgradeToken ? scan.upgrade : null;
    this.connectionTokens = scan.connectionTokens;
    this.marks = scan.marks;
  }

  /** [name, value, name, value, ...] in order, with case and duplicates kept; values without white space at their ends. */
  get fields(): readonly string[] {
    return (this.list ??= splitFields(this.text, this.fieldsAt));
  }

  /** Size on the wire, start line and empty line included. */
  get rawHeadBytes(): number {
    return this.text.length;
  }

  /**
   * Gives the head other fields, to be sent on in place of those that came. Hop-by-hop fields among them are still
   * dropped. What was learnt from the wire (framing, keepAlive, ...) stays: it says how the body comes in, and a rule
   * that changes how it goes out has to see to it that fields and body agree.
   */
  replaceFields(fields: readonly string[]): void {
    this.list = fields;
    this.edited = true;
  }
}

export class RequestHead extends MessageHead {
  readonly method: string;
  /** As it came. */
  readonly target: string;
  /** The value of Host, valid; null when absent, which only HTTP/1.0 may. May be empty. */
  readonly hostField: string | null;
  /** The client waits for a 100 before it sends the body (RFC 9110, section 10.1.1). */
  readonly expectContinue: boolean;
  private resolved: RequestTarget | null;

  constructor(
    line: { method: string; target: string; version: HttpVersion; special: RequestTarget | null },
    text: string,
    fieldsAt: number,
    framing: Framing,
    scan: FieldScanner,
  ) {
    super(line.version, text, fieldsAt, framing, scan);
    this.method = line.method;
    this.target = line.target;
    this.resolved = line.special;
    this.hostField = scan.host;
    this.expectContinue = scan.expectContinue && line.version === '1.1';
  }

  /** Where the request wants to go. Cannot fail: what cannot be read was refused by the parser. */
  get destination(): RequestTarget {
    return (this.resolved ??= hostTarget('origin', this.hostField, this.target));
  }
}

export class ResponseHead extends MessageHead {
  readonly status: number;
  /** '' when absent. */
  readonly reason: string;
  /** A 1xx other than 101: another head follows for the same request. */
  readonly interim: boolean;
  /** 101, or 2xx to CONNECT: what follows on the connection is not HTTP/1.1 (RFC 9110, sections 7.8 and 9.3.6). */
  readonly endsHttp: boolean;

  constructor(
    line: { status: number; reason: string; version: HttpVersion; endsHttp: boolean },
    text: string,
    fieldsAt: number,
    framing: Framing,
    scan: FieldScanner,
  ) {
    super(line.version, text, fieldsAt, framing, scan);
    this.status = line.status;
    this.reason = line.reason;
    this.interim = line.status < 200 && line.status !== 101;
    this.endsHttp = line.endsHttp;
  }
}
