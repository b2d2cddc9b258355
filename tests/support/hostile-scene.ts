import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import type { LeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { defaultClientLimits } from '../../src-main/engine/io/client-watch.ts';
import type { ClientLimits } from '../../src-main/engine/io/client-watch.ts';
import { DataPlaneHarness, makeAuthority } from './data-plane-harness.ts';
import { assertNothingOpen, Peers, RawClient } from './network-peers.ts';

export type Layer = 'plain' | 'TLS';
export const layers: readonly Layer[] = ['plain', 'TLS'];

/** One end of a connection in the hands of a peer that means harm, or is broken. */
export class HostileSide {
  /** What is said on: TLS, where there is TLS. */
  readonly socket: Socket;
  readonly tcp: Socket;
  received = '';
  /** The other side has ended, in whatever way. */
  isOver = false;

  constructor(tcp: Socket, socket: Socket = tcp) {
    this.tcp = tcp;
    this.socket = socket;
    for (const one of new Set([tcp, socket])) {
      one.on('error', () => undefined); // Expected here: what the rest of the world sees is looked at.
      one.on('close', () => (this.isOver = true));
    }
    socket.on('end', () => (this.isOver = true));
  }

  say(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  end(): void {
    this.socket.end();
  }

  /** A real RST, below TLS as well. */
  reset(): void {
    this.tcp.resetAndDestroy();
  }

  /** FIN of TCP without the farewell of TLS: to whoever reads, anything may have been cut off. */
  cut(): void {
    this.tcp.end();
  }
}

export interface HostileServer {
  /** As a URL's origin. */
  readonly url: string;
  /** host:port */
  readonly authority: string;
  readonly sides: HostileSide[];
}

const limits: ClientLimits = {
  ...defaultClientLimits,
  // Longer than a busy machine takes to hand over a whole head.
  headTimeoutMs: 1000,
  idleTimeoutMs: 800,
  maxConnectionsPerAddress: 100,
};

/**
 * A data plane with short times, a server that is well, and what is asked after every test: Spike still serves, and
 * nothing is left of what was done to it.
 */
export class HostileScene {
  peers = new Peers();
  spike!: DataPlaneHarness;
  well!: { readonly port: number };
  #sites!: LeafIssuer;
  #extraRoots: string[] = [];

  constructor(clientLimits: ClientLimits | null = null) {
    beforeAll(async () => {
      const ca = await makeAuthority();
      this.#extraRoots = [ca.certificatePem];
      this.#sites = createLeafIssuer({ ca, now: Date.now });
    });
    beforeEach(async () => {
      this.peers = new Peers();
      this.spike = await DataPlaneHarness.start(
        { tls: { extraRootsPem: this.#extraRoots } },
        { connectTimeoutMs: 600, clientLimits: clientLimits ?? limits },
      );
      this.well = await this.peers.http((asked, response) => {
        asked.resume();
        response.end('well');
      });
    });
    afterEach(async () => {
      await this.#expectWell();
      await this.peers[Symbol.asyncDispose]();
      await this.spike[Symbol.asyncDispose]();
      await assertNothingOpen();
    });
  }

  get wellUrl(): string {
    return `http://127.0.0.1:${this.well.port}`;
  }

  /**
   * @param serve Told each connection, once TLS is open where there is TLS.
   * @param alpn What it speaks inside TLS (RFC 7301). Default: it does not say.
   */
  async server(
    layer: Layer,
    serve: (side: HostileSide, index: number) => void,
    alpn: readonly string[] = [],
  ): Promise<HostileServer> {
    const sides: HostileSide[] = [];
    const certificate =
      layer === 'TLS'
        ? { ...this.certificate(), ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }) }
        : null;
    const { port } = await this.peers.tcp((tcp) => {
      const socket = certificate === null ? tcp : new TLSSocket(tcp, { isServer: true, ...certificate });
      const side = new HostileSide(tcp, socket);
      sides.push(side);
      if (socket === tcp) serve(side, sides.length - 1);
      else socket.once('secure', () => serve(side, sides.indexOf(side)));
    });
    const authority = layer === 'TLS' ? `localhost:${port}` : `127.0.0.1:${port}`;
    return { url: `${layer === 'TLS' ? 'https' : 'http'}://${authority}`, authority, sides };
  }

  /** A client of the proxy port: plain, or inside CONNECT and TLS to that authority. */
  async client(layer: Layer, authority: string, alpn: readonly string[] = []): Promise<HostileClient> {
    const raw = await this.peers.connect(this.spike.proxyPort);
    if (layer === 'plain') return { raw, side: new HostileSide(raw.socket) };
    raw.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    await raw.see('\r\n\r\n');
    raw.socket.removeAllListeners('data');
    const secure = connectTls({
      socket: raw.socket,
      servername: 'localhost',
      ca: this.spike.caPem,
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    });
    this.peers.also(() => void secure.destroy());
    await once(secure, 'secureConnect');
    return { raw: new RawClient(secure), side: new HostileSide(raw.socket, secure) };
  }

  /** Waits for something that comes without a message. */
  async until(holds: () => boolean): Promise<void> {
    for (let tries = 0; !holds(); tries++) {
      if (tries > 8000) throw new Error(`still not so: ${holds.toString()}`);
      await delay(5);
    }
  }

  /** Of `localhost`, by a CA that Spike trusts. */
  certificate(): { key: string; cert: string } {
    const leaf = this.#sites.issue('localhost');
    if (leaf === null) throw new Error('no certificate');
    return { key: this.#sites.privateKeyPem, cert: leaf.chainPem };
  }

  async #expectWell(): Promise<void> {
    const client = await this.peers.connect(this.spike.proxyPort);
    client.write(`GET ${this.wellUrl}/fresh HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nwell$/s);
    await this.until(() => this.spike.plane.openConnections() === 0);
    const begin = vi.spyOn(this.spike.edges, 'begin');
    this.spike.plane.announceOpenFlows();
    expect(begin.mock.calls.map(([flow]) => flow.url ?? flow.kind)).toEqual([]);
    begin.mockRestore();
  }
}

export interface HostileClient {
  /** What it reads, and how its connection ended. */
  readonly raw: RawClient;
  readonly side: HostileSide;
}

export function useHostileScene(clientLimits: ClientLimits | null = null): HostileScene {
  return new HostileScene(clientLimits);
}
