import type { NetworkFailure } from '../ports.ts';

/** What to do after bytes of the proxy. */
export type ProxyStep =
  /** It is not over. */
  (
    | { readonly type: 'more' }
    /** The upstream is reached; `rest` has come from it already. */
    | { readonly type: 'open'; readonly rest: Buffer | null }
    | { readonly type: 'failed'; readonly failure: NetworkFailure }
  ) & {
    /** Goes to the proxy first; null: nothing. A proxy that says much at once is answered as one that waits for each answer. */
    readonly send: Buffer | null;
  };

/** Asks a proxy for a connection to one upstream: bytes in, bytes out. */
export interface ProxyConversation {
  /** What the client says first. */
  begin(): Buffer;
  /** Takes bytes as they come, in any pieces; nothing more after `open` or `failed`. */
  read(bytes: Buffer): ProxyStep;
}

export const waits: ProxyStep = { type: 'more', send: null };
