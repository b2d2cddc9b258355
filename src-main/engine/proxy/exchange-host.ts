import type { FlowRecord } from '../capture/flow-record.ts';
import type { Candidates } from '../rules/compiled-rules.ts';
import type { RuleHit } from '../rules/rule-hit.ts';
import type { ClientFacts } from './environment.ts';
import type { Destination, LeasedConnection, Transport } from './ports.ts';

/** The session that an exchange belongs to. */
export interface ExchangeHost {
  readonly client: Transport;
  readonly facts: ClientFacts;
  /** The connection takes no further request after this one. */
  readonly isDraining: boolean;
  /** The answer has been handed over whole. `keepAlive`: the connection can take another request. */
  exchangeOver(keepAlive: boolean): void;
  /** The answer broke off, or a rule said so: the client's connection is over. */
  exchangeBroken(how: 'close' | 'reset'): void;
  /** The client's connection speaks something else now. */
  exchangeUpgraded(switched: SwitchedProtocol): void;
}

/** A connection whose two sides have agreed on another protocol (RFC 9110, section 7.8). */
export interface SwitchedProtocol {
  readonly connection: LeasedConnection;
  readonly destination: Destination;
  /** Begun by the exchange, ended by whoever passes the bytes from now on. */
  readonly flow: FlowRecord;
  /** What the upstream has said in it already, and whether it said that this was all. */
  readonly rest: Buffer | null;
  readonly restEnded: boolean;
  /** The rules that matched the request: they are not drawn again. Those that hit it stay on its bytes. */
  readonly matched: Candidates;
  readonly hit: readonly RuleHit[];
}
