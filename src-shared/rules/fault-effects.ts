import type { Direction } from '../flow/flow.ts';
import type { Fault, FaultOf, FaultType } from './fault.ts';
import { badCertificateWords } from './faults/tls.ts';

/** Chooses the verb: the calls "wait", the call "waits". */
type Verb = (plural: string, singular: string) => string;

/** What happens to calls under a fault, as the end of a sentence that began with the calls: "wait 2 s". */
const effects: { readonly [T in FaultType]: (fault: FaultOf<T>, verb: Verb) => string } = {
  latency: (fault, verb) =>
    `${verb('wait', 'waits')} ${latencyWords(fault)}${beforeSent(fault.direction, verb)}`,
  bandwidth: (fault, verb) =>
    fault.bytesPerSecond === 0
      ? `${verb('get', 'gets')} nothing through`
      : `${verb('trickle', 'trickles')} at ${rate(fault.bytesPerSecond)}`,
  status: (fault, verb) => `${verb('get', 'gets')} ${fault.status}`,
  delay: (fault, verb) =>
    `${verb('wait', 'waits')} ${duration(fault.delayMs)}${fault.what === 'body' ? ' for the body of the answer' : ' for the answer'}`,
  'slow-head': (fault, verb) =>
    `${verb('get', 'gets')} the head of the ${message(fault)} at ${rate(fault.bytesPerSecond)}`,
  headers: (fault, verb) => `${verb('have', 'has')} ${fieldWords(fault)} in the ${message(fault)}`,
  body: (fault, verb) =>
    `${verb('have', 'has')} the body of the ${message(fault)} ${fault.how === 'replace' ? 'replaced' : 'changed'}`,
  'wrong-length': (fault, verb) =>
    `${verb('are', 'is')} told a length that is ${size(Math.abs(fault.by))} too ${fault.by < 0 ? 'short' : 'long'}`,
  'bad-chunk': (fault, verb) => `${verb('get', 'gets')} ${chunkWords[fault.how]}`,
  'truncated-gzip': (fault, verb) => `${verb('get', 'gets')} ${fault.keepPercent} % of the answer in gzip`,
  'redirect-upstream': (fault, verb) => `${verb('go', 'goes')} to ${fault.to}`,
  'file-answer': (fault, verb) => `${verb('get', 'gets')} ${fault.status} with the file ${fault.path}`,
  'asked-by-header': (fault, verb) =>
    `${verb('get', 'gets')} the ${askedWords[fault.what]} that ${verb('they ask', 'it asks')} for`,
  reset: (fault, verb) => `${verb('are', 'is')} reset${cutPlaces[fault.at]}`,
  close: (fault, verb) => `${verb('are', 'is')} closed${cutPlaces[fault.at]}`,
  hang: (fault, verb) =>
    fault.direction === 'request'
      ? `never ${verb('arrive', 'arrives')}`
      : `never ${verb('get', 'gets')} an answer`,
  silence: (_fault, verb) => `${verb('meet', 'meets')} silence`,
  refuse: (_fault, verb) => `${verb('are', 'is')} refused`,
  'dns-failure': (fault, verb) =>
    `${verb('find', 'finds')} no name (${dnsAnswers[fault.answer]})${fault.delayMs === 0 ? '' : ` after ${duration(fault.delayMs)}`}`,
  'connect-timeout': (fault, verb) =>
    `${verb('are', 'is')} not connected and ${verb('fail', 'fails')} after ${duration(fault.afterMs)}`,
  slicer: (fault, verb) => {
    const pause = fault.delayUs === 0 ? '' : `, ${duration(fault.delayUs / 1000)} apart`;
    return `${verb('pass', 'passes')} in pieces of about ${size(fault.averageBytes)}${pause}`;
  },
  stall: (fault, verb) =>
    `${verb('stall', 'stalls')} ${duration(fault.stallMs)} at ${percent(fault.share)} of the pieces`,
  'limit-data': (fault, verb) =>
    `${verb('are', 'is')} cut after ${size(fault.bytes)} of the ${fault.direction}`,
  'slow-close': (fault, verb) => `${verb('end', 'ends')} ${duration(fault.delayMs)} late`,
  timeout: (fault, verb) =>
    fault.timeoutMs === 0
      ? `${verb('lose', 'loses')} the ${fault.direction}`
      : `${verb('lose', 'loses')} the ${fault.direction} and ${verb('are', 'is')} closed after ${duration(fault.timeoutMs)}`,
  'reset-peer': (fault, verb) =>
    `${verb('are', 'is')} reset ${fault.timeoutMs === 0 ? 'at' : `${duration(fault.timeoutMs)} after`} the first bytes of the ${fault.direction}`,
  corrupt: (fault, verb) =>
    `${verb('have', 'has')} ${percent(fault.share)} of the bytes of the ${fault.direction} changed`,
  duplicate: (fault, verb) =>
    `${verb('get', 'gets')} ${percent(fault.share)} of the pieces of the ${fault.direction} twice`,
  goaway: (fault, verb) =>
    fault.code === 'NO_ERROR'
      ? `${verb('are', 'is')} the last on ${verb('their', 'its')} HTTP/2 connection`
      : `${verb('have', 'has')} ${verb('their', 'its')} HTTP/2 connection ended with ${fault.code}`,
  'rst-stream': (fault, verb) =>
    `${verb('have', 'has')} ${verb('their', 'its')} stream reset with ${fault.code}${cutPlaces[fault.at]}`,
  'grpc-status': (fault, verb) =>
    fault.form === 'missing'
      ? `${verb('get', 'gets')} no gRPC status`
      : `${verb('get', 'gets')} gRPC ${fault.status}`,
  'grpc-abort': (fault, verb) =>
    `${verb('end', 'ends')} with gRPC ${fault.status} after ${count(fault.afterMessages, 'message')} of the ${fault.direction}`,
  'grpc-delay': (fault, verb) =>
    `${verb('wait', 'waits')} ${duration(fault.delayMs)} for each gRPC message of the ${fault.direction}`,
  'ws-drop': (fault, verb) => `${verb('lose', 'loses')} ${frameWords(fault)}`,
  'ws-delay': (fault, verb) => `${verb('wait', 'waits')} ${duration(fault.delayMs)} for ${frameWords(fault)}`,
  'ws-duplicate': (fault, verb) => `${verb('get', 'gets')} ${frameWords(fault)} twice`,
  'ws-corrupt': (fault, verb) => `${verb('have', 'has')} a byte changed in ${frameWords(fault)}`,
  'ws-close': (fault, verb) =>
    `${verb('have', 'has')} ${verb('their', 'its')} WebSocket closed with ${fault.code}${fault.afterMessages === 0 ? '' : ` after ${count(fault.afterMessages, 'message')}`}`,
  'ws-no-pong': (fault, verb) => `${verb('lose', 'loses')} the pongs of the ${fault.direction}`,
  'tls-certificate': (fault, verb) => `${verb('meet', 'meets')} ${badCertificateWords[fault.problem]}`,
  'tls-abort': (fault, verb) =>
    `${verb('have', 'has')} ${verb('their', 'its')} TLS handshake ended${fault.alert === 'close' ? '' : ` with ${fault.alert}`}`,
  'tls-stall': (fault, verb) =>
    fault.stallMs === 0
      ? `${verb('wait', 'waits')} for a TLS handshake that never comes`
      : `${verb('wait', 'waits')} ${duration(fault.stallMs)} for the TLS handshake`,
  'tls-version': (fault, verb) => `${verb('are', 'is')} offered ${fault.only} only`,
  breakpoint: (fault, verb) =>
    `${verb('are', 'is')} held by hand at the ${message({ direction: fault.at })} for up to ${duration(fault.timeoutMs)}${fault.onTimeout === 'drop' ? `, then ${verb('are', 'is')} dropped` : ''}`,
};

