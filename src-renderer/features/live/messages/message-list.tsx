import { useLayoutEffect, useRef } from 'react';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import type { FlowMessage } from '#shared/flow/message.ts';
import { Icon } from '../../../ui/icon.tsx';
import { formatBytes, formatDuration } from '../../../ui/words.ts';
import { messageName, previewOf, typeWords } from './message-words.ts';

const rowHeight = 24;

interface MessageListProps {
  messages: readonly FlowMessage[];
  /** The index of the message that is open; null: none. */
  selected: number | null;
  onSelect: (index: number | null) => void;
}

/** Messages one below the other, the newest last; sticks to the end until somebody scrolls away or selects. */
export function MessageList({ messages, selected, onSelect }: MessageListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const sticks = useRef(true);
  // eslint-disable-next-line react-hooks/incompatible-library -- it warns of the React Compiler, which is not used here
  const virtualizer = useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    useFlushSync: false,
  });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element !== null && sticks.current && selected === null) element.scrollTop = element.scrollHeight;
  }, [messages.length, selected]);
  // The list gives room to the message that is opened: its row must not be lost by that.
  useLayoutEffect(() => {
    const at = messages.findIndex((message) => message.index === selected);
    if (at >= 0) virtualizer.scrollToIndex(at, { align: 'auto' });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when another one is opened, not when more come
  }, [selected]);

  const step = (by: number): void => {
    const at = messages.findIndex((message) => message.index === selected);
    const next = Math.min(messages.length - 1, Math.max(0, at < 0 ? messages.length - 1 : at + by));
    const message = messages[next];
    if (message === undefined) return;
    onSelect(message.index);
  };
  const items = virtualizer.getVirtualItems();
  return (
    <div
      ref={scroller}
      className="message-rows"
      role="listbox"
      aria-label="Messages"
      aria-activedescendant={selected === null ? undefined : rowId(selected)}
      tabIndex={0}
      onScroll={({ currentTarget: element }) => {
        sticks.current = element.scrollHeight - element.clientHeight - element.scrollTop < rowHeight;
      }}
      onKeyDown={(event) => {
        const keys: Record<string, () => void> = {
          ArrowDown: () => step(1),
          ArrowUp: () => step(-1),
        };
        if (selected !== null) keys['Escape'] = () => onSelect(null);
        const act = keys[event.key];
        if (act === undefined) return;
        event.preventDefault();
        event.stopPropagation(); // The same keys move in the list of calls.
        act();
      }}
    >
      <div style={{ height: messages.length * rowHeight }}>
        <div style={{ transform: `translateY(${(items[0]?.index ?? 0) * rowHeight}px)` }}>
          {items.map(({ index }) => {
            const message = messages[index];
            if (message === undefined) return null;
            return (
              <MessageRow
                key={message.index}
                message={message}
                selected={message.index === selected}
                onSelect={onSelect}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function rowId(index: number): string {
  return `message-${index}`;
}

interface MessageRowProps {
  message: FlowMessage;
  selected: boolean;
  onSelect: (index: number | null) => void;
}

function MessageRow({ message, selected, onSelect }: MessageRowProps) {
  const isRequest = message.direction === 'request';
  return (
    <div
      id={rowId(message.index)}
      className={`msg ${selected ? 'sel' : ''} ${message.error === null ? '' : 'bad'}`}
      role="option"
      aria-selected={selected}
      aria-label={messageName(message)}
      onClick={() => onSelect(selected ? null : message.index)}
    >
      <span className="at t3 mono">{formatDuration(message.atMs)}</span>
      <Icon of={isRequest ? ArrowUp : ArrowDown} size={12} className={isRequest ? 'up' : 'down'} />
      <span className="kind t3">{typeWords[message.type]}</span>
      <span className="text mono clip">{previewOf(message)}</span>
      <Outcome message={message} />
    </div>
  );
}

/** What came of it: an error, a summary, how long it took; else how large it is. */
function Outcome({ message }: { message: FlowMessage }) {
  const { durationMs, error, summary, sizeBytes } = message;
  if (error !== null) return <span className="out error clip">{error}</span>;
  const took = durationMs === null ? null : formatDuration(durationMs);
  const said = [summary, took].filter((part) => part !== null && part !== '').join(', ');
  return (
    <span className="out t3 clip">
      {said === '' && message.type !== 'data' ? formatBytes(sizeBytes) : said}
    </span>
  );
}
