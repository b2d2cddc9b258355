import { useEffect, useState } from 'react';
import { FileWarning, HardDrive, KeyRound, Unplug } from 'lucide-react';
import type { ConnectionState } from '../bridge/agent-connection.ts';
import { retryConnection, useConnection } from '../stores/connection-store.ts';
import { useStatus } from '../stores/status-store.ts';
import { openView } from '../stores/view-store.ts';
import { Notice } from '../ui/notice.tsx';
import { counted, formatBound, formatClock, ordinal } from '../ui/words.ts';

/** What is wrong with Spike itself, over whichever view is open. */
export function Notices() {
  const connection = useConnection((store) => store.state);
  return (
    <>
      {connection.phase === 'unreachable' && <OutOfReach state={connection} />}
      {connection.phase === 'unauthorized' && <NoKey />}
      <AgentNotices />
    </>
  );
}

function OutOfReach({ state }: { state: Extract<ConnectionState, { phase: 'unreachable' }> }) {
  const lastAnswerAt = useConnection((store) => store.lastAnswerAt);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(1, Math.round((now - (lastAnswerAt ?? state.since)) / 1000));
  return (
    <Notice tone="error" icon={Unplug} action={{ label: 'Try now', run: retryConnection }}>
      No answer from this machine for {seconds} s. Trying again, {ordinal(state.attempt)} time.{' '}
      {lastAnswerAt !== null && (
        <span className="t2">
          What is shown is from {formatClock(lastAnswerAt)}. Faults keep running in the agent; their state is
          unknown here.
        </span>
      )}
    </Notice>
  );
}

function NoKey() {
  return (
    <Notice tone="error" icon={KeyRound}>
      This window has no valid key to the agent. Open the address that <code>spike start</code> printed, with
      its #token.
    </Notice>
  );
}

function AgentNotices() {
  const status = useStatus((store) => store.status);
  if (status === null) return null;
  const { workspace, proxy, capture } = status;
  const full = capture.maxBytes > 0 && capture.bytes >= capture.maxBytes * 0.98;
  return (
    <>
      {workspace.problem !== null && (
        <Notice tone="error" icon={FileWarning} action={{ label: 'Details', run: () => openView('faults') }}>
          {workspace.problem.message}
        </Notice>
      )}
      {proxy.error !== null && (
        <Notice tone="error" icon={Unplug} action={{ label: 'Open Setup', run: () => openView('setup') }}>
          {proxy.error}
        </Notice>
      )}
      {full && (
        <Notice tone="warn" icon={HardDrive}>
          {formatBound(capture.maxBytes)} kept. The oldest calls make room.{' '}
          {capture.oldestAt !== null && (
            <span className="t2">
              Reaches back to {formatClock(Date.parse(capture.oldestAt))}, {counted(capture.flows, 'call')}.
            </span>
          )}
        </Notice>
      )}
    </>
  );
}
