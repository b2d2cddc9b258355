import { useEffect, useLayoutEffect, useRef } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { callLog, loadOlder, pause, selectCall, unpause, useCalls } from '../../stores/calls-store.ts';
import { CallMenu } from './call-menu.tsx';
import { CallTableRow } from './call-table-row.tsx';
import { NewerPill } from './newer-pill.tsx';
import { TableState } from './table-state.tsx';

const rowHeight = 26;
const overscan = 10;
const hoverPausesAfterMs = 300;
/** Within so many pixels of the end, the list counts as being at its end. */
const nearEnd = rowHeight;
const loadOlderWithinRows = 200;

/** The list of calls: one row height, only the rows in sight are drawn. */
export function CallTable() {
  const first = useCalls((store) => store.first);
  const end = useCalls((store) => store.end);
  useCalls((store) => store.version);
  const selectedId = useCalls((store) => store.selectedId);
  const following = useCalls((store) => store.paused.size === 0);
  const scroller = useRef<HTMLDivElement>(null);
  const count = end - first;

  // eslint-disable-next-line react-hooks/incompatible-library -- it warns of the React Compiler, which is not used here
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan,
    // The scroll to the end happens in a layout effect, where React cannot be asked to draw at once; it does so anyway.
    useFlushSync: false,
  });
  useStickToPlace(scroller, first, count, following);
  useSelectedInSight(scroller, first, selectedId);
  useScrollbarRoom(scroller);
  const onPointer = useHoverPause(scroller);

  const items = virtualizer.getVirtualItems();
  const firstItem = items[0];
  return (
    <section
      className="grid live"
      role="grid"
      aria-label="Calls"
      aria-rowcount={count}
      aria-multiselectable={false}
      {...onPointer}
    >
      <TableHead />
      <div
        ref={scroller}
        className="rows"
        tabIndex={0}
        aria-label="Rows of calls"
        role="rowgroup"
        onScroll={(event) => onScroll(event.currentTarget)}
        onWheel={(event) => event.deltaY < 0 && pause('scroll')}
      >
        <CallMenu>
          <div style={{ height: count * rowHeight }}>
            <div style={{ transform: `translateY(${(firstItem?.index ?? 0) * rowHeight}px)` }}>
              {items.map((item) => {
                const row = callLog.at(first + item.index);
                if (row === undefined) return null;
                return <CallTableRow key={row.flow.id} row={row} selected={row.flow.id === selectedId} />;
              })}
            </div>
          </div>
        </CallMenu>
      </div>
      <TableState count={count} />
      <NewerPill />
    </section>
  );
}

const columns = [
  ['c-time', 'Time'],
  ['c-who', 'Caller → callee'],
  ['c-m', 'Method'],
  ['c-path', 'Path'],
  ['c-st', 'Status'],
  ['c-lat', 'Latency'],
  ['c-size r', 'Size'],
  ['c-marks', ''],
  ['c-proto', 'Proto'],
] as const;

function TableHead() {
  return (
    <div className="tr th" role="row">
      {columns.map(([name, label]) => (
        <span key={name} role="columnheader" className={name} aria-label={label === '' ? 'Marks' : undefined}>
          {label}
        </span>
      ))}
    </div>
  );
}

/** Scrolling away from the end pauses, scrolling back to it follows again; near the beginning, older calls are fetched. */
function onScroll(element: HTMLElement): void {
  const fromEnd = element.scrollHeight - element.clientHeight - element.scrollTop;
  const { paused } = useCalls.getState();
  if (fromEnd > nearEnd && paused.size > 0) pause('scroll');
  if (fromEnd <= 1) unpause('scroll');
  if (element.scrollTop < loadOlderWithinRows * rowHeight && fromEnd > nearEnd) void loadOlder();
}

/** Following sticks to the end. Standing still, the first row in sight stays where it is when older ones come before it. */
function useStickToPlace(
  scroller: React.RefObject<HTMLDivElement | null>,
  first: number,
  count: number,
  following: boolean,
): void {
  const anchor = useRef<{ id: string; offset: number } | null>(null);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    if (following) scrollTo(element, element.scrollHeight - element.clientHeight);
    else if (anchor.current !== null) {
      const index = callLog.indexOf(anchor.current.id);
      if (index >= first) scrollTo(element, (index - first) * rowHeight + anchor.current.offset);
    }
  }, [scroller, first, count, following]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const remember = () => {
      const index = Math.floor(element.scrollTop / rowHeight);
      const id = callLog.at(useCalls.getState().first + index)?.flow.id;
      anchor.current = id === undefined ? null : { id, offset: element.scrollTop - index * rowHeight };
    };
    element.addEventListener('scroll', remember, { passive: true });
    return () => element.removeEventListener('scroll', remember);
  }, [scroller]);
}

/** The event is sent by hand too: the browser's own comes a frame later, in which the rows would be missing. */
function scrollTo(element: HTMLElement, top: number): void {
  if (Math.abs(element.scrollTop - top) < 1) return;
  element.scrollTop = top;
  element.dispatchEvent(new Event('scroll'));
}

/** The head is outside of what scrolls, and must be as wide as the rows: how wide a scrollbar is differs by system. */
function useScrollbarRoom(scroller: React.RefObject<HTMLDivElement | null>): void {
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const width = element.offsetWidth - element.clientWidth;
    element.parentElement?.style.setProperty('--scrollbar', `${width}px`);
  }, [scroller]);
}

/** A call that is selected by key is brought into sight. */
function useSelectedInSight(
  scroller: React.RefObject<HTMLDivElement | null>,
  first: number,
  selectedId: string | null,
): void {
  const shown = useRef<string | null>(null);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || selectedId === shown.current) return;
    shown.current = selectedId;
    if (selectedId === null) return;
    const top = (callLog.indexOf(selectedId) - first) * rowHeight;
    if (top < element.scrollTop) scrollTo(element, top);
    else if (top + rowHeight > element.scrollTop + element.clientHeight) {
      scrollTo(element, top + rowHeight - element.clientHeight);
    }
  }, [scroller, first, selectedId]);
}

/**
 * A pointer that rests over the list for 300 ms pauses it: what somebody reads must not move. A list that is shorter than
 * its place does not move, and goes on to fill.
 */
function useHoverPause(scroller: React.RefObject<HTMLDivElement | null>) {
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const stop = () => {
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = null;
  };
  useEffect(() => stop, []);
  return {
    onPointerMove: () => {
      timer.current ??= setTimeout(() => {
        timer.current = null;
        const element = scroller.current;
        if (element !== null && element.scrollHeight > element.clientHeight) pause('hover');
      }, hoverPausesAfterMs);
    },
    onPointerLeave: () => {
      stop();
      unpause('hover');
    },
    onClick: (event: React.MouseEvent) => {
      const row = (event.target as HTMLElement).closest<HTMLElement>('[data-id]');
      if (row?.dataset['id'] !== undefined) selectCall(row.dataset['id']);
    },
  };
}
