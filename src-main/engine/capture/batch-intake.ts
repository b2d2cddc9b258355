import type { Readable } from 'node:stream';
import { FrameReader } from './batch-frame.ts';
import type { FrameHeader, FrameVisitor } from './batch-frame.ts';

/** The worker whose batches come out of a pipe. */
export interface BatchOwner {
  /** So many bytes of its batches are stored, or given up and counted. */
  stored(bytes: number): void;
  /** What the worker itself had no room for. */
  dropped(flows: number, bodies: number): void;
}

/** The recorder's thread, as far as an intake needs it. */
export interface IntakeThread {
  /** False while the thread is gone: nothing can be handed to it. */
  readonly isThere: boolean;
  /** Hands bytes over; they are gone for the caller. */
  hand(source: number, bytes: ArrayBuffer): void;
  ended(source: number): void;
  /** Flows that reached the primary and cannot be stored. */
  lost(flows: number): void;
}

interface Waiting {
  readonly bytes: number;
  readonly flows: number;
}

/**
 * The primary's part in recording: what comes out of a worker's pipe goes on to the recorder's thread as it is. Nothing is
 * put together here, since memory of this process's heap is dear: its garbage is collected where the window is drawn.
 * What is under way is known by the headers that pass, so that it can be counted if the thread dies.
 */
export class BatchIntake {
  readonly #source: number;
  readonly #owner: BatchOwner;
  readonly #thread: IntakeThread;
  readonly #reader = new FrameReader();
  readonly #visitor: FrameVisitor = {
    began: (header, raw) => this.#began(header, raw),
    content: (bytes) => {
      if (this.#taken && !this.#inStep) this.#handCopy(bytes);
    },
    ended: () => undefined,
  };
  #waiting: Waiting[] = [];
  #closed = false;
  /** Whether the thread has all that has come since the beginning of a frame: then chunks are handed on whole. */
  #inStep: boolean;
  /** Whether the frame at hand was begun with the thread that is there now. */
  #taken = false;
  /** Resolves when the pipe has ended, and all of it was handed on. */
  readonly ended: Promise<void>;

  constructor(source: number, pipe: Readable, owner: BatchOwner, thread: IntakeThread) {
    this.#source = source;
    this.#owner = owner;
    this.#thread = thread;
    this.#inStep = thread.isThere;
    pipe.on('data', (chunk: Buffer) => this.#read(chunk));
    // A worker that was killed: its end follows.
    pipe.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      pipe.once('close', () => {
        this.#closed = true;
        thread.ended(source);
        resolve();
      });
    });
  }

  /** Nothing more comes, and nothing is under way. */
  get isDone(): boolean {
    return this.#closed && this.#waiting.length === 0;
  }

  /** The thread has stored so many of its batches, the oldest first. */
  stored(batches: number): void {
    this.#release(batches);
  }

  /** The thread has died with all that was under way. */
  threadLost(): void {
    this.#thread.lost(this.#waiting.reduce((sum, { flows }) => sum + flows, 0));
    this.#release(this.#waiting.length);
    this.#inStep = false;
    this.#taken = false;
  }

  #began(header: FrameHeader, raw: Buffer): void {
    const { bytes, flows, droppedFlows, droppedBodies } = header;
    if (droppedFlows > 0 || droppedBodies > 0) this.#owner.dropped(droppedFlows, droppedBodies);
    this.#taken = this.#thread.isThere;
    if (this.#taken) this.#waiting.push({ bytes, flows });
    else {
      this.#thread.lost(flows);
      this.#owner.stored(bytes);
    }
    if (this.#taken && !this.#inStep) this.#handCopy(raw);
  }

  #read(chunk: Buffer): void {
    this.#reader.read(chunk, this.#visitor);
    if (this.#inStep) this.#thread.hand(this.#source, ownBuffer(chunk));
    // A thread that was started again gets frames from their beginning, piece by piece until it is in step.
    else this.#inStep = this.#taken && !this.#reader.isInHeader;
  }

  #handCopy(bytes: Buffer): void {
    this.#thread.hand(this.#source, new Uint8Array(bytes).buffer);
  }

  #release(batches: number): void {
    const bytes = this.#waiting.splice(0, batches).reduce((sum, waiting) => sum + waiting.bytes, 0);
    if (bytes > 0) this.#owner.stored(bytes);
  }
}

/** The bytes in an ArrayBuffer of their own: one that is shared with other data must not be transferred. */
export function ownBuffer(batch: Uint8Array): ArrayBuffer {
  const whole = batch.byteLength === batch.buffer.byteLength && batch.buffer instanceof ArrayBuffer;
  return whole ? (batch.buffer as ArrayBuffer) : new Uint8Array(batch).buffer;
}
