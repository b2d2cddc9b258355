import { useState } from 'react';
import type { Flow } from '#shared/flow/flow.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import { Segments } from '../../../ui/segments.tsx';
import { counted, formatCount } from '../../../ui/words.ts';
import { MessageDetail } from './message-detail.tsx';
import { MessageList } from './message-list.tsx';
import { messageHas } from './message-words.ts';
import { useMessages } from './use-messages.ts';
import type { LoadedMessages } from './use-messages.ts';
import './messages.css';

type Side = 'both' | FlowMessage['direction'];
const sides = [
  { value: 'both', label: 'All' },
  { value: 'request', label: 'Sent' },
  { value: 'response', label: 'Received' },
] as const;

/** What passed inside the flow, as it passes. */
export function MessagesTab({ flow }: { flow: Flow }) {
  const loaded = useMessages(flow.id);
  const [side, setSide] = useState<Side>('both');
  const [wanted, setWanted] = useState('');
  const [selected, setSelected] = useState<number | null>(null);
  const shown = loaded.messages.filter(
    (message) => (side === 'both' || message.direction === side) && messageHas(message, wanted.trim()),
  );
  const open = loaded.messages.find((message) => message.index === selected);
  return (
    <div className="messages">
      <div className="row body-bar">
        <Segments label="Direction" value={side} options={sides} onChange={setSide} />
        <input
          className="input sm grow"
          type="search"
          aria-label="Find in messages"
          placeholder="Find in messages"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      </div>
      {loaded.problem !== null && <p className="xs error body-note">{loaded.problem}</p>}
      {shown.length === 0 ? (
        <p className="bd sm t3">{emptyWords(loaded, flow)}</p>
      ) : (
        <MessageList messages={shown} selected={selected} onSelect={setSelected} />
      )}
      {open !== undefined && <MessageDetail message={open} onClose={() => setSelected(null)} />}
      <p className="xs t3 message-sum" role="status">
        {sumWords(loaded, shown.length, flow)}
      </p>
    </div>
  );
}

function emptyWords({ total, messages }: LoadedMessages, flow: Flow): string {
  if (total === null) return 'Reading the messages…';
  if (messages.length > 0) return 'No message matches.';
  return flow.durationMs === null ? 'Nothing has passed yet.' : 'Nothing passed.';
}

function sumWords({ total, dropped }: LoadedMessages, shown: number, flow: Flow): string {
  if (total === null) return '';
  const parts = [
    shown < total ? `${formatCount(shown)} of ${counted(total, 'message')}` : counted(total, 'message'),
  ];
  if (dropped > 0) parts.push(`${formatCount(dropped)} not kept`);
  if (flow.durationMs === null) parts.push('still open');
  return parts.join(' · ');
}
