import { useState } from 'react';
import { Dialog } from 'radix-ui';
import { parseDuration } from '#shared/rules/duration.ts';
import { rollingRestart } from '#shared/scenarios/rolling-restart.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import { useTopology } from '../../../stores/topology-store.ts';
import { TextField } from '../field.tsx';

interface RollingRestartDialogProps {
  /** A name that no scenario has. */
  name: string;
  onMade: (scenario: Scenario) => void;
  onClose: () => void;
}

const expected = 'Expected a duration such as 2s.';

/** One service after the other goes away and comes back, as in a deployment. What it makes opens in the editor. */
export function RollingRestartDialog({ name, onMade, onClose }: RollingRestartDialogProps) {
  const edges = useTopology((store) => store.topology)?.edges ?? [];
  const callees = [...new Set(edges.map(({ callee }) => callee))].sort();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [away, setAway] = useState('2s');
  const [between, setBetween] = useState('5s');
  const services = callees.filter((callee) => !left.has(callee));
  const [awayMs, betweenMs] = [parseDuration(away.trim()), parseDuration(between.trim())];
  const ready = services.length > 0 && (awayMs ?? 0) > 0 && (betweenMs ?? 0) > 0;
  const make = () => {
    if (awayMs === null || betweenMs === null) return;
    onMade(rollingRestart(name, { services, awayMs, betweenMs }));
  };
  const toggle = (callee: string) => {
    const next = new Set(left);
    if (!next.delete(callee)) next.add(callee);
    setLeft(next);
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="pop dialog">
          <Dialog.Title>Rolling restart</Dialog.Title>
          <Dialog.Description className="t2 sm">
            One service after the other refuses connections for a while, as in a deployment.
          </Dialog.Description>
          <fieldset className="restart-services">
            <legend className="xs t3">Services, in this order</legend>
            {callees.length === 0 && <p className="sm t3">No call to a service has been seen so far.</p>}
            {callees.map((callee) => (
              <label key={callee} className="row sm">
                <input type="checkbox" checked={!left.has(callee)} onChange={() => toggle(callee)} />
                {callee}
              </label>
            ))}
          </fieldset>
          <div className="g2">
            <TextField
              title="Away for"
              mono
              value={away}
              problem={(awayMs ?? 0) > 0 ? undefined : expected}
              onChange={setAway}
            />
            <TextField
              title="Between two of them"
              mono
              value={between}
              problem={(betweenMs ?? 0) > 0 ? undefined : expected}
              onChange={setBetween}
            />
          </div>
          <div className="row actions">
            <Dialog.Close className="btn">Cancel</Dialog.Close>
            <button className="btn primary" disabled={!ready} onClick={make}>
              Make the scenario…
            </button>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
