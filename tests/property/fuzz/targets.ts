import { parseSearch, printSearch, tokenizeSearch } from '#shared/flow/search.ts';
import { postgresql } from '../../../src-main/engine/proxy/decoders/postgresql.ts';
import { redis } from '../../../src-main/engine/proxy/decoders/redis.ts';
import type { MessageOutput, StreamDecoder } from '../../../src-main/engine/proxy/decoders/decoder.ts';
import { identifyFirstBytes } from '../../../src-main/engine/proxy/first-bytes.ts';
import { GrpcMessages } from '../../../src-main/engine/proxy/grpc/grpc-messages.ts';
import { Socks5Handshake } from '../../../src-main/engine/proxy/socks5.ts';
import { ConnectClient } from '../../../src-main/engine/proxy/upstream-proxy/connect-client.ts';
import { waits } from '../../../src-main/engine/proxy/upstream-proxy/conversation.ts';
import type {
  ProxyConversation,
  ProxyStep,
} from '../../../src-main/engine/proxy/upstream-proxy/conversation.ts';
import { socks5Address, Socks5Client } from '../../../src-main/engine/proxy/upstream-proxy/socks5-client.ts';
import { WebSocketDecoder } from '../../../src-main/engine/proxy/websocket/websocket-decoder.ts';
import { parseClientHello } from '../../../src-main/engine/tls/client-hello.ts';
import { comparable, observe } from '../http1/observe.ts';
import { piecesOf } from './target.ts';
import type { FuzzTarget } from './target.ts';

const lines = ['Transfer-Encoding: chunked\r\n', 'Content-Length: 5\r\n', 'Host: y\r\n', '\r\n', '0\r\n\r\n', 'ffffffffffffffff\r\n', ' HTTP/1.1\r\n', 'Connection: upgrade\r\n']; // prettier-ignore

function http1(kind: 'request' | 'response', name: string): FuzzTarget {
  return {
    name,
    dictionary: lines,
    read: (input, cuts) => {
      const seen = observe(input, cuts, { kind });
      if (seen.disorder.length > 0) throw new Error(seen.disorder.join());
      if (seen.consumed > input.length) throw new Error(`took ${seen.consumed} of ${input.length} bytes`);
      return comparable(seen);
    },
  };
}

/**
 * Both directions of a conversation in one input: an octet for the direction (odd: the answer), two for the length, the
 * bytes; and again. Cuts are within the bytes of one direction.
 */
function* turnsOf(input: Buffer): Generator<['request' | 'response', Buffer]> {
  for (let at = 0; at + 3 <= input.length;) {
    const length = input.readUInt16BE(at + 1);
    yield [(input[at] as number) % 2 === 0 ? 'request' : 'response', input.subarray(at + 3, at + 3 + length)];
    at += 3 + length;
  }
}

function decoder(name: string, dictionary: readonly string[], create: (output: MessageOutput) => StreamDecoder): FuzzTarget {
  return {
    name,
    dictionary,
    read: (input, cuts) => {
      const messages: unknown[] = [];
      const decoding = create((message) => messages.push(message));
      for (const [direction, bytes] of turnsOf(input)) {
        for (const piece of piecesOf(bytes, cuts)) if (!decoding.isLost) decoding.bytes(direction, piece, 1);
      }
      decoding.end(2);
      return { messages, isLost: decoding.isLost };
    },
  };
} // prettier-ignore

const proxy = {
  scheme: 'http',
  host: 'proxy.test',
  port: 3128,
  credentials: { username: 'u', password: 'p' },
} as const;
const place = { host: 'a.test', port: 443 };

function conversation(
  name: string,
  dictionary: readonly string[],
  create: () => ProxyConversation,
): FuzzTarget {
  return {
    name,
    dictionary,
    read: (input, cuts) => {
      const talk = create();
      const sent = [talk.begin().toString('latin1')];
      let end: ProxyStep = waits;
      const left: Buffer[] = [];
      for (const piece of piecesOf(input, cuts)) {
        if (end.type === 'failed') break;
        if (end.type === 'open') left.push(piece);
        else {
          end = talk.read(piece);
          if (end.send !== null) sent.push(end.send.toString('latin1'));
          if (end.type === 'open' && end.rest !== null) left.push(end.rest);
        }
      }
      const failure = end.type === 'failed' ? end.failure : null;
      return { sent: sent.join(''), type: end.type, failure, left: Buffer.concat(left).toString('latin1') };
    },
  };
}

