import { X } from 'lucide-react';
import type { FlowMessage } from '#shared/flow/message.ts';
import { CodeView } from '../../../ui/code-view.tsx';
import { CopyButton } from '../../../ui/copy-button.tsx';
import { Icon } from '../../../ui/icon.tsx';
import { formatBytes, formatDuration } from '../../../ui/words.ts';
import { formatBody, hexDump } from '../body/body-format.ts';
import { bytesOf, typeWords } from './message-words.ts';

/** One message whole: what is known of it, and its content made readable. */
export function MessageDetail({ message, onClose }: { message: FlowMessage; onClose: () => void }) {
  const { text, language } = readable(message);
  return (
    <section className="message-detail" aria-label="Message">
      <div className="row body-bar">
        <span className="xs t2 clip">{facts(message).join(' · ')}</span>
        <span className="grow" />
        <CopyButton text={text} what="the message" iconOnly />
        <button className="btn sm ghost icon" aria-label="Close message" onClick={onClose}>
          <Icon of={X} />
        </button>
      </div>
      {message.error !== null && <p className="xs error body-note">{message.error}</p>}
      {message.truncated && (
        <p className="xs warn body-note">Only the beginning was kept; the rest passed and was not stored.</p>
      )}
      {text === '' ? (
        <p className="bd sm t3">{message.type === 'data' ? 'These bytes are not decoded.' : 'Empty.'}</p>
      ) : (
        <CodeView text={text} language={language} />
      )}
    </section>
  );
}

function facts(message: FlowMessage): string[] {
  const { atMs, compressed, direction, durationMs, sizeBytes, summary, type } = message;
  return [
    `${typeWords[type]} ${direction === 'request' ? 'from the client' : 'to the client'}`,
    `${formatBytes(sizeBytes)}${compressed ? ', compressed' : ''}`,
    `${formatDuration(atMs)} after the start`,
    ...(durationMs === null ? [] : [`took ${formatDuration(durationMs)}`]),
    ...(summary === '' ? [] : [summary]),
  ];
}

function readable(message: FlowMessage): { text: string; language: 'json' | 'html' | 'text' } {
  if (message.encoding === 'base64') return { text: hexDump(bytesOf(message.text)), language: 'text' };
  const body = formatBody(new TextEncoder().encode(message.text), null);
  return { text: body.pretty ?? message.text, language: body.language };
}
