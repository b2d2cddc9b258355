import type { ClientFacts } from '../environment.ts';
import { requestOptions } from '../forwarding.ts';
import type { SerializeRequestOptions } from '../http1/serialize-head.ts';
import { hostTarget } from '../http1/target.ts';
import type { Destination } from '../ports.ts';
import type { Http2RequestHead } from './ports.ts';

const asItCame: SerializeRequestOptions = {};

/** How a request of HTTP/2 is written to its upstream, whatever that speaks: see `requestOptions`. */
export function streamOptions(
  { authority, path, protocol }: Http2RequestHead,
  facts: ClientFacts,
  destination: Destination,
  isRedirected = false,
): SerializeRequestOptions {
  // Most are asked as they came: nothing is looked at for them.
  if (
    !isRedirected &&
    destination.replacedName === null &&
    destination.via === null &&
    facts.ownHost === null
  )
    return asItCame;
  const form = facts.destination === null ? 'absolute' : 'origin';
  const asked = {
    destination: { ...hostTarget('origin', authority, path), form } as const,
    hostField: authority === '' ? null : authority,
    upgrade: protocol,
  };
  return requestOptions(asked, facts, destination, isRedirected);
}
