import type { ProxyEnvironment } from './environment.ts';
import { forbidden } from './forwarding.ts';
import type { SerializeRequestOptions } from './http1/serialize-head.ts';
import type { Destination, NetworkFailure } from './ports.ts';

/**
 * A call that goes round in a circle through others (two Spikes that point at each other, a proxy whose upstream is Spike) is
 * open once for each of its rounds. Beyond so many open calls of a worker, requests carry a mark; one that comes back
 * with it is a loop. Below, nothing is added to any request (ADR 0011).
 */
const suspectedFrom = 256;

/** The mark is a Via (RFC 9110, section 7.6.3), so that others find the loop by it as well. */
export function loopMarkOf(agentId: string): string {
  return `1.1 spike-${agentId}`;
}

type Guarded = Pick<ProxyEnvironment, 'openFlows' | 'loopMark' | 'isForbidden'>;

/** Why a request goes nowhere: to a port of this Spike, or round in a circle. `fields`: what a mark would be in. */
export function refusalOf(
  environment: Guarded,
  { host, port }: Destination,
  fields: string | readonly string[],
): NetworkFailure | null {
  if (environment.isForbidden(host, port)) return forbidden(host, port);
  return isSuspicious(environment) && isMarked(environment.loopMark, fields) ? looped(host, port) : null;
}

/** Adds the mark to a request that may be going round. */
export function withLoopMark(
  environment: Guarded,
  options: SerializeRequestOptions,
): SerializeRequestOptions {
  return isSuspicious(environment) ? { ...options, via: environment.loopMark } : options;
}

/** The same for the fields of a request of HTTP/2. */
export function fieldsWithLoopMark(environment: Guarded, fields: string[]): string[] {
  return isSuspicious(environment) ? [...fields, 'via', environment.loopMark] : fields;
}

function isSuspicious({ openFlows }: Guarded): boolean {
  return openFlows.size > suspectedFrom;
}

function isMarked(mark: string, fields: string | readonly string[]): boolean {
  if (typeof fields === 'string')
    return fields.includes(`\r\nVia: ${mark}\r\n`) || viaLine(fields).includes(mark);
  return fields.some(
    (value, index) => index % 2 === 1 && fields[index - 1] === 'via' && value.includes(mark),
  );
}

/** All Via lines of a head: those behind may have joined them, or written them in their own case. */
function viaLine(text: string): string {
  return [...text.matchAll(/\r\nvia:([^\r]*)/gi)].map(([, value]) => value).join(',');
}

function looped(host: string, port: number): NetworkFailure {
  return {
    cause: 'upstream-loop',
    code: 'SPIKE_LOOP',
    message: `The call came back to this Spike from ${host}:${port}, and would go round for ever: a proxy or another Spike there sends it here again. Correct where one of them leads.`,
  };
}
