import { getField } from '../../proxy/http1/fields.ts';
import { byteCount, sizeWords } from '../fault-mark.ts';
import { BodyReader } from './body-reader.ts';
import { frameWhole } from './message-framing.ts';
import { readHead, writeHead } from './message-head.ts';
import type { EditableHead } from './message-head.ts';
import type { MessageShape, Stage, StageContext } from './stage.ts';

/** A body that has to be known whole is collected up to this size; a longer one passes as it is. */
export const longestCollectedBytes = 10 * 1024 ** 2;

/**
 * What a fault wants with a message whose head it has seen.
 * - `untouched`: it passes as it came.
 * - `head`: the head has been changed; the body passes as it is framed.
 * - `whole`: `rewrite` is given the body when it has come.
 * - `replacement`: `rewrite` is given nothing, and at once; the body that comes is thrown away.
 * - `pieces`: `piece` is given the body as it comes, without framing, and frames it anew.
 */
export type Wanted = 'untouched' | 'head' | 'whole' | 'replacement' | 'pieces';

/** A body that takes the place of another. */
export interface NewBody {
  readonly body: Buffer;
  /** The length that its framing says; its own, unless the message is to be wrong. */
  readonly declaredBytes: number;
}

/** What passes in place of a piece of the body, and whether the connection ends behind it. */
export interface NewPiece {
  readonly bytes: Buffer;
  readonly closes: boolean;
}

/** What is done when a message has come to its end: it ends, its connection is closed, or it never ends. */
export type Ending = 'end' | 'close' | 'never';

/** What one fault does with one message. It writes its mark, and says there why it did nothing. */
export interface MessageEditor {
  /** The head has come: it may be changed, and says what is wanted of the body. */
  head(head: EditableHead, shape: MessageShape): Wanted;
  /** null: it passes as it came. The head may be changed once more; its framing follows the body by itself. */
  rewrite?(body: Buffer, head: EditableHead): Promise<NewBody | null>;
  piece?(data: Buffer): NewPiece;
  /** @param trailers As in `BodyReader`. */
  lastPiece?(trailers: Buffer): NewPiece;
  /** The rule was turned off in the middle of pieces: those that follow are to be right. */
  letGo?(): void;
  /** Absent: `end`. */
  readonly ending?: Ending;
}

type Step =
  | 'head'
  | 'passing' // as it comes
  | 'collecting' // the body
  | 'rewriting' // the body is there, and is being changed
  | 'replacing' // the new body is being made, or on its way; what comes is thrown away
  | 'pieces'
  | 'ending' // all has come, and it never ends
  | 'over';

/**
 * Stands on a link for a fault that changes messages: finds the head and takes the framing off the body, gives both to the
 * fault, and frames what it makes of them. Turned off before anything has left, the message goes on as it came; a message
 * that has been begun otherwise is finished so. A body is collected while rules have room for it (`HoldBudget`), and counts there
 * until what takes its place has left, however long the editor takes; what an editor makes on its way is its own.
 *
 *     head ──► editor.head ─┬─ untouched, head ──────────────────────► body as it is framed
 *                           ├─ whole ─► BodyReader ─► editor.rewrite ─► framed anew
 *                           ├─ replacement ─────────► editor.rewrite ─► framed anew
 *                           └─ pieces ─► BodyReader ─► editor.piece
 */
