import type { Direction } from '#shared/flow/flow.ts';
import { parseFields } from '../capture/field-text.ts';
import type { FlowRecord } from '../capture/flow-record.ts';
import { ByteBursts } from './byte-bursts.ts';
import type { StreamDecoder } from './decoders/decoder.ts';
import { recogniseProtocol } from './decoders/registry.ts';
import type { BodyCollector, ProxyEnvironment } from './environment.ts';
import type { FlowMessages } from './flow-messages.ts';
import { WebSocketDecoder } from './websocket/websocket-decoder.ts';

/** Looks at the bytes of a tunnel after they have been passed on. */
export interface TunnelObserver {
  /** @param bytes belong to the data path: what is kept of them is copied. */
  passed(direction: Direction, bytes: Buffer): void;
  /** The tunnel is over: writes what was kept into the flow. Not null: the last messages are told when it resolves. */
  end(): Promise<void> | null;
}

export interface ObservedTunnel {
  readonly environment: ProxyEnvironment;
  readonly flow: FlowRecord;
  /** Of the upstream. */
  readonly port: number;
  /** TLS that is passed through: there is nothing to read, and nothing worth keeping. */
  readonly isOpaque: boolean;
}

/** null while nothing is recorded. */
export function observeTunnel(tunnel: ObservedTunnel): TunnelObserver | null {
  const { environment, flow } = tunnel;
  const messages = environment.messagesOf(flow);
  if (messages === null) return null;
  return flow.kind === 'websocket'
    ? new WebSocketObserver(environment, flow, messages)
    : new BytesObserver(tunnel, messages);
}

class WebSocketObserver implements TunnelObserver {
  readonly #environment: ProxyEnvironment;
  readonly #decoder: WebSocketDecoder;

  constructor(environment: ProxyEnvironment, flow: FlowRecord, messages: FlowMessages) {
    this.#environment = environment;
    this.#decoder = new WebSocketDecoder({
      output: messages.tell,
      isFull: () => messages.isFull,
      extensions: extensionsOf(flow),
    });
  }

  passed(direction: Direction, bytes: Buffer): void {
    this.#decoder.bytes(direction, bytes, this.#environment.clock.now());
  }

  end(): Promise<void> | null {
    this.#decoder.end();
    return this.#decoder.settled();
  }
}

/** Several fields are one list (RFC 9110, section 5.3). */
function extensionsOf({ responseFields }: FlowRecord): string | null {
  const values = parseFields(responseFields).filter(
    ([name]) => name.toLowerCase() === 'sec-websocket-extensions',
  );
  return values.length === 0 ? null : values.map(([, value]) => value).join(',');
}

/** A TLS handshake record (RFC 8446, section 5.1). */
const tlsHandshake = 0x16;
/** What may come before it is known whose bytes these are. */
const undecidedLimitBytes = 16_384;

interface Early {
  readonly direction: Direction;
  readonly bytes: Buffer;
  readonly at: number;
}

/** Bytes of any protocol: kept like bodies, and told as commands where a decoder knows them, else as bursts. */
class BytesObserver implements TunnelObserver {
  readonly #tunnel: ObservedTunnel;
  readonly #messages: FlowMessages;
  readonly #bursts: ByteBursts;
  #bodies: Record<Direction, BodyCollector | null>;
  #decoder: StreamDecoder | null = null;
  /** What has come while it is not known whose bytes these are; null: it is known. */
  #early: Early[] | null = [];

  constructor(tunnel: ObservedTunnel, messages: FlowMessages) {
    const { environment, isOpaque } = tunnel;
    this.#tunnel = tunnel;
    this.#messages = messages;
    this.#bursts = new ByteBursts(messages, () => environment.clock.now());
    const collect = (): BodyCollector | null => (isOpaque ? null : environment.collectBody(true));
    this.#bodies = { request: collect(), response: collect() };
    if (isOpaque) this.#early = null;
  }

  passed(direction: Direction, bytes: Buffer): void {
    const at = this.#tunnel.environment.clock.now();
    if (this.#early !== null) this.#recognise(this.#early, { direction, bytes, at });
    else this.#tell(direction, bytes, at);
    this.#bodies[direction]?.add(bytes);
  }

  end(): Promise<void> | null {
    const { flow, environment } = this.#tunnel;
    if (this.#early !== null) this.#settleOn(null, this.#early);
    this.#decoder?.end(environment.clock.now());
    this.#bursts.end();
    const { request, response } = this.#bodies;
    if (request !== null) flow.requestBody = request.finish();
    if (response !== null) flow.responseBody = response.finish();
    return this.#decoder?.settled?.() ?? null;
  }

  #tell(direction: Direction, bytes: Buffer, at: number): void {
    const decoder = this.#decoder;
    if (decoder === null) return this.#bursts.bytes(direction, bytes.length, at);
    decoder.bytes(direction, bytes, at);
    // What it has given up on is shown as what it is.
    if (decoder.isLost) this.#decoder = null;
  }

  #recognise(early: Early[], next: Early): void {
    const said = [...early, next];
    const first = said.filter(({ direction }) => direction === 'request').map(({ bytes }) => bytes);
    const client = first.length === 1 ? (first[0] as Buffer) : Buffer.concat(first);
    if (client[0] === tlsHandshake) return this.#isTls(said);
    const known = client.length === 0 ? 'more' : recogniseProtocol(client, this.#tunnel.port);
    const saidBytes = said.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (known === 'more' && saidBytes < undecidedLimitBytes) {
      early.push({ ...next, bytes: Buffer.from(next.bytes) });
      return;
    }
    if (known === 'more' || known === null) return this.#settleOn(null, said);
    this.#tunnel.flow.protocol = known.protocol;
    this.#settleOn(known.create(this.#messages.tell, this.#messages), said);
  }

  /** A route to a TCP upstream that speaks TLS: nobody opened it. */
  #isTls(said: readonly Early[]): void {
    this.#bodies.request?.discard();
    this.#bodies.response?.discard();
    this.#bodies = { request: null, response: null };
    this.#settleOn(null, said);
  }

  #settleOn(decoder: StreamDecoder | null, said: readonly Early[]): void {
    this.#early = null;
    this.#decoder = decoder;
    for (const { direction, bytes, at } of said) this.#tell(direction, bytes, at);
  }
}
