import { memo, useLayoutEffect, useRef } from 'react';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import type { HeldCall } from '#shared/contract/held.ts';
import { selectHeld, useHeld } from '../../../stores/held-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { endWord, heldFacts, heldName, heldTitle } from './held-words.ts';
import { TimeLeft } from './time-left.tsx';

const rowHeight = 42;
/** The half row says that there are more. */
const mostRows = 4.5;

/** The calls that wait, the oldest first. */
export function HeldList() {
  const calls = useHeld((store) => store.calls);
  const selectedId = useHeld((store) => store.selectedId);
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- it warns of the React Compiler, which is not used here
  const virtualizer = useVirtualizer({
    count: calls.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 6,
    useFlushSync: false,
  });
  const selectedAt = calls.findIndex(({ id }) => id === selectedId);
  useLayoutEffect(() => {
    if (selectedAt >= 0) virtualizer.scrollToIndex(selectedAt, { align: 'auto' });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when another one is selected
  }, [selectedId]);
  const items = virtualizer.getVirtualItems();
  return (
    <div
      ref={scroller}
      className="held-rows"
      role="listbox"
      aria-label="Held calls"
      aria-activedescendant={selectedAt < 0 ? undefined : rowId(selectedAt)}
      tabIndex={0}
      style={{ height: Math.min(mostRows, calls.length) * rowHeight }}
    >
      <div style={{ height: calls.length * rowHeight }}>
        <div style={{ transform: `translateY(${(items[0]?.index ?? 0) * rowHeight}px)` }}>
          {items.map(({ index }) => {
            const call = calls[index];
            if (call === undefined) return null;
            return (
              <HeldRow
                key={call.id}
                call={call}
                index={index}
                count={calls.length}
                selected={index === selectedAt}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function rowId(index: number): string {
  return `held-${index}`;
}

interface HeldRowProps {
  call: HeldCall;
  index: number;
  count: number;
  selected: boolean;
}

const HeldRow = memo(function HeldRow({ call, index, count, selected }: HeldRowProps) {
  const end = useHeld(({ ended }) => ended.get(call.id));
  const isEdited = useHeld(({ edited }) => edited.has(call.id));
  const isOver = end !== undefined || call.state === 'caller-gone';
  return (
    <div
      id={rowId(index)}
      className={`held-row${selected ? ' sel' : ''}${isOver ? ' over' : ''}`}
      role="option"
      aria-selected={selected}
      aria-setsize={count}
      aria-posinset={index + 1}
      aria-label={heldName(call)}
      onClick={() => selectHeld(call.id)}
    >
      <Icon of={call.at === 'request' ? ArrowUp : ArrowDown} size={13} className="fault" />
      <span className="mono clip title">{heldTitle(call)}</span>
      {isOver ? <span className="xs warn">{endWord[end ?? 'caller-gone']}</span> : <TimeLeft call={call} />}
      <span className="xs t3 clip facts-line">{heldFacts(call)}</span>
      {isEdited && <span className="xs fault">edited</span>}
    </div>
  );
});
