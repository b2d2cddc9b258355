import type { ProxyAddress } from '#shared/workspace/upstream-proxy.ts';
import { getAllFields } from '../http1/fields.ts';
import type { ResponseHead } from '../http1/head.ts';
import type { Http1Error } from '../http1/http1-error.ts';
import { defaultHttp1Limits } from '../http1/limits.ts';
import { ResponseParser } from '../http1/parser.ts';
import type { Http1Sink } from '../http1/parser.ts';
import type { NetworkFailure } from '../ports.ts';
import { basicCredentials } from './basic-credentials.ts';
import { waits } from './conversation.ts';
import type { ProxyConversation, ProxyStep } from './conversation.ts';
import { badAnswer, credentialsRefused, notReached, placeText, wayRefused } from './proxy-failure.ts';
import type { Place } from './proxy-failure.ts';

/** Of `HTTP/`: what answers otherwise speaks something else, and its head might never be whole. */
const firstOctet = 0x48;
/** The words of a proxy are shown up to here. */
const maxWords = 120;

/** Asks an HTTP proxy for a tunnel (RFC 9110, section 9.3.6). Of a refusal only the head is read. */
export class ConnectClient implements ProxyConversation, Http1Sink<ResponseHead> {
  #head: ResponseHead | null = null;
  #error: Http1Error | null = null;
  #started = false;
  readonly #parser = new ResponseParser(this, defaultHttp1Limits);
  readonly #proxy: ProxyAddress;
  readonly #place: Place;

  constructor(proxy: ProxyAddress, place: Place) {
    this.#proxy = proxy;
    this.#place = place;
    this.#parser.wantsData = false;
    this.#parser.expect('CONNECT');
  }

  begin(): Buffer {
    const authority = placeText(this.#place);
    const credentials = basicCredentials(this.#proxy);
    const authorization = credentials === null ? '' : `Proxy-Authorization: ${credentials}\r\n`;
    return Buffer.from(
      `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`,
      'latin1',
    );
  }

  read(bytes: Buffer): ProxyStep {
    if (!this.#started && bytes.length > 0) {
      this.#started = true;
      if (bytes[0] !== firstOctet) {
        return this.#failed(badAnswer(this.#proxy, 'not-http', 'did not answer in HTTP'));
      }
    }
    const next = this.#parser.feed(bytes);
    if (this.#head !== null) return this.#answered(this.#head, bytes.subarray(next));
    if (this.#error === null) return waits;
    const what = `sent an answer that cannot be read: ${this.#error.message}`;
    return this.#failed(badAnswer(this.#proxy, this.#error.code, what.replace(/\.$/, '')));
  }

  // --- what the parser finds

  onHead(head: ResponseHead): void {
    if (!head.interim || head.status === 101) this.#head ??= head;
  }
  onError(error: Http1Error): void {
    this.#error = error;
  }
  onData(): void {
    // Turned off.
  }
  onBody(): void {
    // A page for people, after the head has said all.
  }
  onTrailers(): void {
    // As the body.
  }
  onComplete(): void {
    // The head decides.
  }

  #answered(head: ResponseHead, rest: Buffer): ProxyStep {
    if (head.status < 200 || head.status > 299) return this.#failed(this.#refusal(head));
    return { type: 'open', rest: rest.length === 0 ? null : rest, send: null };
  }

  #refusal(head: ResponseHead): NetworkFailure {
    const { status } = head;
    const code = `HTTP_${status}`;
    const words = [`${status} ${head.reason}`.trim(), ...details(head.fields)].join(', ').slice(0, maxWords);
    // Tinyproxy says 401 where credentials were given and are wrong; nobody else than the proxy answers CONNECT.
    if (status === 407 || status === 401)
      return credentialsRefused(this.#proxy, code, challengeOf(head.fields));
    if (status === 504 || status === 408) {
      return notReached(this.#proxy, this.#place, 'upstream-connect-timeout', code, words);
    }
    if (status >= 500) return notReached(this.#proxy, this.#place, 'upstream-unreachable', code, words);
    if (status >= 400) return wayRefused(this.#proxy, this.#place, code, words);
    return badAnswer(this.#proxy, code, `answered CONNECT with ${words}`);
  }

  #failed(failure: NetworkFailure): ProxyStep {
    return { type: 'failed', failure, send: null };
  }
}

/** In which proxies say why: the standard's (RFC 9209), and Squid's. */
function details(fields: readonly string[]): string[] {
  return [...getAllFields(fields, 'proxy-status'), ...getAllFields(fields, 'x-squid-error')];
}

/** What a 407 asks for, in its own words. */
export function challengeOf(fields: readonly string[]): string | null {
  const challenges = getAllFields(fields, 'proxy-authenticate');
  return challenges.length === 0 ? null : challenges.join(', ').slice(0, maxWords);
}
