import type { NetworkFailure, Transport, TransportOwner } from './ports.ts';
import { Socks5Handshake, socks4Refusal, socks5Reply, socks5ReplyBytes } from './socks5.ts';
import type { Socks5Request } from './socks5.ts';

/** Who opened the connection: names the caller, and leads where the client wants to go. */
export interface SocksHost {
  /** Before `socksConnect`, if the client has a user name. */
  socksUser(name: string): void;
  /** The client waits for a reply, which the host gives; `rest` is what came behind the request. */
  socksConnect(request: Socks5Request, rest: Buffer | null): void;
  /** Nothing came of it; the client has been told, and its connection ends. */
  socksRefused(failure: NetworkFailure): void;
}

const versionFour: NetworkFailure = {
  cause: 'client-malformed-request',
  code: 'socks4',
  message: 'Spike speaks SOCKS version 5, not 4: write socks5h:// (or socks5://) as the scheme of the proxy.',
};

/** Refuses a client of SOCKS version 4, whose names are not resolved by the proxy and which has no way to say who calls. */
export function refuseSocks4(client: Transport, host: SocksHost): void {
  client.write(socks4Refusal);
  client.close();
  host.socksRefused(versionFour);
}

/** The beginning of a SOCKS5 client's connection; `host` takes it over with the request. */
export class Socks5Session implements TransportOwner {
  readonly #handshake = new Socks5Handshake();
  readonly #client: Transport;
  readonly #host: SocksHost;

  constructor(client: Transport, host: SocksHost) {
    this.#client = client;
    this.#host = host;
  }

  received(bytes: Buffer): void {
    const { reply, request, refusal, rest } = this.#handshake.feed(bytes);
    if (reply.length > 0) this.#client.write(reply);
    if (refusal !== null) {
      return this.#end({ cause: 'client-malformed-request', ...refusal });
    }
    if (request === null) return;
    const { userName } = this.#handshake;
    if (userName !== null) this.#host.socksUser(userName);
    this.#host.socksConnect(request, rest);
  }

  ended(): void {
    this.#client.close();
  }

  closed(): void {
    // Nothing was asked for: there is nothing to tell.
  }

  drained(): void {
    // Replies of some octets never fill a connection.
  }

  /** The client did not say in time what it wants. */
  timedOut(failure: NetworkFailure): void {
    this.#client.write(socks5ReplyBytes(socks5Reply.failure));
    this.#end(failure);
  }

  #end(failure: NetworkFailure): void {
    this.#client.close();
    this.#host.socksRefused(failure);
  }
}
