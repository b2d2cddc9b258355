import { grpcStatusNames } from '#shared/flow/grpc-status.ts';
import type { Fault, FaultOf } from '#shared/rules/fault.ts';
import { askingFields, askingShareFields } from '#shared/rules/faults/asked.ts';
import { longestDelayMs } from '#shared/rules/faults/parts.ts';
import type { Random } from '../clock.ts';
import { getField } from '../proxy/http1/fields.ts';
import type { RuleHit } from './rule-hit.ts';

type Asked = FaultOf<'asked-by-header'>;

/**
 * Puts what the call itself asks for in the place of faults that leave it to the call (`asked-by-header`).
 * @returns The hit as it acts on this call; null when the share that the call names did not mean it.
 */
export function asCallAsks(hit: RuleHit, fields: readonly string[], random: Random): RuleHit | null {
  const { faults, trigger } = hit.rule.rule;
  let unread: string | null = null;
  const made: Fault[] = [];
  for (const fault of faults) {
    if (!isAsked(fault)) {
      made.push(fault);
      continue;
    }
    const name = askingFields[fault.what];
    const value = getField(fields, name);
    if (value === null || !isMeant(fault, fields, trigger.probability ?? 1, random)) continue;
    const read = faultOf(fault, value, fields);
    if (read === null) unread = `${name} says ${value.slice(0, 40)}`;
    else made.push(read);
  }
  return made.length === 0 && unread === null ? null : { ...hit, faults: made, unread };
}

/** Whether a fault leaves it to the call what it does. */
export function isAsked(fault: Fault): fault is Asked {
  return fault.type === 'asked-by-header';
}

/**
 * Whether the share that the call names meant it. Its rule has been drawn for already, with a probability that is the most:
 * what is left to draw is how much smaller the share of the call is.
 */
function isMeant({ what, shareOf }: Asked, fields: readonly string[], most: number, random: Random): boolean {
  const count = wholeNumber(getField(fields, askingShareFields[what]) ?? '', 1_000_000);
  // Without one, or with one that is no number, Envoy takes the share of its configuration.
  if (count === null || count / shareOf >= most) return true;
  return random() < count / shareOf / most;
}

/** null: it is not a value that Envoy would take. */
function faultOf({ what, direction }: Asked, value: string, fields: readonly string[]): Fault | null {
  switch (what) {
    case 'delay': {
      const latencyMs = wholeNumber(value, longestDelayMs);
      if (latencyMs === null) return null;
      const held = asksForAnswer(fields) ? 'response' : direction;
      const even = { jitterMs: 0, distribution: 'uniform', percentiles: {} } as const;
      return { type: 'latency', direction: held, latencyMs, ...even };
    }
    case 'status': {
      const status = wholeNumber(value, 599);
      return status === null || status < 200 ? null : { type: 'status', status, headers: {}, body: '' };
    }
    case 'grpc-status': {
      const status = grpcStatusNames[wholeNumber(value, grpcStatusNames.length - 1) ?? -1];
      return status === undefined
        ? null
        : { type: 'grpc-status', status, message: '', form: 'trailers-only' };
    }
    case 'throughput': {
      const kibPerSecond = wholeNumber(value, mostKibPerSecond);
      if (kibPerSecond === null || kibPerSecond === 0) return null;
      return { type: 'bandwidth', direction: 'response', bytesPerSecond: kibPerSecond * 1024 };
    }
  }
}

function asksForAnswer(fields: readonly string[]): boolean {
  return (
    getField(fields, askingFields.status) !== null || getField(fields, askingFields['grpc-status']) !== null
  );
}

const mostKibPerSecond = 9_000_000;

function wholeNumber(text: string, most: number): number | null {
  if (!/^\d{1,9}$/.test(text)) return null;
  const value = Number(text);
  return value > most ? null : value;
}
