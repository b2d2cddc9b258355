import type { HeldAnswer, HeldCall, HeldEdit, HeldMessage, HeldOutcome } from '#shared/contract/held.ts';

/**
 * What a worker and its primary say about calls that breakpoints hold. The worker has the call and decides what becomes of it;
 * the primary has the list, the bounds and whoever asks.
 *
 *     worker ── held.ask, held.reserve, held.size, held.gone, held.over, held.reply ──► primary
 *     worker ◄── held.verdict, held.act, held.forget ── primary
 */

/** A row as its worker knows it. `hold` is its number there. */
export interface HoldFacts extends Pick<
  HeldCall,
  | 'flowId'
  | 'ruleId'
  | 'ruleName'
  | 'at'
  | 'onTimeout'
  | 'caller'
  | 'callee'
  | 'method'
  | 'url'
  | 'status'
  | 'sizeBytes'
> {
  readonly heldAtMs: number;
  readonly expiresAtMs: number;
}

/** The part of a `HeldMessage` that only its worker has. Bodies are bytes until they leave the agent. */
export interface HeldView {
  readonly message: WithBytes<HeldMessage['message']>;
  readonly request: HeldMessage['request'];
}
type WithBytes<M> = M extends unknown ? Omit<M, 'body'> & { readonly body: Uint8Array } : never;

/** What somebody wants with a held call. */
export type HoldAct =
  | { readonly kind: 'read' }
  | { readonly kind: 'release'; readonly edit: HeldEdit }
  | { readonly kind: 'drop' }
  | { readonly kind: 'answer'; readonly answer: HeldAnswer };

/** What of an input cannot be done with this call, as in `details` of `invalid-input`. */
export interface HeldProblem {
  readonly path: string;
  readonly message: string;
}

export type HoldReply =
  | { readonly kind: 'view'; readonly view: HeldView }
  | { readonly kind: 'done'; readonly outcome: HeldOutcome }
  /** It was too late: what has become of it was told before. */
  | { readonly kind: 'over' }
  | { readonly kind: 'refused'; readonly problems: readonly HeldProblem[] };

export type HeldToPrimary =
  /** Asks to hold a call; answered by `held.verdict`. `reserveBytes`: what its body may come to. */
  | {
      readonly type: 'held.ask';
      readonly hold: number;
      readonly facts: HoldFacts;
      readonly reserveBytes: number;
    }
  /** A body that is longer than was reserved for it; answered by `held.verdict`. */
  | { readonly type: 'held.reserve'; readonly hold: number; readonly reserveBytes: number }
  | { readonly type: 'held.size'; readonly hold: number; readonly sizeBytes: number }
  /** The caller has gone; what was held is kept for reading until `held.forget`. */
  | { readonly type: 'held.gone'; readonly hold: number }
  /** It is no longer held, without that anybody asked for it. */
  | { readonly type: 'held.over'; readonly hold: number; readonly outcome: HeldOutcome }
  | { readonly type: 'held.reply'; readonly ask: number; readonly hold: number; readonly reply: HoldReply };

export type HeldToWorker =
  /** `refusal`: why it is not held, as the end of a sentence; null: it is. */
  | { readonly type: 'held.verdict'; readonly hold: number; readonly refusal: string | null }
  | { readonly type: 'held.act'; readonly ask: number; readonly hold: number; readonly act: HoldAct }
  | { readonly type: 'held.forget'; readonly hold: number };
