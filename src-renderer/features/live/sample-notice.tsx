import { Gauge } from 'lucide-react';
import { showEveryCall, useCalls } from '../../stores/calls-store.ts';
import { useStatus } from '../../stores/status-store.ts';
import { Notice } from '../../ui/notice.tsx';
import { formatCount } from '../../ui/words.ts';

/** Says that the list leaves calls out, which the figures and the capture never do. */
export function SampleNotice() {
  const sampledOneIn = useCalls((store) => store.sampledOneIn);
  const perSecond = useStatus((store) => store.perSecond);
  const paused = useCalls((store) => store.paused.size > 0);
  if (sampledOneIn <= 1) return null;
  const showAll = { label: 'Show all', run: () => void showEveryCall() };
  return (
    <Notice tone="warn" icon={Gauge} action={paused ? undefined : showAll}>
      {formatCount(perSecond)} calls/s. The list shows 1 in {sampledOneIn}.{' '}
      <span className="t2">Counts and rules see every call. Nothing is lost from the capture.</span>
    </Notice>
  );
}
