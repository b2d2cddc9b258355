import type { MessageCounts } from '#shared/flow/flow.ts';
import { messagesPerFlowLimit, messageTextLimit, messageTextPerFlowLimit } from '#shared/flow/message.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import type { FlowRecord, FlowSink, MessageSource } from '../capture/flow-record.ts';
import type { MessageDraft, MessageRoom } from './decoders/decoder.ts';
import { MessageRate } from './message-rate.ts';

/** About what a message takes in a batch besides its text. */
const messageOverheadBytes = 100;

/**
 * The messages inside one flow: numbered and bounded here, kept until the next batch takes them. Beyond the bounds of
 * one flow (messages, characters) and of the worker (`MessageRate`) they are counted only.
 */
export class FlowMessages implements MessageSource, MessageRoom {
  #pending: FlowMessage[] = [];
  #textLength = 0;
  readonly #counts: MessageCounts = { count: 0, dropped: 0 };
  readonly #flow: FlowRecord;
  readonly #sink: FlowSink;
  readonly #firstTold: () => void;
  readonly #rate: MessageRate;

  /**
   * @param firstTold Called once, with the first message: until then it is a flow as any other.
   * @param rate What all flows of the worker share; by default its own.
   */
  constructor(flow: FlowRecord, sink: FlowSink, firstTold: () => void, rate = new MessageRate()) {
    this.#rate = rate;
    this.#flow = flow;
    this.#sink = sink;
    this.#firstTold = firstTold;
  }

  get flowId(): string {
    return this.#flow.id;
  }

  /** No message that comes is kept any more: what is costly to find out about them need not be found out. */
  get isFull(): boolean {
    return this.#counts.count >= messagesPerFlowLimit || this.#textLength >= messageTextPerFlowLimit;
  }

  /** Whether a message that begins now would be kept: one that is not need not be read, and is told by `skip`. @param at Unix ms. */
  wants(at: number): boolean {
    return !this.isFull && this.#rate.allows(at);
  }

  /** What is not whole yet, asked each time that a batch is made: tells what has become whole, and whether more is open. */
  unfinished: (() => boolean) | null = null;
  #isTaking = false;
  #isWaiting = false;

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Something has begun that `unfinished` is to be asked for. */
  wait(): void {
    this.#sink.messages(this, 0);
  }

  /** A message that was told whole. */
  readonly tell = (draft: MessageDraft): void => {
    const index = this.#count();
    const text = draft.text ?? '';
    const isFull = index >= messagesPerFlowLimit || this.#textLength >= messageTextPerFlowLimit;
    if (isFull || !this.#rate.take(draft.at, typeof draft.error === 'string')) {
      this.#counts.dropped += 1;
      return;
    }
    const kept = text.length > messageTextLimit ? cut(text, draft.encoding ?? 'text') : text;
    this.#textLength += kept.length;
    this.#pending.push({
      index,
      type: draft.type,
      direction: draft.direction,
      atMs: microseconds(Math.max(0, draft.at - this.#flow.startedAtMs)),
      durationMs: durationOf(draft),
      sizeBytes: draft.sizeBytes,
      text: kept,
      encoding: draft.encoding ?? 'text',
      truncated: (draft.truncated ?? false) || kept !== text,
      compressed: draft.compressed ?? false,
      summary: draft.summary ?? '',
      error: draft.error ?? null,
    });
    if (!this.#isTaking) this.#sink.messages(this, messageOverheadBytes + kept.length);
  };

  /** One that is counted and not kept. */
  skip(): void {
    this.#count();
    this.#counts.dropped += 1;
  }

  take(): readonly FlowMessage[] {
    this.#isTaking = true;
    this.#isWaiting = this.unfinished?.() ?? false;
    this.#isTaking = false;
    const taken = this.#pending;
    this.#pending = [];
    return taken;
  }

  drop(): void {
    this.#counts.dropped += this.#pending.length;
    this.#pending = [];
  }

  /** Its number. */
  #count(): number {
    if (this.#flow.messages === null) {
      this.#flow.messages = this.#counts;
      this.#firstTold();
    }
    return this.#counts.count++;
  }
}

/** Whole groups of base64, whole characters of a text. */
function cut(text: string, encoding: FlowMessage['encoding']): string {
  if (encoding === 'base64') return text.slice(0, messageTextLimit - (messageTextLimit % 4));
  const isHighSurrogate = (text.charCodeAt(messageTextLimit - 1) & 0xfc00) === 0xd800;
  return text.slice(0, isHighSurrogate ? messageTextLimit - 1 : messageTextLimit);
}

function durationOf({ durationMs = null }: MessageDraft): number | null {
  return durationMs === null ? null : microseconds(durationMs);
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
