import type { NetworkFailure } from '../ports.ts';

/** What to do after bytes of the proxy. */
export type ProxyStep =
  /** It is not over; `send` goes to the proxy, null: nothing. */
  | { readonly type: 'more'; readonly send: Buffer | null }
  /** The upstream is reached; `rest` has come from it already. */
  | { readonly type: 'open'; readonly rest: Buffer | null }
  | { readonly type: 'failed'; readonly failure: NetworkFailure };

/** Asks a proxy for a connection to one upstream: bytes in, bytes out. */
export interface ProxyConversation {
  /** What the client says first. */
  begin(): Buffer;
  /** Takes bytes as they come, in any pieces; nothing more after `open` or `failed`. */
  read(bytes: Buffer): ProxyStep;
}

export const waits: ProxyStep = { type: 'more', send: null };