export class MessageStage implements Stage {
  #step: Step = 'head';
  /** What has come and not left, as it came. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #keptBytes = 0;
  #ended = false;
  #head: EditableHead | null = null;
  #reader: BodyReader | null = null;
  #data: Buffer[] = [];
  #newBody: NewBody | null = null;
  #isCommitted = false;
  readonly #editor: MessageEditor;
  readonly #context: StageContext;

  constructor(editor: MessageEditor, context: StageContext) {
    this.#editor = editor;
    this.#context = context;
  }

  get stays(): boolean {
    return this.#isCommitted;
  }

  push(chunk: Buffer): void {
    switch (this.#step) {
      case 'head':
        this.#hold(chunk);
        if (this.#heldBytes >= this.#context.shape().headBytes) this.#headCame();
        break;
      case 'passing':
        this.#context.emit(chunk);
        break;
      case 'collecting':
        this.#hold(chunk);
        this.#collect(chunk);
        break;
      case 'pieces':
        this.#piece(chunk);
        break;
      case 'rewriting':
      case 'replacing':
      case 'ending':
      case 'over':
        this.#context.dropped(chunk.length);
    }
  }

  end(): void {
    this.#ended = true;
    switch (this.#step) {
      case 'head':
        return this.#giveUp(); // It broke off.
      case 'passing':
        return this.#finish();
      case 'collecting':
        return this.#rewrite(Buffer.concat(this.#data));
      case 'replacing':
        if (this.#newBody !== null) this.#finish();
        return;
      case 'pieces':
        return this.#endPieces();
      case 'rewriting':
      case 'ending':
      case 'over':
    }
  }

  release(): void {
    const { mark } = this.#context;
    const isWaiting = this.#step === 'head' || this.#step === 'collecting' || this.#step === 'rewriting';
    if (isWaiting) {
      mark.outcome = 'released';
      mark.describe = () => `was let go before it changed the ${mark.direction}`;
      this.#giveUp();
    } else if (this.#step === 'pieces') this.#editor.letGo?.();
    else if (this.#step === 'ending') {
      this.#step = 'over';
      this.#context.close();
    }
  }

  dispose(): void {
    this.#step = 'over';
    this.#held = [];
    this.#data = [];
  }

  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
  }

  /** The body in one piece, besides what came. */
  #keep(bytes: number): void {
    this.#context.keeps(bytes - this.#keptBytes);
    this.#keptBytes = bytes;
  }

  #headCame(): void {
    const shape = this.#context.shape();
    const came = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    const head = readHead(came.toString('latin1', 0, shape.headBytes));
    const rest = came.subarray(shape.headBytes);
    this.#head = head;
    switch (this.#editor.head(head, shape)) {
      case 'untouched':
        return this.#giveUp();
      case 'head':
        return this.#passBody(head, shape, rest);
      case 'whole':
        return this.#beginCollecting(shape, rest);
      case 'replacement':
        return this.#beginReplacing(rest);
      case 'pieces':
        return this.#beginPieces(head, shape, rest);
    }
  }

  /** What came goes on as it came, and so does what follows. */
  #giveUp(): void {
    this.#step = 'passing';
    const held = this.#held;
    this.#held = [];
    this.#data = [];
    this.#context.collects(0);
    this.#keep(0);
    this.#settle();
    for (const chunk of held) this.#context.emit(chunk);
    if (this.#ended) this.#context.emitEnd();
  }

  // --- a changed head

  #passBody(head: EditableHead, shape: MessageShape, rest: Buffer): void {
    this.#step = 'passing';
    this.#isCommitted = this.#ending !== 'end';
    this.#held = [];
    this.#settle();
    this.#emitHead(head, shape);
    if (rest.length > 0) this.#context.emit(rest);
  }

  // --- a body that is known whole

  #beginCollecting(shape: MessageShape, rest: Buffer): void {
    if ((shape.bodyBytes ?? 0) > longestCollectedBytes) return this.#tooLong();
    if (!this.#context.budget.hasRoomFor(shape.bodyBytes ?? 0)) return this.#noRoom();
    const coding = getField((this.#head as EditableHead).fields, 'transfer-encoding') ?? 'chunked';
    if (coding.toLowerCase() !== 'chunked') return this.#untouched(`its transfer coding is ${coding}`);
    this.#step = 'collecting';
    this.#context.collects(longestCollectedBytes);
    this.#reader = new BodyReader(shape.framing ?? 'stream');
    if (rest.length > 0) this.#collect(rest);
  }

  #collect(chunk: Buffer): void {
    const reader = this.#reader as BodyReader;
    for (const piece of reader.read(chunk)) this.#data.push(piece);
    if (reader.isBroken) this.#untouched('its framing was broken before');
    else if (this.#heldBytes > longestCollectedBytes) this.#tooLong();
    else if (this.#context.budget.isFull) this.#noRoom();
  }

  #tooLong(): void {
    this.#untouched(`it is longer than ${byteCount(longestCollectedBytes)}`);
  }

  #noRoom(): void {
    const { budget } = this.#context;
    budget.messageLeft();
    this.#untouched(`rules hold ${sizeWords(budget.limitBytes)} already`);
  }

  #untouched(why: string): void {
    const { mark } = this.#context;
    mark.describe = () => `left the ${mark.direction} as it was: ${why}`;
    this.#giveUp();
  }

  #rewrite(body: Buffer): void {
    this.#step = 'rewriting';
    this.#keep(body.length);
    void this.#rewritten(body).then((made) => {
      // Released or disposed meanwhile.
      if (this.#step !== 'rewriting') return;
      if (made === null) return this.#giveUp();
      this.#settle();
      this.#emitNew(made);
      this.#finish();
    });
  }

  #beginReplacing(rest: Buffer): void {
    this.#step = 'replacing';
    this.#isCommitted = true;
    this.#held = [];
    this.#heldBytes -= rest.length;
    this.#context.dropped(rest.length);
    void this.#rewritten(rest.subarray(0, 0)).then((made) => {
      if (this.#step !== 'replacing' || made === null) return;
      this.#newBody = made;
      this.#settle();
      this.#emitNew(made);
      if (this.#ended) this.#finish();
    });
  }

  #rewritten(body: Buffer): Promise<NewBody | null> {
    return this.#editor.rewrite?.(body, this.#head as EditableHead) ?? Promise.resolve(null);
  }

  /** In place of all that is held. */
  #emitNew({ body, declaredBytes }: NewBody): void {
    const context = this.#context;
    const shape = context.shape();
    const head = this.#head as EditableHead;
    this.#isCommitted = true;
    const trailers = this.#reader?.trailers ?? noBytes;
    const wire = frameWhole(head, shape, body, declaredBytes, trailers);
    const framing = shape.httpVersion === '2' ? 'stream' : 'length';
    context.added(wire.length);
    context.dropped(this.#heldBytes - shape.headBytes);
    this.#emitHead(head, { ...shape, bodyBytes: wire.length, framing });
    this.#held = [];
    this.#data = [];
    this.#keep(0);
    if (wire.length > 0) context.emit(wire);
    context.collects(0);
  }

  // --- a body that is framed anew as it comes

  #beginPieces(head: EditableHead, shape: MessageShape, rest: Buffer): void {
    this.#step = 'pieces';
    this.#isCommitted = true;
    this.#held = [];
    this.#reader = new BodyReader(shape.framing ?? 'stream');
    this.#emitHead(head, { ...shape, bodyBytes: null, framing: 'chunked' });
    if (rest.length > 0) this.#piece(rest);
  }

  #piece(wire: Buffer): void {
    const reader = this.#reader as BodyReader;
    this.#context.dropped(wire.length);
    for (const data of reader.read(wire)) {
      const made = this.#editor.piece?.(data);
      if (made !== undefined && this.#step === 'pieces') this.#emitPiece(made);
    }
  }

  #endPieces(): void {
    const trailers = (this.#reader as BodyReader).trailers;
    const made = this.#editor.lastPiece?.(trailers);
    if (made !== undefined) this.#emitPiece(made);
    if (this.#step === 'pieces') this.#finish();
  }

  #emitPiece({ bytes, closes }: NewPiece): void {
    this.#context.added(bytes.length);
    if (closes) {
      this.#step = 'over';
      this.#settle();
    }
    if (bytes.length > 0) this.#context.emit(bytes);
    if (closes) this.#context.close();
  }

  // --- the ends

  get #ending(): Ending {
    return this.#editor.ending ?? 'end';
  }

  #emitHead(head: EditableHead, shape: MessageShape): void {
    const bytes = writeHead(head);
    const before = this.#context.shape().headBytes;
    this.#context.reshape({ ...shape, headBytes: bytes.length, fields: head.fields });
    this.#context.added(bytes.length);
    this.#context.dropped(before);
    this.#context.emit(bytes);
  }

  #settle(): void {
    const { mark } = this.#context;
    if (mark.outcome === 'acting') mark.outcome = 'done';
  }

  #finish(): void {
    const ending = this.#isCommitted ? this.#ending : 'end';
    this.#step = ending === 'never' ? 'ending' : 'over';
    this.#settle();
    if (ending === 'end') this.#context.emitEnd();
    else if (ending === 'close') this.#context.close();
  }
}

const noBytes = Buffer.alloc(0);
