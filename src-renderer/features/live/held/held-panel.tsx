import { useRef, useState } from 'react';
import { Hand, X } from 'lucide-react';
import { closeHeld, heldCount, releaseAllHeld, useHeld } from '../../../stores/held-store.ts';
import { useRules } from '../../../stores/rules-store.ts';
import { openView } from '../../../stores/view-store.ts';
import { ConfirmDialog } from '../../../ui/confirm-dialog.tsx';
import { EmptyState } from '../../../ui/empty-state.tsx';
import { Icon } from '../../../ui/icon.tsx';
import { isTyping, useKeys } from '../../../ui/keys.ts';
import { counted } from '../../../ui/words.ts';
import { PanelEdge } from '../detail/panel-edge.tsx';
import { sendDesk } from './desk-store.ts';
import { HeldDesk } from './held-desk.tsx';
import { HeldList } from './held-list.tsx';
import './held.css';

/** The calls that breakpoints hold, and the one that is looked at. */
export function HeldPanel() {
  const count = useHeld(heldCount);
  const selected = useHeld(({ calls, selectedId }) => calls.find(({ id }) => id === selectedId));
  const isEmpty = useHeld(({ calls }) => calls.length === 0);
  const panel = useRef<HTMLElement>(null);
  useKeys({
    'mod+Enter': (event) => {
      // A key that is kept down must not let the next call go as well.
      if (selected !== undefined && !event.repeat) void sendDesk(selected.id);
    },
  });
  return (
    <aside
      ref={panel}
      className="detail held"
      aria-label="Held calls"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented || !isTyping(event.target)) return;
        event.preventDefault(); // the first Esc leaves the field, the next the panel
        panel.current?.querySelector<HTMLElement>('[role="listbox"]')?.focus();
      }}
    >
      <PanelEdge />
      <div className="row held-bar">
        <Icon of={Hand} className="fault" />
        <h2 className="m grow">{count === 0 ? 'Held calls' : `${counted(count, 'call')} held`}</h2>
        {count > 0 && <ReleaseAll count={count} />}
        <button
          className="btn sm ghost icon"
          aria-label="Close held calls"
          title="Close (Esc)"
          onClick={closeHeld}
        >
          <Icon of={X} />
        </button>
      </div>
      {isEmpty ? (
        <NoneHeld />
      ) : (
        <>
          <HeldList />
          {selected !== undefined && <HeldDesk key={selected.id} call={selected} />}
        </>
      )}
    </aside>
  );
}

/** Asks first where an edit would be lost. */
function ReleaseAll({ count }: { count: number }) {
  const [asking, setAsking] = useState(false);
  const edited = useHeld((store) => [...store.edited].filter((id) => !store.ended.has(id)).length);
  const release = () => void releaseAllHeld();
  return (
    <>
      <button className="btn sm" onClick={edited > 0 ? () => setAsking(true) : release}>
        Release all{edited > 0 && '…'}
      </button>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title="Release all"
        confirm={`Release ${counted(count, 'call')}`}
        onConfirm={release}
      >
        All of them go on as they came: what you wrote for {counted(edited, 'call')} is not sent. It stays in
        this panel until you dismiss it.
      </ConfirmDialog>
    </>
  );
}

/** What waits to hold a call, or how to begin. */
function NoneHeld() {
  const rules = useRules((store) => store.rules);
  const breakpoints = (rules ?? []).filter(
    (rule) => rule.enabled && rule.faults.some((fault) => fault.type === 'breakpoint'),
  );
  const [first] = breakpoints;
  return (
    <div className="held-none">
      {first === undefined ? (
        <EmptyState
          icon={Hand}
          title="No call is held"
          actions={
            <button className="btn sm" onClick={() => openView('faults')}>
              Open Faults
            </button>
          }
        >
          Turn on a rule with a breakpoint, or choose Hold at breakpoint on a call in Live.
        </EmptyState>
      ) : (
        <EmptyState icon={Hand} title="Waiting for a call">
          {breakpoints.length === 1 ? `“${first.name}” is on` : `${breakpoints.length} breakpoints are on`}:
          the next call that matches stops here.
        </EmptyState>
      )}
    </div>
  );
}
