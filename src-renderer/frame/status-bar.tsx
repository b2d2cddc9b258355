import type { Status } from '#shared/contract/status.ts';
import { useConnection } from '../stores/connection-store.ts';
import { useStatus } from '../stores/status-store.ts';
import { formatBound, formatBytes, formatCount, unknown } from '../ui/words.ts';

/** The bottom of the window: how Spike itself is. */
export function StatusBar() {
  const status = useStatus((store) => store.status);
  const perSecond = useStatus((store) => store.perSecond);
  return (
    <footer className="statusbar" aria-label="Status">
      <span>
        <b>{formatCount(perSecond ?? status?.flowsPerSecond ?? null)}</b> flows/s
      </span>
      {status === null ? <span className="sep" /> : <AgentFigures status={status} />}
      <span>
        Agent <AgentName />
      </span>
    </footer>
  );
}

function AgentFigures({ status }: { status: Status }) {
  const { capture, workers } = status;
  const ready = workers.filter((worker) => worker.state === 'ready').length;
  const dropped = status.dropped.flows + status.dropped.bodies;
  return (
    <>
      <span>
        Capture <b>{formatBytes(capture.bytes)}</b> of {formatBound(capture.maxBytes)}
        <Meter share={capture.bytes / capture.maxBytes} />
      </span>
      <span className={ready < workers.length ? 'warn' : ''}>
        Workers{' '}
        <b>
          {ready} of {workers.length}
        </b>
      </span>
      <span className={dropped > 0 ? 'warn' : ''} title={droppedWords(status)}>
        <b>{formatCount(dropped)}</b> dropped
      </span>
      <RuleHolds status={status} />
      <span className="sep" />
      <span className="wide">{caWords(status.ca.inSystemStore)}</span>
      <span className={status.proxy.address === null ? 'wide error' : 'wide'}>
        Proxy <b className="mono">{status.proxy.address ?? 'not bound'}</b>
      </span>
    </>
  );
}

/** Only once rules have held as much as they may: before that there is nothing to know. */
function RuleHolds({ status: { ruleHolds, limits } }: { status: Status }) {
  const { heldBytes, leftMessages, pausedReads } = ruleHolds;
  if (leftMessages + pausedReads === 0) return null;
  const most = formatBytes(limits['rules.maxHeldBytes'] ?? null);
  const words = `Rules held as much as they may (${most} a worker): ${formatCount(leftMessages)} messages passed unchanged, reading waited ${formatCount(pausedReads)} times`;
  return (
    <span className="warn" title={words}>
      Rules hold <b>{formatBytes(heldBytes)}</b>
    </span>
  );
}

function Meter({ share }: { share: number }) {
  const percent = Math.min(100, Math.max(0, share * 100));
  return (
    <span className="meter">
      <i style={{ width: `${percent}%` }} />
    </span>
  );
}

function droppedWords({ dropped }: Status): string {
  return `${formatCount(dropped.flows)} calls counted and not kept, ${formatCount(dropped.bodies)} bodies not kept, ${formatCount(dropped.events)} events missed by slow readers`;
}

function caWords(inSystemStore: boolean | null): string {
  if (inSystemStore === null) return `CA trust ${unknown}`;
  return inSystemStore ? 'CA trusted here' : 'CA not trusted here';
}

function AgentName() {
  const phase = useConnection((store) => store.state.phase);
  if (phase === 'unreachable') return <b className="error">out of reach</b>;
  if (phase === 'unauthorized') return <b className="error">refused this window</b>;
  return <b>{phase === 'connecting' ? 'connecting…' : 'this machine'}</b>;
}
