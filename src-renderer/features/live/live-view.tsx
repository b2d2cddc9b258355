import { useCalls } from '../../stores/calls-store.ts';
import { useHeld } from '../../stores/held-store.ts';
import { CallTable } from './call-table.tsx';
import { CallsStrip } from './calls-strip.tsx';
import { FlowDetail } from './detail/flow-detail.tsx';
import { HeldPanel } from './held/held-panel.tsx';
import './live.css';
import { LiveToolbar } from './live-toolbar.tsx';
import { SampleNotice } from './sample-notice.tsx';
import { useLiveKeys } from './live-keys.ts';

/** Every call as it happens: search, strip of time, list, and the call that is selected; else those that are held. */
export function LiveView() {
  const selectedId = useCalls((store) => store.selectedId);
  const isHeldOpen = useHeld((store) => store.isOpen);
  useLiveKeys();
  const panel = selectedId !== null ? 'with-detail' : isHeldOpen ? 'with-detail with-held' : '';
  return (
    <>
      <LiveToolbar />
      <CallsStrip />
      <SampleNotice />
      <div className={`live-split ${panel}`}>
        <CallTable />
        {selectedId !== null && <FlowDetail key={selectedId} id={selectedId} />}
        {selectedId === null && isHeldOpen && <HeldPanel />}
      </div>
    </>
  );
}