/**
 * What a fault does to calls: "wait 2 s ± 500 ms".
 * @param many Whether the sentence speaks of several calls.
 */
export function faultEffect(fault: Fault, many: boolean): string {
  const say = effects[fault.type] as (fault: Fault, verb: Verb) => string;
  return say(fault, (plural, singular) => (many ? plural : singular));
}

const askedWords = {
  delay: 'delay',
  status: 'status',
  'grpc-status': 'gRPC status',
  throughput: 'rate',
} as const;

const chunkWords = {
  'bad-size': 'a chunk whose size is no number',
  'missing-end': 'chunks without an end',
  'short-chunk': 'a chunk that is too short',
} as const;

function message({ direction }: { readonly direction: Direction }): string {
  return direction === 'request' ? 'request' : 'answer';
}

/** `x-a and x-b set and x-c removed`. */
function fieldWords({ set, remove }: FaultOf<'headers'>): string {
  const names = Object.keys(set);
  return [
    ...(names.length === 0 ? [] : [`${list(names)} set`]),
    ...(remove.length === 0 ? [] : [`${list(remove)} removed`]),
  ].join(', and ');
}

function list(names: readonly string[]): string {
  return names.length > 3 ? `${names.length} fields` : names.join(', ');
}

const dnsAnswers = { nxdomain: 'NXDOMAIN', servfail: 'SERVFAIL', timeout: 'no answer' } as const;

const cutPlaces = {
  start: ' at once',
  'before-head': ' before the answer',
  'after-head': ' after the head of the answer',
  'mid-body': ' mid-body',
} as const;

function latencyWords({ latencyMs, jitterMs, distribution, percentiles }: FaultOf<'latency'>): string {
  const median = percentiles['p50'];
  if (distribution === 'percentiles')
    return median === undefined ? 'as recorded' : `about ${duration(median)}, as recorded`;
  return jitterMs === 0 ? duration(latencyMs) : `${duration(latencyMs)} ± ${duration(jitterMs)}`;
}

function beforeSent(direction: Direction, verb: Verb): string {
  return direction === 'request' ? ` before ${verb('they are', 'it is')} sent` : '';
}

/** `the text messages of the response`, `10 % of the messages of the request`. */
function frameWords({
  frames,
  share,
  direction,
}: Pick<FaultOf<'ws-drop'>, 'frames' | 'share' | 'direction'>): string {
  const what = {
    any: 'frames',
    data: 'messages',
    text: 'text messages',
    binary: 'binary messages',
    ping: 'pings',
    pong: 'pongs',
    close: 'close frames',
  }[frames];
  return `${share === 1 ? '' : `${percent(share)} of `}the ${what} of the ${direction}`;
}

/** `1 message`, `3 messages`. */
function count(number: number, what: string): string {
  return `${number.toLocaleString('en-US')} ${what}${number === 1 ? '' : 's'}`;
}

/** `2 s`, `1.5 s`, `500 ms`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return `${Number((ms / 60_000).toPrecision(3))} min`;
}

function rate(bytesPerSecond: number): string {
  return `${size(bytesPerSecond)}/s`;
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Number((bytes / 1000).toPrecision(3))} kB`;
  return `${Number((bytes / 1_000_000).toPrecision(3))} MB`;
}

/** `0.1 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
