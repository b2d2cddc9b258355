import { useState } from 'react';
import type { HeldCall } from '#shared/contract/held.ts';
import { dropHeld, forgetHeld } from '../../../stores/held-store.ts';
import { CopyButton } from '../../../ui/copy-button.tsx';
import { beginAnswer, deskChanges, leaveAnswer, sendDesk, undoChanges } from './desk-store.ts';
import type { Desk } from './desk-store.ts';

interface HeldActionsProps {
  call: HeldCall;
  desk: Desk;
  isOver: boolean;
  hasProblems: boolean;
}

/** What can be done with the call. */
export function HeldActions({ call, desk, isOver, hasProblems }: HeldActionsProps) {
  // From the click until the agent has done it; the call is off the list then.
  const [busy, setBusy] = useState(false);
  const { id } = call;
  if (isOver) return <OverActions id={id} text={desk.answer?.body ?? desk.draft.body} />;
  const run = (command: () => Promise<unknown>) => {
    setBusy(true);
    void command().finally(() => setBusy(false));
  };
  const isEdited = deskChanges(desk).length > 0;
  const send = (label: string) => (
    <button className="btn primary" disabled={busy || hasProblems} onClick={() => run(() => sendDesk(id))}>
      {label}
      <kbd>Ctrl ↵</kbd>
    </button>
  );
  if (desk.answer !== null) {
    return (
      <div className="row held-actions">
        {send('Send answer')}
        <button className="btn" onClick={() => leaveAnswer(id)}>
          Back to the call
        </button>
      </div>
    );
  }
  return (
    <div className="row held-actions">
      {send(isEdited ? 'Release edited' : 'Release')}
      <button className="btn" disabled={busy} onClick={() => beginAnswer(id)}>
        Answer…
      </button>
      <button
        className="btn"
        disabled={busy}
        title="Cut the caller off: its connection or stream is reset"
        onClick={() => run(() => dropHeld(id))}
      >
        Drop
      </button>
      <span className="grow" />
      {isEdited && (
        <button className="btn ghost" onClick={() => undoChanges(id)}>
          Undo changes
        </button>
      )}
    </div>
  );
}

/** Nothing can be done any more: what was written may be taken along. */
function OverActions({ id, text }: { id: string; text: string | null }) {
  return (
    <div className="row held-actions">
      <button className="btn primary" onClick={() => forgetHeld(id)}>
        Dismiss
      </button>
      {text !== null && <CopyButton text={text} what="the edited body" />}
    </div>
  );
}
