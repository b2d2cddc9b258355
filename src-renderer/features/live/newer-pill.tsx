import { ArrowDown } from 'lucide-react';
import { followNewest, useCalls } from '../../stores/calls-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { counted } from '../../ui/words.ts';

/** While the list stands still: how many calls came, and the way to them. */
export function NewerPill() {
  const newer = useCalls((store) => store.newer);
  if (newer === 0) return null;
  return (
    <button className="follow" onClick={followNewest}>
      <Icon of={ArrowDown} />
      {counted(newer, 'newer call')}
    </button>
  );
}
