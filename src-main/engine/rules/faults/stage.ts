import type { Direction, FlowError } from '#shared/flow/flow.ts';
import type { Fault, FaultOf, FaultType } from '#shared/rules/fault.ts';
import type { Clock, Random } from '../../clock.ts';
import type { FlatFields } from '../../proxy/http1/fields.ts';
import type { Breakpoints } from '../../breakpoints/worker-holds.ts';
import type { FaultMark } from '../fault-mark.ts';
import type { HoldBudget } from '../hold-budget.ts';
import type { RuleHit } from '../rule-hit.ts';
import type { FrameContext, FrameStage } from './frame-stage.ts';

/** Why a stage lets go: its rule was turned off, or changed and is on in its new form, which may follow in its place. */
export type ReleaseReason = 'off' | 'changed';

/**
 * One fault on one link. Bytes come in with `push`, go out through `context.emit`, in order, at most once each.
 *
 * After `release()` (its rule was turned off) a stage has emitted all that it held and passes everything at once.
 * After `dispose()` (the connection is gone) it emits nothing and has no timer left.
 */
export interface Stage {
  push(chunk: Buffer): void;
  end(): void;
  release(why?: ReleaseReason): void;
  dispose(): void;
  /** Released, it has begun what it has to finish (a body of another length), and stays in its place. Absent: it goes. */
  readonly stays?: boolean;
}

/**
 * How the end of a body is found (as in proxy/http1/head.ts). `none`: no body can follow, such as to HEAD. `stream`: by the
 * end of the link, since HTTP/2 frames below it.
 */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'until-close' | 'stream';

/** What is passing, told before the first byte of a message: lets `mid-body` know where the middle is. */
export interface MessageShape {
  /** Bytes of the head that come first; 0 on a tunnel. */
  readonly headBytes: number;
  /** Length of the body on the wire; null when nobody can know yet (chunked, until close, a tunnel). */
  readonly bodyBytes: number | null;
  /** What the receiver understands; null on a tunnel. */
  readonly httpVersion: '1.0' | '1.1' | '2' | null;
  /** null on a tunnel. */
  readonly framing: BodyFraming | null;
  /** The fields as a fault has changed them; null: as they came. HTTP/2 writes its heads with these, not with their text. */
  readonly fields: FlatFields | null;
  /** The first line as a fault has changed it, without its CRLF. Absent: as it came. */
  readonly startLine?: string;
}

/** The call that a message is of, for somebody to recognise it. */
export interface CallSeen {
  readonly flowId: string | null;
  readonly caller: string | null;
  readonly callee: string | null;
  readonly method: string;
  /** Absolute, as the caller asked for it. */
  readonly url: string;
  /** Of the request as it came: lines, each with its CRLF. */
  readonly requestFields: string;
}

export interface StageContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly direction: Direction;
  /** Where the stage writes down what it did. */
  readonly mark: FaultMark;
  /** Whether its rule was on when the link was opened. */
  readonly isFromStart: boolean;
  /** What the rule counted on this link (`mark.bytes`) before it was changed; 0 when it is new. */
  readonly bytesBefore: number;
  /** The shape of the message that the next bytes belong to, as the stages before have made it; a tunnel has none. */
  shape(): MessageShape;
  /** Tells those behind what the message is like from here on; before its first byte is emitted. */
  reshape(shape: MessageShape): void;
  emit(chunk: Buffer): void;
  emitEnd(): void;
  /** Ends the client's connection with a TCP RST, after what was emitted has been handed to the system. */
  reset(): void;
  /** Ends the client's connection in an orderly way, after what was emitted. */
  close(): void;
  /** HTTP/2: resets the client's stream with that code, after what was emitted. */
  resetStream(code: number): void;
  /**
   * gRPC: gives the upstream up and ends the call with these trailers. On the response they follow `emitEnd`, which is to be
   * called next; on the request they are sent at once, and nothing more of it is taken.
   */
  endCall(trailers: FlatFields): void;
  /** On the request: answers the call, of which nothing has left, in place of the upstream. Nothing more of it is taken. */
  answer(answer: LocalAnswer): void;
  /** On the response: nothing more of the upstream is wanted. The end of the answer is let out by the stage. */
  giveUp(): void;
  /** Where it asks for somebody to decide. */
  readonly breakpoints: Breakpoints;
  call(): CallSeen;
  /** The call is over because its caller hung up. */
  isCallerGone(): boolean;
  /** Bytes that came in and are never going to be emitted: they are held no more. */
  dropped(bytes: number): void;
  /** Bytes that are emitted on top of what came in. */
  added(bytes: number): void;
  /** What rules may hold in all: asked by a stage that holds what it cannot let out before more comes. */
  readonly budget: HoldBudget;
  /** Bytes that it keeps besides those that pass; below 0: fewer than before. They count in the budget. */
  keeps(bytes: number): void;
  /** Lets the link hold so many bytes more, for a stage that needs a message whole; 0 takes that back. */
  collects(bytes: number): void;
}

