import { createHash, timingSafeEqual } from 'node:crypto';
import { SpikeError } from '#shared/contract/errors.ts';

/**
 * Who may ask. The control API is on loopback, where every program and every page in a browser can reach it:
 *
 *     Host    a page whose name was re-bound to 127.0.0.1 sends its own name      → forbidden-host
 *     Origin  a page of another origin says so where a browser sends it           → forbidden-origin
 *     token   everybody else                                                      → unauthorized
 *
 * Pure: no request, no socket; the transports hand in what they were sent.
 */

/** The subprotocol that a WebSocket answers with; the token travels beside it, as `token.TOKEN`. */
export const socketProtocol = 'spike.v1';
const tokenPrefix = 'token.';

export interface HostFacts {
  /** The `Host` field, undefined where there is none. */
  readonly host: string | undefined;
  /** Address of this end of the connection: what the client really dialled. */
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

/** Refuses a name that is not this machine's. A literal address is fine where it is the one that was dialled. */
export function checkHost({ host, localAddress, localPort }: HostFacts): SpikeError | null {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(host ?? '');
  const name = parts?.[1]?.toLowerCase().replace(/^\[|\]$/g, '');
  if (name !== undefined && Number(parts?.[2] ?? 80) === localPort && isOwnName(name, localAddress))
    return null;
  return new SpikeError(
    'forbidden-host',
    `The host "${host ?? ''}" is not this agent. Use its address, such as 127.0.0.1:${localPort}.`,
  );
}

function isOwnName(name: string, localAddress: string | undefined): boolean {
  if (name === 'localhost' || name === '127.0.0.1' || name === '::1') return true;
  // An IPv4 client of a socket that is bound to :: is seen as ::ffff:a.b.c.d.
  return localAddress !== undefined && name === localAddress.replace(/^::ffff:/, '').toLowerCase();
}

/**
 * Refuses the page of another origin. Call after `checkHost`: the host that was asked is then one of ours.
 * @param allowed further origins, such as that of a development server in front of this one.
 */
export function checkOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[] = [],
): SpikeError | null {
  if (origin === undefined || origin === `http://${host ?? ''}` || allowed.includes(origin)) return null;
  return new SpikeError('forbidden-origin', `Pages of "${origin}" may not ask this agent.`);
}

/** Whether `Authorization: Bearer TOKEN` has the token. */
export function checkBearer(authorization: string | undefined, token: string): SpikeError | null {
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return checkToken(given, token);
}

/** Whether one of the subprotocols that a WebSocket offers is `token.TOKEN` (browsers cannot set its headers). */
export function checkSubprotocols(offered: string | undefined, token: string): SpikeError | null {
  const given = (offered ?? '')
    .split(',')
    .map((protocol) => protocol.trim())
    .find((protocol) => protocol.startsWith(tokenPrefix));
  return checkToken(given?.slice(tokenPrefix.length), token);
}

function checkToken(given: string | undefined, token: string): SpikeError | null {
  if (given === undefined) {
    return new SpikeError('unauthorized', 'A token is needed: send "Authorization: Bearer TOKEN".');
  }
  // Hashed first: both are then of one length, which timingSafeEqual wants and which hides the token's.
  if (timingSafeEqual(digest(given), digest(token))) return null;
  return new SpikeError(
    'unauthorized',
    'The token is not the one of this agent. It is in the file "token" of its home.',
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
