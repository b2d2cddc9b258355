import { Clock, X, Zap } from 'lucide-react';
import { injectedDelayMs } from '#shared/flow/flow.ts';
import type { Flow } from '#shared/flow/flow.ts';
import { splitUrl, summarise } from '#shared/flow/flow-summary.ts';
import { statusWord } from '../../../stores/call-row.ts';
import { httpStatusNames } from '../../../stores/status-words.ts';
import { selectCall } from '../../../stores/calls-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { formatHeld, formatTime } from '../../../ui/words.ts';
import { TimingBar } from './timing-bar.tsx';

/** What the call was, how it ended and where its time went, whichever tab is open. */
export function DetailHead({ flow }: { flow: Flow }) {
  const row = summarise(flow);
  return (
    <div className="d-head">
      <div className="row tags">
        <StatusTag flow={flow} />
        <FaultTag flow={flow} />
        <span className="grow" />
        <button
          className="btn sm ghost icon"
          aria-label="Close detail"
          title="Close (Esc)"
          onClick={() => selectCall(null)}
        >
          <Icon of={X} />
        </button>
      </div>
      <div className="mono d-title">{title(flow)}</div>
      <div className="sm t2">
        {flow.caller.name} → {flow.callee.name}{' '}
        <span className="t3">
          · {formatTime(row.startedAtMs)} · {protocolWords(flow)}
        </span>
      </div>
      <TimingBar flow={flow} />
    </div>
  );
}

function title(flow: Flow): string {
  if (flow.http === null) return flow.upstream?.address ?? flow.callee.name;
  return `${flow.http.method} ${splitUrl(flow.http.url).path}`;
}

function protocolWords(flow: Flow): string {
  if (flow.http !== null) return `HTTP/${flow.http.httpVersion}`;
  return flow.kind === 'tcp' ? (flow.protocol ?? 'bytes') : flow.kind;
}

function StatusTag({ flow }: { flow: Flow }) {
  const word = statusWord(summarise(flow));
  const status = flow.http?.status ?? null;
  const reason = flow.http?.reason || (status === null ? '' : (httpStatusNames[status] ?? ''));
  return (
    <span className={`tag ${statusTone(flow)}`}>{status === null ? word : `${status} ${reason}`.trim()}</span>
  );
}

function statusTone(flow: Flow): string {
  if (flow.faults.some((fault) => fault.status !== null)) return 'fault';
  if (flow.error !== null) return flow.error.cause.startsWith('fault-') ? 'fault' : 'error';
  const status = flow.http?.status ?? 0;
  if (status >= 500) return 'error';
  if (status >= 400) return 'warn';
  return status >= 200 && status < 300 ? 'ok' : '';
}

function FaultTag({ flow }: { flow: Flow }) {
  if (flow.faults.length === 0) return null;
  const held = injectedDelayMs(flow);
  return (
    <span className="tag fault">
      <Icon of={held > 0 && flow.durationMs === null ? Clock : Zap} />
      {held > 0 ? `+${formatHeld(held)} by Spike` : 'altered by Spike'}
    </span>
  );
}