/** How a connection ends before its time: with a TCP RST, or in an orderly way. */
export type Cut = 'reset' | 'close';

/** What is done to a TLS handshake with a client. */
export type HandshakeFault = { readonly describe: string } & (
  | { readonly kind: 'certificate'; readonly problem: FaultOf<'tls-certificate'>['problem'] }
  /** Ended with that alert; null: without one. */
  | { readonly kind: 'abort'; readonly alert: Exclude<FaultOf<'tls-abort'>['alert'], 'close'> | null }
  /** Held for so long; 0: until the rule is turned off. */
  | { readonly kind: 'stall'; readonly stallMs: number }
  | { readonly kind: 'version'; readonly only: FaultOf<'tls-version'>['only'] }
);

/** A connection that is not made. */
export interface ConnectFault {
  /** How long making it lasts. */
  readonly afterMs: number;
  /** For the mark: what the rule did. */
  readonly describe: string;
  readonly failure: FlowError;
}

/** What an exchange is answered with instead of asking the upstream. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Fields besides those of `headers`, for what has several of one name. Absent: none. */
  readonly fields?: FlatFields;
  /** It is one of gRPC, which has no Content-Length; absent: it is not. */
  readonly grpc?: {
    /** null: it ends with its head. */
    readonly trailers: FlatFields | null;
    /** Its status; null: it has none. */
    readonly status: number | null;
  };
}

/** What a call is, for faults that act on some calls only. */
export interface CallKind {
  /** Its client speaks HTTP/2. */
  readonly isHttp2: boolean;
  /** In HTTP/2, and by its content type. */
  readonly isGrpc: boolean;
}

/** How one type of fault is run. What it does not do is null. */
export interface FaultImplementation<T extends FaultType> {
  /** Its stages read HTTP: on a tunnel they have no place. Absent: any bytes will do. */
  readonly needsMessages?: true;
  /** What a call has to be, to be acted on; one that is not is told so in its mark. Absent: any will do. */
  readonly needsCall?: keyof CallKind;
  /** The directions whose link it stands on. */
  directions(fault: FaultOf<T>): readonly Direction[];
  /** A stage for the link; null for a fault that is not about bytes. */
  readonly createStage: ((fault: FaultOf<T>, context: StageContext) => Stage) | null;
  /** An answer in place of the upstream's, to a call of which its trigger said `hit`; null for a fault that gives none. */
  readonly answer: ((fault: FaultOf<T>, hit: RuleHit) => LocalAnswer) | null;
  /** What it does to the client's TLS handshake; absent: nothing. */
  handshake?(fault: FaultOf<T>): HandshakeFault;
  /** What happens in place of connecting to the upstream; absent or null: it is connected. */
  failsConnecting?(fault: FaultOf<T>): ConnectFault | null;
  /** `scheme://host:port` of the upstream that gets the call in place of the one that was meant; absent: it stays. */
  redirectsTo?(fault: FaultOf<T>): string;
  /** How it ends the connection as the call or tunnel begins; absent or null: it does not. */
  cutsAtStart?(fault: FaultOf<T>): Cut | null;
  /** The code that the client's stream is reset with as the call begins; absent or null: it is not. */
  resetsStreamAtStart?(fault: FaultOf<T>): number | null;
  /** Its stages on the frames of a WebSocket, made when both directions have a place for them; absent: it has none. */
  frames?(fault: FaultOf<T>, context: FrameContext): Partial<Record<Direction, FrameStage>>;
  /** The code of the GOAWAY that the client's connection gets as the call begins; absent: none. */
  goaway?(fault: FaultOf<T>): number;
}

/** An implementation without its type parameter, as the runtime uses it after looking it up by `fault.type`. */
export type AnyFaultImplementation = FaultImplementation<FaultType> & { readonly never?: Fault };
