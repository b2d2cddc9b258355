import type { BodyState, Flow } from '#shared/flow/flow.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { Match } from '#shared/rules/match.ts';
import type { CallFacts } from './call-facts.ts';
import { compileMatch, matchesHead } from './match.ts';
import type { CompiledMatch } from './match.ts';

/** What is asked of a stored flow, as far as it is asked. */
export interface StoredCallSource {
  /** The whole flow; null when it has made room for others meanwhile. */
  flow(): Flow | null;
  requestBody(firstBytes: number): { readonly state: BodyState; readonly bytes: Buffer };
}

/** What a stored flow does not tell, and the match asks for. */
export const lacks = {
  listener: 'The port that a client used is not recorded.',
  host: 'The host that a tunnel was asked for is not recorded.',
  flow: 'Some flows made room for newer ones.',
  body: 'Some request bodies are not stored, or not far enough.',
  status: "A fault answered some calls, so the upstream's status is not known.",
} as const;
export type Lack = keyof typeof lacks;

/** Whether a rule is about a call: `true`, `false`, or what would have to be known. */
export type StoredVerdict = boolean | Lack;

/**
 * A match, asked about calls that are over. The same compiled matcher as on the data path; only what a stored flow cannot tell
 * is left out of it, and told.
 */
export class StoredCallMatcher {
  readonly #match: CompiledMatch;
  readonly #asked: Match;
  readonly #actsOnTunnels: boolean;
  readonly #tunnelMatch: CompiledMatch;

  /** @param actsOnTunnels Whether the faults of the rule can do something to bytes that are not opened. */
  constructor(match: Match, actsOnTunnels: boolean) {
    const { listener: _listener, ...recorded } = match;
    const { host: _host, ...ofTunnel } = recorded;
    this.#asked = match;
    this.#actsOnTunnels = actsOnTunnels;
    this.#match = compileMatch(recorded);
    this.#tunnelMatch = compileMatch(ofTunnel);
  }

  verdict(row: FlowSummary, source: StoredCallSource): StoredVerdict {
    if (row.kind === 'tcp') return this.#ofTunnel(row);
    if (row.kind !== 'http' && row.kind !== 'websocket') return false;
    const match = this.#match;
    const facts = new StoredFacts(row, source);
    if (!match.aboutCalls || !match.edge(facts.caller, facts.callee, facts.host)) return false;
    const matches = matchesHead(match, facts);
    if (facts.isMissing) return 'flow';
    if (!matches) return false;
    const body = this.#ofBody(source);
    if (body !== true) return body;
    const status = this.#ofStatus(row);
    if (status !== true) return status;
    return this.#asked.listener === undefined ? true : 'listener';
  }

  #ofTunnel(row: FlowSummary): StoredVerdict {
    const match = this.#tunnelMatch;
    if (!this.#actsOnTunnels || !match.aboutTunnels) return false;
    const { caller, callee, route } = row;
    const where = { caller, callee, host: '', route, listener: null };
    if (!match.edge(caller, callee, '') || !match.tunnel(where)) return false;
    if (this.#asked.host !== undefined) return 'host';
    return this.#asked.listener === undefined ? true : 'listener';
  }

  #ofBody(source: StoredCallSource): StoredVerdict {
    const test = this.#match.body;
    if (test === null) return true;
    const { state, bytes } = source.requestBody(test.firstBytes);
    if (state === 'dropped' || state === 'evicted') return 'body';
    if (state === 'truncated' && bytes.length < test.firstBytes) return 'body';
    return test.matches(bytes);
  }

  #ofStatus(row: FlowSummary): StoredVerdict {
    const test = this.#match.status;
    if (test === null) return true;
    if (row.faultedStatus) return 'status';
    return row.status !== null && test(row.status);
  }
}

/** The row tells most; the flow itself is read only when the match asks for its fields. */
class StoredFacts implements CallFacts {
  readonly caller: string;
  readonly callee: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly route: string | null;
  readonly listener = null;
  isMissing = false;
  #fields: readonly string[] | null = null;
  readonly #source: StoredCallSource;

  constructor(row: FlowSummary, source: StoredCallSource) {
    this.#source = source;
    this.caller = row.caller;
    this.callee = row.callee;
    this.method = row.method ?? '';
    this.host = hostOf(row.host ?? '');
    this.path = row.path ?? '';
    this.route = row.route;
  }

  get fields(): readonly string[] {
    if (this.#fields !== null) return this.#fields;
    const flow = this.#source.flow();
    this.isMissing = flow === null;
    this.#fields = (flow?.http?.requestHeaders ?? []).flat();
    return this.#fields;
  }

  get upgrade(): string | null {
    const at = this.fields.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'upgrade');
    return at < 0 ? null : (this.fields[at + 1] ?? null);
  }
}

/** Without port and brackets. */
function hostOf(authority: string): string {
  return authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
