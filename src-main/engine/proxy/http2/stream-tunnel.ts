import type { FlowRecord } from '../../capture/flow-record.ts';
import type { Candidates } from '../../rules/compiled-rules.ts';
import type { RuleHit } from '../../rules/rule-hit.ts';
import type { ClientFacts, ProxyEnvironment } from '../environment.ts';
import type { PendingUpgrade } from '../pending-upgrade.ts';
import { hold } from '../ports.ts';
import type { Destination } from '../ports.ts';
import { Tunnel } from '../tunnel.ts';
import type { Http2ClientStream } from './ports.ts';

/** A client's stream whose exchange has agreed on another protocol. */
export interface SwitchedStream {
  readonly environment: ProxyEnvironment;
  readonly facts: ClientFacts;
  readonly destination: Destination;
  readonly client: Http2ClientStream;
  /** Begun by the exchange, ended by the tunnel. */
  readonly flow: FlowRecord;
  readonly upgrade: PendingUpgrade;
  readonly matched: Candidates;
  readonly hit: readonly RuleHit[];
  /** The stream is gone. */
  over(): void;
}

/** Passes the bytes of a stream from now on: one stream of HTTP/2 is what a connection is elsewhere (RFC 8441). */
export function openTunnel(switched: SwitchedStream): Tunnel {
  const { client, upgrade, over } = switched;
  const { connection, rest, restEnded } = upgrade.take();
  const tunnel = new Tunnel({ ...switched, upstream: connection });
  const end = tunnel.open(switched.hit);
  client.owner = {
    received: (bytes) => end.received(bytes),
    ended: () => end.ended(),
    drained: () => end.drained(),
    closed: (error) => {
      end.closed(error);
      over();
    },
  };
  if (rest !== null) tunnel.passed('response', rest);
  if (restEnded) tunnel.halfClosed('response');
  client.resume(hold.all);
  return tunnel;
}
