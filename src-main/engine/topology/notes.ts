import type { Health } from '#shared/contract/topology.ts';

/** What the line under a service's name is made of: sums over the edges that come in, over the window. */
export interface NoteFacts {
  readonly health: Health;
  readonly isClient: boolean;
  /** All that comes in are connections (tcp, websocket): this protocol; null for calls. */
  readonly conversation: string | null;
  readonly perSecond: number;
  readonly calls: number;
  readonly inFlight: number;
  readonly failed: number;
  readonly unreachable: number;
  readonly clientErrors: number;
  readonly injectedFailed: number;
  readonly injectedStatuses: Readonly<Record<string, number>>;
  readonly p95: number | null;
  readonly seconds: number;
}

/** The line under a service's name: "p95 96 ms", "6.4/s get 503", "tcp, 14 open", "unreachable". */
export function noteOf(facts: NoteFacts): string {
  if (facts.isClient) return rate(facts.perSecond);
  if (facts.health === 'faulted') return faultedNote(facts);
  if (facts.health === 'failing') return failingNote(facts);
  return wellNote(facts);
}

function wellNote(facts: NoteFacts): string {
  if (facts.conversation !== null) return `${facts.conversation}, ${facts.inFlight} open`;
  if (facts.p95 !== null) return `p95 ${duration(facts.p95)}`;
  return facts.inFlight > 0 ? `${facts.inFlight} open` : 'no calls';
}

function faultedNote(facts: NoteFacts): string {
  const [status, count] = mostFrequent(facts.injectedStatuses);
  if (count > 0) return `${rate(count / facts.seconds)} get ${status}`;
  if (facts.injectedFailed > 0) return `${rate(facts.injectedFailed / facts.seconds)} cut`;
  return wellNote(facts);
}

function failingNote(facts: NoteFacts): string {
  if (facts.unreachable > 0 && facts.unreachable * 2 >= facts.failed) return 'unreachable';
  const failed = facts.failed > 0 ? facts.failed : facts.clientErrors;
  return `${percent(failed / Math.max(1, facts.calls))} ${facts.failed > 0 ? 'failed' : 'refused'}`;
}

function mostFrequent(counts: Readonly<Record<string, number>>): readonly [string, number] {
  let most: readonly [string, number] = ['', 0];
  for (const entry of Object.entries(counts)) if (entry[1] > most[1]) most = entry;
  return most;
}

/** `12/s`, `6.4/s`, `0.2/s`: two digits where there are not more before the point. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0/s';
  if (perSecond >= 9.95) return `${Math.round(perSecond).toLocaleString('en-US')}/s`;
  return `${perSecond < 0.05 ? '< 0.1' : (Math.round(perSecond * 10) / 10).toString()}/s`;
}

/** Three digits: `8.4 ms`, `148 ms`, `2.31 s`. */
export function duration(ms: number): string {
  if (ms >= 999.5) return `${threeDigits(ms / 1000)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 9.995 ? 1 : 2);
}

function percent(share: number): string {
  const value = share * 100;
  return `${value >= 9.95 || value === 0 ? Math.round(value) : value.toFixed(1)} %`;
}
