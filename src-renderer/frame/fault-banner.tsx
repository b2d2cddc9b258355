import { useEffect } from 'react';
import { Hand, Zap } from 'lucide-react';
import type { Rule } from '#shared/rules/rule.ts';
import { heldCount, openHeld, useHeld } from '../stores/held-store.ts';
import { stopAllFaults, useRules } from '../stores/rules-store.ts';
import { useTopology } from '../stores/topology-store.ts';
import { openView } from '../stores/view-store.ts';
import { Icon } from '../ui/icon.tsx';
import { counted } from '../ui/words.ts';

const named = 2;

/** On every view while a rule is on: what Spike breaks right now, and the way to stop it. */
export function FaultBanner() {
  const rules = useRules((store) => store.rules);
  const stopping = useRules((store) => store.stopping);
  const active = rules?.filter((rule) => rule.enabled) ?? [];
  const held = useHeld(heldCount);
  useTitle(held);
  if (active.length === 0 && held === 0) return null;
  return (
    <div className="banner" role="alert" aria-label="Active faults">
      <span className="tape" />
      <button className="what" onClick={() => openView('faults')}>
        <Icon of={Zap} />
        {counted(active.length, 'fault')} active
      </button>
      {held > 0 && (
        <button className="held-count" onClick={() => openHeld()}>
          <Icon of={Hand} />
          {counted(held, 'call')} held
        </button>
      )}
      {active.slice(0, named).map((rule, index) => (
        <button
          key={rule.id}
          className={index === 0 ? 'one' : 'one wide'}
          onClick={() => openView('faults', rule.id)}
        >
          <b className="clip">{rule.name}</b>
          <span className="clip">{whoIsHit(rule)}</span>
        </button>
      ))}
      {active.length > named && <span className="t3 xs wide">and {active.length - named} more</span>}
      <LastMinute />
      <button className="stop" aria-label="Stop all" disabled={stopping} onClick={() => void stopAllFaults()}>
        {stopping ? 'Stopping…' : 'Stop all'}
        <kbd>Ctrl ⇧ X</kbd>
      </button>
    </div>
  );
}

/** A call waits for somebody, who may be in another window. */
function useTitle(held: number): void {
  useEffect(() => {
    document.title = held === 0 ? 'Spike' : `${counted(held, 'call')} held · Spike`;
  }, [held]);
}

function LastMinute() {
  const hit = useTopology((store) =>
    store.topology?.edges.reduce((sum, edge) => sum + edge.stats.injected, 0),
  );
  if (hit === undefined) return null;
  return <span className="t2 xs wide nowrap">{counted(hit, 'call')} hit in the last minute</span>;
}

function whoIsHit({ match }: Rule): string {
  if (match.caller === undefined && match.callee === undefined)
    return match.host ?? match.path ?? (Object.keys(match).length === 0 ? 'every call' : 'some calls');
  return `${match.caller ?? 'any'} → ${match.callee ?? 'any'}`;
}