/** Asked again with all that has come, as its caller does; what it says on the way is `incomplete`, or final. */
function growing(
  name: string,
  read: (all: Buffer) => unknown,
  isFinal: (found: unknown) => boolean,
): FuzzTarget {
  return {
    name,
    dictionary: ['\x16\x03\x01', '\x00\x00', 'http/1.1', '\x02h2', 'PRI * HTTP/2.0\r\n\r\n', 'GET '],
    read: (input, cuts) => {
      let all = Buffer.alloc(0);
      let found: unknown = null;
      for (const piece of piecesOf(input, cuts)) {
        all = Buffer.concat([all, piece]);
        found = read(all);
        if (isFinal(found)) break;
      }
      return found !== null && isFinal(found) ? found : 'more';
    },
  };
}

const socks5: FuzzTarget = {
  name: 'socks5',
  dictionary: ['\x05\x01\x00', '\x05\x01\x02', '\x01\x03web\x01x', '\x05\x01\x00\x03\x06a.test\x00\x50', '\x05\x01\x00\x04', '::1'],
  read: (input, cuts) => {
    const handshake = new Socks5Handshake();
    let [reply, rest] = ['', ''];
    let over: unknown = null;
    for (const piece of piecesOf(input, cuts)) {
      if (over !== null) rest += piece.toString('latin1');
      else {
        const step = handshake.feed(piece);
        reply += step.reply.toString('latin1');
        rest += step.rest?.toString('latin1') ?? '';
        over = step.request ?? step.refusal;
        if (step.refusal !== null) break;
      }
    }
    return { reply, rest: over !== null && 'host' in (over as object) ? rest : '', over, userName: handshake.userName };
  },
}; // prettier-ignore

const search: FuzzTarget = {
  name: 'search',
  dictionary: ['status:', '>=', 'or ', '-', '(', ')', '"', '*', 'service:', 'body:', '\\', 'duration:>1s', 'and ', 'not '],
  read: (input) => {
    const text = input.toString('utf8');
    if (tokenizeSearch(text).some(({ at, length }) => at < 0 || length < 0 || at + length > text.length)) {
      throw new Error('a token outside of the text');
    }
    const result = parseSearch(text);
    if (!result.ok) return result;
    const printed = parseSearch(printSearch(result.ast));
    if (!printed.ok) throw new Error(`what was printed is not read: ${printSearch(result.ast)}`);
    if (JSON.stringify(printed.ast) !== JSON.stringify(result.ast)) throw new Error('printed and read is another');
    return result;
  },
}; // prettier-ignore

const webSocketWords = ['\x81\x05hello', '\x81\x85\x01\x02\x03\x04iglhn', '\x88\x02\x03\xe8', '\x89\x00', '\x8a\x00', '\x01\x01a', '\x80\x01b', '\x82\x7e\x01\x00', '\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00', '\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00']; // prettier-ignore
const sqlWords = ['Q\x00\x00\x00\x0dselect 1\x00', 'S\x00\x00\x00\x04', 'Z\x00\x00\x00\x05I', 'C\x00\x00\x00\x0dSELECT 1\x00', 'E\x00\x00\x00\x09\x00\x00\x00\x00\x00', 'P\x00\x00\x00\x0c\x00sel\x00\x00\x00', '\x00\x00\x00\x08\x04\xd2\x16\x2f', 'd\x00\x00\x00\x05x', 'c\x00\x00\x00\x04']; // prettier-ignore
const redisWords = ['*1\r\n$4\r\nPING\r\n', '+OK\r\n', '$-1\r\n', ':1\r\n', '*-1\r\n', '>3\r\n', '%1\r\n', '-ERR x\r\n', '$5\r\nhello\r\n', '_\r\n', '#t\r\n', '*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n', 'MULTI\r\n', '|1\r\n', '$?\r\n;4\r\n', '*?\r\n.\r\n']; // prettier-ignore

/** Every parser of bytes that come from outside. */
export const fuzzTargets: readonly FuzzTarget[] = [
  http1('request', 'http1-request'),
  http1('response', 'http1-response'),
  socks5,
  growing('client-hello', parseClientHello, (found) => (found as { status: string }).status !== 'incomplete'),
  growing('first-bytes', identifyFirstBytes, (found) => found !== 'more'),
  search,
  decoder('websocket', webSocketWords, (output) => new WebSocketDecoder({ output, isFull: () => false, extensions: null })),
  decoder('postgresql', sqlWords, (output) => postgresql.create(output)),
  decoder('redis', redisWords, (output) => redis.create(output)),
  decoder('grpc', ['\x00\x00\x00\x00\x01a', '\x01\x00\x00\x00\x00'], (output) => new GrpcMessages(output)),
  conversation('connect-answer', lines, () => new ConnectClient(proxy, place)),
  conversation('socks5-answer', ['\x05\x00', '\x05\x02', '\x01\x00', '\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00'], () => new Socks5Client(proxy, place, socks5Address(place.host) as Buffer)),
]; // prettier-ignore
