import { CircleAlert } from 'lucide-react';
import type { Flow } from '#shared/flow/flow.ts';
import { parseMicroseconds } from '#shared/flow/flow-summary.ts';
import type { Rule } from '#shared/rules/rule.ts';
import { selectCall, setRange, setSearchText } from '../../../stores/calls-store.ts';
import { openView } from '../../../stores/view-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { counted, formatDuration, formatTime } from '../../../ui/words.ts';
import { listedHits, useHits, whatItDid, whatItWas } from './use-hits.ts';

/** The last calls that a rule has hit, and what it did to each. */
export function HitLog({ rule }: { rule: Rule }) {
  const { flows, problem } = useHits(rule.id, rule.hits);
  return (
    <div className="hits">
      <div className="row hits-head">
        <span className="sm t2 grow" role="status">
          {headWords(rule, flows)}
        </span>
        <button className="link" disabled={flows?.length === 0} onClick={() => showInLive(rule.id, null)}>
          Show all in Live
        </button>
      </div>
      {problem !== null && (
        <p className="sm error row hits-none" role="alert">
          <Icon of={CircleAlert} />
          Not read: {problem}
        </p>
      )}
      {flows !== null && flows.length > 0 && (
        <ol className="hits-list" aria-label={`Calls that ${rule.name} hit`}>
          {flows.map((flow) => (
            <Hit key={flow.id} flow={flow} ruleId={rule.id} />
          ))}
        </ol>
      )}
    </div>
  );
}

function headWords(rule: Rule, flows: readonly Flow[] | null): string {
  if (flows === null) return 'Reading the calls…';
  if (flows.length === 0) {
    if (rule.hits > 0) return 'The calls that it hit are no longer kept.';
    return rule.enabled ? 'It is on, and has hit no call yet.' : 'It has hit no call that is kept.';
  }
  return flows.length < listedHits
    ? `${counted(flows.length, 'call')} that it hit`
    : `The last ${listedHits} calls that it hit`;
}

function Hit({ flow, ruleId }: { flow: Flow; ruleId: string }) {
  const did = whatItDid(flow, ruleId);
  const was = whatItWas(flow);
  const status = flow.error === null ? (flow.http?.status ?? '') : flow.error.cause;
  return (
    <li>
      <button
        className="hit-row"
        title={`${was}\n${did}\nOpen in Live`}
        onClick={() => showInLive(ruleId, flow.id)}
      >
        <span className="num t3">{formatTime(parseMicroseconds(flow.startedAt))}</span>
        <span className="clip">
          {flow.caller.name} <span className="t3">→</span> {flow.callee.name}
        </span>
        <span className="mono clip">{was}</span>
        <span className={`num r ${toneOf(flow)}`}>{status}</span>
        <span className="num r t2">{formatDuration(flow.durationMs)}</span>
        <span className="fault clip hit-did">{did}</span>
      </button>
    </li>
  );
}

/** As in Live: what Spike made is never in the colour of what is broken. */
function toneOf({ error, faults, http }: Flow): string {
  if (faults.some(({ status }) => status !== null) || error?.cause.startsWith('fault-')) return 'fault';
  if (error !== null || (http?.status ?? 0) >= 500) return 'error';
  return (http?.status ?? 0) >= 400 ? 'warn' : 't2';
}

/** Exactly the calls of this rule, whatever their time. */
function showInLive(ruleId: string, flowId: string | null): void {
  setRange({ kind: 'all' });
  setSearchText(`rule:${ruleId}`);
  if (flowId !== null) selectCall(flowId);
  openView('live');
}
