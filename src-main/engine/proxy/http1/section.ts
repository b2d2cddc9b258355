import { findFatalOctet } from './head-refusals.ts';
import { CR, LF } from './octets.ts';

const END = Buffer.from('\r\n\r\n');

/** `complete`: see start, end, next. `partial`: wants more. `hopeless`: an octet has come that no head may have. */
export type SectionState = 'complete' | 'partial' | 'hopeless' | 'too-large';

/**
 * A head or trailer section: everything up to an empty line. In place when it comes in one chunk, which is the rule;
 * else gathered in a buffer of its own, so that each byte is copied once however small the chunks are.
 */
export class Section {
  /** What holds the section; also what has come of one that is not complete. */
  bytes: Buffer | null = null;
  start = 0;
  /** After the empty line when complete, after the last byte that has come when not. */
  end = 0;
  /** Index in the chunk of the first byte after the section. */
  next = 0;

  private own: Buffer | null = null;
  private ownLength = 0;
  private checked = 0;

  /** Whether the first bytes of a section have come, but not its end. */
  get isPartial(): boolean {
    return this.ownLength > 0;
  }

  /** Forgets all: buffers are not kept for a next section, since one may have been handed on, and most need none. */
  reset(): void {
    this.bytes = null;
    this.own = null;
    this.ownLength = 0;
    this.checked = 0;
  }

  /**
   * Takes what belongs to the section from `chunk`, beginning at `at`. With `mayBeEmpty` an empty line at its very
   * beginning is all of it.
   */
  read(chunk: Buffer, at: number, maxBytes: number, mayBeEmpty: boolean): SectionState {
    if (this.ownLength > 0) return this.gather(chunk, at, maxBytes, mayBeEmpty);
    const isEmpty = mayBeEmpty && chunk[at] === CR && chunk[at + 1] === LF && maxBytes >= 2;
    if (isEmpty) return this.found(chunk, at, at + 2, at + 2);
    const end = chunk.indexOf(END, at);
    if (end < 0 || end + END.length - at > maxBytes) return this.gather(chunk, at, maxBytes, mayBeEmpty);
    return this.found(chunk, at, end + END.length, end + END.length);
  }

  private found(bytes: Buffer, start: number, end: number, next: number): SectionState {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.next = next;
    return 'complete';
  }

  private gather(chunk: Buffer, at: number, maxBytes: number, mayBeEmpty: boolean): SectionState {
    const before = this.ownLength;
    const length = Math.min(before + chunk.length - at, maxBytes);
    const own = this.ensureCapacity(length, maxBytes);
    chunk.copy(own, before, at, at + length - before);
    this.ownLength = length;
    const end = endOfSection(own.subarray(0, length), before, mayBeEmpty);
    if (end >= 0) return this.found(own, 0, end, at + end - before);
    this.found(own, 0, length, at + length - before);
    return this.judge(own, length, maxBytes);
  }

  private judge(own: Buffer, length: number, maxBytes: number): SectionState {
    if (findFatalOctet(own, this.checked, length) >= 0) return 'hopeless';
    // A last CR is looked at again, with what follows it.
    this.checked = own[length - 1] === CR ? length - 1 : length;
    return length === maxBytes ? 'too-large' : 'partial';
  }

  private ensureCapacity(length: number, maxBytes: number): Buffer {
    if (this.own !== null && this.own.length >= length) return this.own;
    const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(length * 2, 1024), maxBytes));
    this.own?.copy(larger, 0, 0, this.ownLength);
    this.own = larger;
    return larger;
  }
}

/** Looks only at what is new, and at the three bytes before it, where an end may have begun. */
function endOfSection(bytes: Buffer, searched: number, mayBeEmpty: boolean): number {
  if (mayBeEmpty && bytes[0] === CR && bytes[1] === LF) return 2;
  const end = bytes.indexOf(END, Math.max(0, searched - END.length + 1));
  return end < 0 ? -1 : end + END.length;
}
