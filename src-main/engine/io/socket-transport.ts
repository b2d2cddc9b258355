import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import type { BytesFate, Transport, TransportOwner } from '../proxy/ports.ts';
import type { DirectReads } from './direct-reads.ts';

/** Below this a text and the bytes after it are joined: one copy costs less than a gathered write of two pieces. */
const joinLimitBytes = 16_384;
/** Bytes handed to the system just before a RST need this long to reach a reader that is awake. */
const resetAfterWriteMs = 10;
/** How long a RST waits for what was written before it to be handed to the system. */
const resetAtLatestMs = 1000;
/** After the last byte was sent, what still comes is thrown away for this long (RFC 9112, section 9.6). */
const lingerMs = 1000;
/** A peer that takes nothing of what is left to send for this long is not waited for. */
const stalledMs = 10_000;

/** A socket as a Transport. `owner` may change during its life (a session hands over to a tunnel). */
export class SocketTransport implements Transport {
  owner: TransportOwner | null = null;
  readonly socket: Socket;
  /** The TCP socket below a TLS one: only TCP can be reset. */
  readonly #tcp: Socket;
  readonly #clock: Clock;
  #error: NodeJS.ErrnoException | null = null;
  #wrote = false;
  #holds = 0;
  #ending: 'no' | 'close' | 'reset' = 'no';
  /** Of the end that is under way; none is left when the socket has closed. */
  #timer: Timer | null = null;

  /** @param reads What the socket was made to read with; null: its stream. */
  constructor(clock: Clock, socket: Socket, tcp: Socket = socket, reads: DirectReads | null = null) {
    this.#clock = clock;
    this.socket = socket;
    this.#tcp = tcp;
    if (reads === null) socket.on('data', (bytes: Buffer) => void this.#received(bytes));
    else reads.deliver = (bytes) => this.#received(bytes);
    socket.on('end', () => {
      if (this.#ending === 'no') this.owner?.ended();
    });
    socket.on('drain', () => {
      if (this.#ending === 'no') this.owner?.drained();
    });
    socket.on('error', (error) => {
      this.#error = error;
      // After a fatal alert Node tells the error, and then an orderly end, as if nothing had been.
      if (!socket.destroyed) this.destroy();
    });
    socket.on('close', () => {
      this.#setTimer(null);
      this.owner?.closed(this.#error);
    });
  }

  /** Somebody else reads from and writes to the socket from now on. It can still be ended here. */
  detach(): void {
    this.owner = null;
    const { socket } = this;
    for (const event of ['data', 'end', 'drain']) socket.removeAllListeners(event);
    socket.pause();
  }

  get isFull(): boolean {
    return this.socket.writableNeedDrain;
  }

  get isFlushed(): boolean {
    return this.socket.writableLength === 0 && this.#tcp.writableLength === 0;
  }

  /** Whether there is a reason for not reading. */
  get isHeld(): boolean {
    return this.#holds !== 0;
  }

  /**
   * Ends the connection if its peer has reset it and nobody could notice. The system tells of a RST only to who reads, and libuv
   * reads neither a socket that is held and has its buffer full, nor one whose peer says no more. An empty write sends
   * nothing, and fails on a broken connection.
   */
  probe(): void {
    const { socket } = this;
    const isUnread = this.#holds !== 0 || socket.readableEnded;
    if (!isUnread || this.owner === null || this.#ending !== 'no' || socket.writableEnded) return;
    // What is still to be written tells by itself, and nothing may come between the records of TLS.
    if (socket.writableLength > 0 || this.#tcp.writableLength > 0) return;
    if (this.#tcp.writable) this.#tcp.write('');
  }

  /** Changes when the peer has sent something, or has taken something of what was written to it. */
  get progress(): number {
    return this.#tcp.bytesRead - this.socket.writableLength - this.#tcp.writableLength;
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

  pause(reason: number): void {
    if (this.#holds === 0) this.socket.pause();
    this.#holds |= reason;
  }

  resume(reasons: number): void {
    if (this.#holds === 0) return;
    this.#holds &= ~reasons;
    if (this.#holds === 0) this.socket.resume();
  }

  end(): void {
    if (!this.socket.writableEnded) this.socket.end();
  }

  close(): void {
    if (this.#ending !== 'no' || this.socket.destroyed) return;
    this.#ending = 'close';
    this.#holds = 0;
    this.socket.resume();
    this.end();
    if (this.socket.writableFinished) return this.#linger();
    this.socket.once('finish', () => this.#linger());
    this.#watchProgress();
  }

  destroy(): void {
    this.#setTimer(null);
    this.socket.destroy();
    if (this.#tcp !== this.socket) this.#tcp.destroy();
  }

  reset(): void {
    if (this.socket.destroyed || this.#ending === 'reset') return;
    this.#ending = 'reset';
    // A RST discards what the system has not sent yet, so what was written goes first (RFC 9293, section 3.10.7.1).
    if (!this.#wrote) return this.#resetNow();
    this.socket.pause();
    this.#setTimer(resetAtLatestMs, () => this.#resetNow());
    this.socket.write('', () => this.#setTimer(resetAfterWriteMs, () => this.#resetNow()));
  }

  #received(bytes: Buffer): BytesFate {
    const owner = this.owner;
    if (owner === null || this.#ending !== 'no') return 'kept';
    owner.received(bytes);
    return owner.fate ?? 'kept';
  }

  #linger(): void {
    if (this.#ending === 'close') this.#setTimer(lingerMs, () => this.destroy());
  }

  #watchProgress(): void {
    const left = this.socket.writableLength;
    this.#setTimer(stalledMs, () => {
      if (this.socket.writableLength >= left) this.destroy();
      else this.#watchProgress();
    });
  }

  #setTimer(delayMs: number | null, callback?: () => void): void {
    this.#timer?.cancel();
    this.#timer =
      delayMs === null || callback === undefined || this.#tcp.destroyed
        ? null
        : this.#clock.setTimer(delayMs, callback, true);
  }

  #resetNow(): void {
    this.#setTimer(null);
    if (this.#tcp.destroyed) return this.destroy();
    this.#tcp.resetAndDestroy();
    if (this.socket !== this.#tcp) this.socket.destroy();
  }
}
