import type { Socket } from 'node:net';
import type { Transport, TransportOwner } from '../proxy/ports.ts';

/** Below this a text and the bytes after it are joined: one copy costs less than a gathered write of two pieces. */
const joinLimitBytes = 16_384;
/** Bytes handed to the system just before a RST need this long to reach a reader that is awake. */
const resetAfterWriteMs = 10;

/** A socket as a Transport. `owner` may change during its life (a session hands over to a tunnel). */
export class SocketTransport implements Transport {
  owner: TransportOwner | null = null;
  readonly socket: Socket;
  /** The TCP socket below a TLS one: only TCP can be reset. */
  readonly #tcp: Socket;
  #error: NodeJS.ErrnoException | null = null;
  #wrote = false;

  constructor(socket: Socket, tcp: Socket = socket) {
    this.socket = socket;
    this.#tcp = tcp;
    socket.on('data', (bytes: Buffer) => this.owner?.received(bytes));
    socket.on('end', () => this.owner?.ended());
    socket.on('drain', () => this.owner?.drained());
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.owner?.closed(this.#error));
  }

  write(bytes: Buffer): boolean {
    this.#wrote = true;
    return this.socket.write(bytes);
  }

  writeText(text: string): boolean {
    this.#wrote = true;
    return this.socket.write(text, 'latin1');
  }

  writeBoth(text: string, bytes: Buffer): boolean {
    this.#wrote = true;
    if (text.length + bytes.length <= joinLimitBytes) {
      const joined = Buffer.allocUnsafe(text.length + bytes.length);
      joined.write(text, 0, 'latin1');
      joined.set(bytes, text.length);
      return this.socket.write(joined);
    }
    this.socket.cork();
    this.socket.write(text, 'latin1');
    const more = this.socket.write(bytes);
    this.socket.uncork();
    return more;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    if (!this.socket.writableEnded) this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
    if (this.#tcp !== this.socket) this.#tcp.destroy();
  }

  reset(): void {
    if (this.socket.destroyed) return;
    // A RST discards what the system has not sent yet, so what was written goes first (RFC 9293, section 3.10.7.1).
    if (!this.#wrote) return this.#resetNow();
    this.socket.pause();
    const late = setTimeout(() => this.#resetNow(), 1000);
    this.socket.write('', () => {
      clearTimeout(late);
      setTimeout(() => this.#resetNow(), resetAfterWriteMs);
    });
  }

  #resetNow(): void {
    if (this.#tcp.destroyed) return this.destroy();
    this.#tcp.resetAndDestroy();
    if (this.socket !== this.#tcp) this.socket.destroy();
  }
}
