import type { DecodedProtocol, Direction } from '#shared/flow/flow.ts';
import type { FlowMessage } from '#shared/flow/message.ts';

/** A message as a decoder tells it: what is left out is `null`, `''`, `false` or `text`; index and times are added. */
export type MessageDraft = Pick<FlowMessage, 'type' | 'direction' | 'sizeBytes'> &
  Partial<Omit<FlowMessage, 'index' | 'atMs'>> & {
    /** Unix ms when it was whole (a command: when it was asked). */
    readonly at: number;
  };

/** Where a decoder's messages go. */
export type MessageOutput = (message: MessageDraft) => void;

/** Whether there is room for messages. A decoder may do without: it is a way to do less for what is only counted. */
export interface MessageRoom {
  /** Asked when a message begins. One that is not wanted is told all the same if it fails, else by `skip`. @param at Unix ms. */
  wants(at: number): boolean;
  /** One that is counted and not kept. */
  skip(): void;
}

/** Everything is wanted. */
export const roomForAll: MessageRoom = { wants: () => true, skip: () => undefined };

/**
 * Reads what passes, without touching it: bytes are forwarded whatever a decoder makes of them. One object a flow, no I/O,
 * bounded memory. What it cannot read it gives up on: it tells so once by `isLost`, and takes no more bytes. One that throws
 * has a bug; those of the registry are guarded, so that whoever shows them bytes need not catch anything.
 */
export interface StreamDecoder {
  /**
   * Bytes of one direction, in the order in which they passed.
   * @param chunk Belongs to the data path: what is kept of it is copied.
   * @param at Unix ms.
   */
  bytes(direction: Direction, chunk: Buffer, at: number): void;
  /** The flow is over: commands without an answer are told as such. A half-closed one goes on: its answers may still come. */
  end(at: number): void;
  /** The bytes are not what was expected (or are encrypted from here on): nothing more is told. */
  readonly isLost: boolean;
  /** After `end`: resolves when the last message has been told, for decoders that decompress; null: all were. Never rejects. */
  settled?(): Promise<void> | null;
}

/** One application protocol that tunnels carry. The registry has them in order; the first one that knows the bytes has them. */
export interface ProtocolDecoder {
  /** As it is shown and searched for: `postgresql`, `redis`. */
  readonly protocol: DecodedProtocol;
  /**
   * Whether the first bytes of a client are this protocol's. `more`: they may be, and more must come first.
   * @param port The port of the upstream: a hint where bytes alone do not tell.
   */
  recognise(first: Buffer, port: number): 'yes' | 'no' | 'more';
  /** @param room Absent: all is told. */
  create(output: MessageOutput, room?: MessageRoom): StreamDecoder;
}
