import { useEffect, useState } from 'react';
import { useCalls } from '../../stores/calls-store.ts';
import { useStatus } from '../../stores/status-store.ts';
import { openView } from '../../stores/view-store.ts';
import { counted } from '../../ui/words.ts';

/** Whether a call came through yet; the first one is what Setup is for. */
export function FirstCall() {
  const listed = useCalls((store) => store.total ?? 0);
  const capture = useStatus((store) => store.status?.capture ?? null);
  const startedAt = useStatus((store) => store.status?.startedAt ?? null);
  const calls = Math.max(listed, capture?.flows ?? 0);
  if (calls === 0) {
    return (
      <div className="wait" role="status">
        <Pulse waiting />
        <h2>Waiting for the first call…</h2>
        {startedAt !== null && <WaitedFor since={startedAt} />}
        {capture?.recording === false && (
          <p className="sm warn">Recording is paused: calls pass, but none is kept.</p>
        )}
      </div>
    );
  }
  return (
    <div className="wait">
      <Pulse waiting={false} />
      <div role="status">
        <h2>Calls are coming in</h2>
        <p className="sm t2">{counted(calls, 'call')} kept so far.</p>
      </div>
      <div className="row">
        <button className="btn sm primary" onClick={() => openView('live')}>
          Open Live
        </button>
        <button className="btn sm" onClick={() => openView('map')}>
          Open the map
        </button>
      </div>
    </div>
  );
}

function WaitedFor({ since }: { since: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="sm t2" aria-live="off">
      {waitedWords(now - Date.parse(since))} so far.
    </p>
  );
}

/** `12 s`, `1 min 12 s`. */
export function waitedWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}

const line = 'M0 26h118l12-20 16 32 10-18 6 6h174';

function Pulse({ waiting }: { waiting: boolean }) {
  return (
    <svg className={waiting ? 'pulse' : 'pulse still'} viewBox="0 0 336 40" fill="none" aria-hidden>
      <path d={line} stroke={waiting ? 'var(--line-strong)' : 'var(--ok)'} strokeWidth="1.5" />
      {waiting && (
        <path className="go" d={line} stroke="var(--accent)" strokeWidth="1.8" strokeLinecap="round" />
      )}
    </svg>
  );
}
