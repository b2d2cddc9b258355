import type { OnReadOpts } from 'node:net';
import type { BytesFate } from '../proxy/ports.ts';

/** Of one read: what libuv reads at most at once. */
const blockBytes = 65_536;
/** Shorter reads are handed on as copies of their own length, which whoever gets them may keep. */
export const copiedBelowBytes = 16_384;
const maxSpare = 32;
/** Blocks of one connection that are on their way to the other side: it is not read on while that side does not keep up. */
const maxPassing = 4;

/** Memory to read into, used again: as garbage it would be collected late, since it lies outside of V8's heap. */
const spare: Buffer[] = [];
/** All sockets read into this one while their reads are short: what is in it is copied before anybody else is read. */
const shared = Buffer.allocUnsafeSlow(blockBytes);

function takeBlock(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
}

function giveBack(block: Buffer): void {
  if (spare.length < maxSpare) spare.push(block);
}

/**
 * Reads one TCP socket without the buffers of its stream, which are 64 KiB of garbage for each read, whatever its length:
 *
 *     short reads ─► shared ─► a copy, for good
 *     long reads  ─► a block of the socket's own ─► used again as soon as nobody looks at it
 *
 * Given to `net.connect`; has to be told where bytes go (`deliver`) before the socket is connected, or right then.
 */
export class DirectReads {
  readonly onread: OnReadOpts;
  /** Takes what was read, and says what becomes of it. */
  deliver: (bytes: Buffer) => BytesFate = () => 'kept';
  /** The block that is read into now; null: the shared one. */
  #block: Buffer | null = null;
  #passing: Buffer[] = [];

  constructor() {
    let next: Buffer = shared;
    this.onread = {
      buffer: () => next,
      callback: (bytesRead, target) => {
        next = this.#read(bytesRead, target as Buffer);
        return true;
      },
    };
  }

  /** What is on its way stays untouched for good: who was asked about it is not there any more. */
  forget(): void {
    this.#passing = [];
  }

  /** Returns what is to be read into next. */
  #read(bytesRead: number, target: Buffer): Buffer {
    if (bytesRead < copiedBelowBytes) {
      this.deliver(Buffer.from(target.subarray(0, bytesRead)));
      return this.#backToShared();
    }
    const block = this.#block ?? takeBlock();
    if (this.#block === null) target.copy(block, 0, 0, bytesRead);
    this.#block = this.#follow(block, this.deliver(block.subarray(0, bytesRead)));
    return this.#block;
  }

  /** The block for the next read: the same one where nobody looks at it any more. */
  #follow(block: Buffer, fate: BytesFate): Buffer {
    if (fate === 'passed') {
      for (const passed of this.#passing.splice(0)) giveBack(passed);
      return block;
    }
    if (fate === 'passing') {
      this.#passing.push(block);
      if (this.#passing.length > maxPassing) this.#passing.shift();
    }
    return takeBlock();
  }

  #backToShared(): Buffer {
    if (this.#block !== null) giveBack(this.#block);
    this.#block = null;
    return shared;
  }
}
