import { useEffect, useState } from 'react';
import { shellPlatform } from '../bridge/connect-agent.ts';
import { toggleRecording, useStatus } from '../stores/status-store.ts';
import { formatElapsed } from '../ui/words.ts';
import { Mark } from '../ui/mark.tsx';
import { WorkspaceMenu } from './workspace-menu.tsx';

/** The top of the window; in Electron it is what the window is dragged by, with room for the system's controls. */
export function TitleBar() {
  return (
    <header className="titlebar" data-shell={shellPlatform()}>
      <div className="side">
        <Mark />
        <span className="b">Spike</span>
        <WorkspaceMenu />
      </div>
      <div className="side">
        <RecordingButton />
      </div>
    </header>
  );
}

function RecordingButton() {
  const capture = useStatus((store) => store.status?.capture);
  if (capture === undefined) return null;
  return (
    <button
      className="rec"
      aria-label="Recording"
      aria-pressed={capture.recording}
      title={`${capture.recording ? 'Pause recording' : 'Record'} (Ctrl+Shift+R)`}
      onClick={() => void toggleRecording()}
    >
      <span className={capture.recording ? 'dot' : 'dot off'} />
      {capture.recording ? 'Recording' : 'Paused'}
      {capture.recording && capture.recordingSince !== null && <Elapsed since={capture.recordingSince} />}
    </button>
  );
}

function Elapsed({ since }: { since: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span className="elapsed">{formatElapsed(now - Date.parse(since))}</span>;
}
