import type { Direction } from '#shared/flow/flow.ts';

/** What two sides agreed on about compression (RFC 7692, section 7.1). */
export interface DeflateAgreement {
  /** The sender of that direction begins each message with an empty window: a client sends `request`. */
  readonly noContextTakeover: Readonly<Record<Direction, boolean>>;
}

/**
 * What the server's `Sec-WebSocket-Extensions` say about permessage-deflate; null when it is not in use. The size of the
 * windows does not matter here: the largest one reads what was written with any.
 */
export function deflateAgreement(header: string | null): DeflateAgreement | null {
  const extension = (header ?? '')
    .split(',')
    .map((offer) => offer.split(';').map((part) => part.trim().toLowerCase()))
    .find(([name]) => name === 'permessage-deflate');
  if (extension === undefined) return null;
  return {
    noContextTakeover: {
      request: extension.includes('client_no_context_takeover'),
      response: extension.includes('server_no_context_takeover'),
    },
  };
}
