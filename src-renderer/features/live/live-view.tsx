import { useCalls } from '../../stores/calls-store.ts';
import { CallTable } from './call-table.tsx';
import { CallsStrip } from './calls-strip.tsx';
import { FlowDetail } from './detail/flow-detail.tsx';
import './live.css';
import { LiveToolbar } from './live-toolbar.tsx';
import { SampleNotice } from './sample-notice.tsx';
import { useLiveKeys } from './live-keys.ts';

/** Every call as it happens: search, strip of time, list, and the call that is selected. */
export function LiveView() {
  const selectedId = useCalls((store) => store.selectedId);
  useLiveKeys();
  return (
    <>
      <LiveToolbar />
      <CallsStrip />
      <SampleNotice />
      <div className={selectedId === null ? 'live-split' : 'live-split with-detail'}>
        <CallTable />
        {selectedId !== null && <FlowDetail key={selectedId} id={selectedId} />}
      </div>
    </>
  );
}
