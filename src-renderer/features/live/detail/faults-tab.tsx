import { CircleAlert, Hand, Timer, Unplug, Zap } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { Switch } from 'radix-ui';
import type { AppliedFault, Flow } from '#shared/flow/flow.ts';
import { splitUrl } from '#shared/flow/flow-summary.ts';
import { setRuleEnabled, useRules } from '../../../stores/rules-store.ts';
import { openView } from '../../../stores/view-store.ts';
import { addSearchTerm } from '../../../stores/calls-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { formatBytes, formatDuration } from '../../../ui/words.ts';
import { breakLikeThis, breakings } from './break-like-this.ts';
import type { Breaking } from './break-like-this.ts';

/** What Spike did to this call, and how to do it to calls like it. */
export function FaultsTab({ flow }: { flow: Flow }) {
  return (
    <div className="bd">
      {flow.faults.length === 0 && <p className="sm t3">Spike left this call alone.</p>}
      {flow.faults.map((fault, index) => (
        <Applied key={`${fault.ruleId}:${index}`} fault={fault} />
      ))}
      <BreakLikeThis flow={flow} />
    </div>
  );
}

function Applied({ fault }: { fault: AppliedFault }) {
  const rule = useRules((store) => store.rules?.find((candidate) => candidate.id === fault.ruleId));
  return (
    <div className="hit">
      <div className="row">
        <Icon of={Zap} className="fault" />
        <span className="m">{fault.ruleName}</span>
        <span className="grow" />
        {rule && (
          <Switch.Root
            className="sw"
            aria-label={rule.name}
            checked={rule.enabled}
            onCheckedChange={(enabled) => void setRuleEnabled(rule.id, enabled)}
          />
        )}
      </div>
      <p className="sm t2">{rule?.sentence ?? 'The rule is no longer there.'}</p>
      <dl className="kv facts">
        <dt>What it did</dt>
        <dd>{fault.note}</dd>
        <dt>When</dt>
        <dd>{formatDuration(fault.atMs)} after the start</dd>
        <dt>Bytes</dt>
        <dd>{fault.bytes === null ? 'none changed' : formatBytes(fault.bytes)}</dd>
        {fault.outcome !== 'done' && (
          <>
            <dt>Now</dt>
            <dd>
              {fault.outcome === 'acting' ? 'still acting' : 'let go early, since the rule was turned off'}
            </dd>
          </>
        )}
      </dl>
      <div className="row actions">
        {rule && (
          <button className="btn sm" onClick={() => openView('faults', rule.id)}>
            Open rule
          </button>
        )}
        <button className="btn sm ghost" onClick={() => addSearchTerm('rule', fault.ruleId)}>
          Search its calls
        </button>
      </div>
    </div>
  );
}

const icons: Record<Breaking, LucideIcon> = {
  slow: Timer,
  unavailable: CircleAlert,
  reset: Unplug,
  hold: Hand,
};

function BreakLikeThis({ flow }: { flow: Flow }) {
  return (
    <>
      <h3 className="cap">Break calls like this one</h3>
      <div className="breakings">
        {breakings.map(({ name, label, needsHttp }) => (
          <button
            key={name}
            className="btn sm"
            disabled={needsHttp && flow.http === null}
            onClick={() => void breakLikeThis(flow, name)}
          >
            <Icon of={icons[name]} />
            {label}
          </button>
        ))}
      </div>
      <p className="xs t3">
        Makes a rule for {what(flow)} from {flow.caller.name} to {flow.callee.name}, and turns it on.
      </p>
    </>
  );
}

function what({ http }: Flow): string {
  return http === null ? 'all bytes' : `${http.method} ${splitUrl(http.url).path.split('?')[0]}`;
}
