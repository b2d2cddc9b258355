import { memo } from 'react';
import { Hand, History, Radio, Unplug, Zap } from 'lucide-react';
import type { HeldCall } from '#shared/contract/held.ts';
import type { CallDisplay, CallRow } from '../../stores/call-row.ts';
import { openHeld, useHeld } from '../../stores/held-store.ts';
import { failureWords } from '../../stores/status-words.ts';
import { useRules } from '../../stores/rules-store.ts';
import { openView } from '../../stores/view-store.ts';
import { Icon } from '../../ui/icon.tsx';

const toneClass: Record<CallDisplay['tone'], string> = {
  quiet: 't2',
  dim: 't3',
  warn: 'warn',
  error: 'error',
  fault: 'fault',
};

const slowMs = 5000;

/** One call. A row never changes: another call, or a new state of this one, is another row. */
export const CallTableRow = memo(function CallTableRow({
  row,
  selected,
}: {
  row: CallRow;
  selected: boolean;
}) {
  const { flow, display } = row;
  const hold = useHeldOf(flow.id);
  return (
    <div
      className={selected ? 'tr sel' : 'tr'}
      role="row"
      aria-label={display.label}
      aria-selected={selected}
      data-id={flow.id}
    >
      <span className="mono t3 c-time" role="gridcell">
        <span className="hm">{display.minute}</span>
        {display.second}
      </span>
      <span className="who" role="gridcell">
        {flow.caller}
        <span className="to">→</span>
        <b>{flow.callee}</b>
      </span>
      <span className="mono t2 c-m" role="gridcell">
        {display.method}
      </span>
      <span className={display.isRemark ? 'mono t3' : 'mono'} role="gridcell">
        {display.path}
      </span>
      <span className={`st ${hold === undefined ? toneClass[display.tone] : 'fault'}`} role="gridcell">
        {hold === undefined ? display.status : 'held'}
      </span>
      <Latency row={row} />
      <span className="r t2 c-size" role="gridcell">
        {display.size}
      </span>
      <Marks row={row} hold={hold} />
      <span className="t3 c-proto" role="gridcell">
        {display.protocol}
      </span>
    </div>
  );
});

function Latency({ row: { flow, display } }: { row: CallRow }) {
  const { barOwn, barInjected } = display;
  const own = flow.playback ? 'dot' : (flow.durationMs ?? 0) - flow.injectedMs >= slowMs ? 'slow' : '';
  return (
    <span className="lat" role="gridcell">
      <span className={flow.injectedMs > 0 ? 'v fault' : 'v'}>{display.latency}</span>
      <span className="bar">
        {barOwn > 0 && (
          <i className={flow.protocol === 'ws' ? 'long' : own} style={{ width: percent(barOwn) }} />
        )}
        {barInjected > 0 && <i className="hatch" style={{ width: percent(barInjected) }} />}
      </span>
    </span>
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** The hold, while a breakpoint holds the call. */
function useHeldOf(flowId: string): HeldCall | undefined {
  return useHeld(({ calls, ended }) => calls.find((call) => call.flowId === flowId && !ended.has(call.id)));
}

function Marks({ row: { flow }, hold }: { row: CallRow; hold: HeldCall | undefined }) {
  const broken = flow.cause !== null && !flow.cause.startsWith('fault-');
  return (
    <span className="marks" role="gridcell">
      {hold !== undefined && <HeldMark hold={hold} />}
      {hold === undefined && flow.faults.length > 0 && <FaultMark ruleIds={flow.faults} />}
      {flow.playback && (
        <span className="play" title="Answered from a recording">
          <Icon of={History} />
        </span>
      )}
      {broken && flow.cause !== null && (
        <span className="error" title={failureWords[flow.cause].sentence}>
          <Icon of={Unplug} />
        </span>
      )}
      {flow.kind === 'websocket' && (
        <span className="t3" title="WebSocket">
          <Icon of={Radio} />
        </span>
      )}
    </span>
  );
}

/** Opens the held call. */
function HeldMark({ hold }: { hold: HeldCall }) {
  return (
    <button
      className="fault"
      title={`Held by ${hold.ruleName}: open it`}
      aria-label="Open the held call"
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        openHeld(hold.id);
      }}
    >
      <Icon of={Hand} />
      <span className="mark-name">{hold.ruleName}</span>
    </button>
  );
}

/** Opens the rule that acted. */
function FaultMark({ ruleIds }: { ruleIds: readonly string[] }) {
  const [first] = ruleIds;
  const name = useRules((store) => store.rules?.find((rule) => rule.id === first)?.name ?? first);
  return (
    <button
      className="fault"
      title={`Fault applied: ${name}`}
      aria-label={`Open the rule ${name}`}
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        if (first !== undefined) openView('faults', first);
      }}
    >
      <Icon of={Zap} />
      <span className="mark-name">{name}</span>
    </button>
  );
}
