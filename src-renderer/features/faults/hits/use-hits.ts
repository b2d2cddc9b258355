import { useEffect, useRef, useState } from 'react';
import type { AppliedFault, Flow } from '#shared/flow/flow.ts';
import { splitUrl } from '#shared/flow/flow-summary.ts';
import { errorMessage } from '../../../bridge/error-message.ts';
import { agent } from '../../../stores/connection-store.ts';

/** So many of the last calls are listed; Live has all of them. */
export const listedHits = 100;
/** A busy rule hits hundreds of calls a second: the log is read anew this often, and not with each of them. */
const readEveryMs = 1000;

export interface HitLog {
  /** The newest first; null until they were read. */
  readonly flows: readonly Flow[] | null;
  readonly problem: string | null;
}

/** The last calls that a rule has hit. @param hits Its count: a change of it has the calls read again. */
export function useHits(ruleId: string, hits: number): HitLog {
  const [log, setLog] = useState<HitLog & { readonly of?: string }>({ flows: null, problem: null });
  const [wanted, setWanted] = useState(hits);
  const newest = useRef(hits);
  useEffect(() => {
    newest.current = hits;
  }, [hits]);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setWanted(newest.current), readEveryMs);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    let current = true;
    agent()
      .flows.list({ filter: `rule:${ruleId}`, limit: listedHits, view: 'full' })
      .then(
        ({ flows }) => current && setLog({ flows: flows as Flow[], problem: null, of: ruleId }),
        (error: unknown) =>
          current && setLog(({ flows }) => ({ flows, problem: errorMessage(error), of: ruleId })),
      );
    return () => void (current = false);
  }, [ruleId, wanted]);
  return log.of === ruleId ? log : { flows: null, problem: null };
}

/** What the rule did to a call: the notes of its faults, as one line. */
export function whatItDid(flow: Pick<Flow, 'faults'>, ruleId: string): string {
  return flow.faults
    .filter((fault) => fault.ruleId === ruleId)
    .map(noteOf)
    .join('; ');
}

function noteOf({ note, outcome }: AppliedFault): string {
  // Its figures are those of its end.
  if (outcome === 'acting') return 'is acting on it now';
  return outcome === 'released' ? `${note}, let go early` : note;
}

/** `POST /v1/charge`, or what else it was. */
export function whatItWas({ http, kind, route }: Flow): string {
  if (http === null) return kind === 'tcp' ? `bytes${route === null ? '' : ` on ${route}`}` : 'TLS';
  return `${http.method} ${splitUrl(http.url).path}`;
}
