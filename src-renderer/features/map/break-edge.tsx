import { Switch } from 'radix-ui';
import type { Edge } from '#shared/contract/topology.ts';
import { useRules } from '../../stores/rules-store.ts';
import { openView } from '../../stores/view-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { counted } from '../../ui/words.ts';
import type { EdgeFaultSwitch } from './edge-faults.ts';

/** One click breaks every call of the edge; another lets go. */
export function BreakEdge({ edge, faults }: { edge: Edge; faults: readonly EdgeFaultSwitch[] }) {
  const rules = useRules((store) => store.rules) ?? [];
  const own = faults.find((fault) => fault.on && fault.rule !== null)?.rule;
  const shown = new Set(faults.map((fault) => fault.rule?.id));
  const others = rules.filter(
    (rule) => rule.enabled && edge.activeRules.includes(rule.id) && !shown.has(rule.id),
  );
  const rule = own ?? others[0];
  return (
    <div className="sec">
      <div className="row break-head">
        <h3>Break this edge</h3>
        <span className="grow" />
        {rule && (
          <button className="link xs" onClick={() => openView('faults', rule.id)}>
            Edit as a rule
          </button>
        )}
      </div>
      <div className="edge-faults" role="group" aria-label="Faults on this edge">
        {faults.map((fault) => (
          <Switch.Root
            key={fault.name}
            className="edge-fault"
            aria-label={fault.name}
            checked={fault.on}
            onCheckedChange={fault.set}
          >
            <Icon of={fault.icon} />
            <span className="grow clip">{fault.name}</span>
            {fault.on && fault.rule !== null && <span className="xs">{counted(fault.rule.hits, 'hit')}</span>}
          </Switch.Root>
        ))}
      </div>
      {others.length > 0 && (
        <p className="xs t2 others">
          Also on here:{' '}
          {others.map((other, index) => (
            <span key={other.id}>
              {index > 0 && ', '}
              <button className="link xs" onClick={() => openView('faults', other.id)}>
                {other.name}
              </button>
            </span>
          ))}
        </p>
      )}
      <p className="xs t3 only">Only calls from {edge.caller} are touched.</p>
    </div>
  );
}
