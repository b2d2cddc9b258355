import type { FlowMessage, MessageType } from '#shared/flow/message.ts';
import { formatBytes } from '../../../ui/words.ts';

/** The word in front of a message. */
export const typeWords: Readonly<Record<MessageType, string>> = {
  text: 'text',
  binary: 'binary',
  close: 'close',
  ping: 'ping',
  pong: 'pong',
  grpc: 'message',
  event: 'event',
  line: 'line',
  command: 'command',
  notice: 'notice',
  data: 'bytes',
};

const previewLength = 300;

/** A message on one line: its content where it has any that can be read, else what there is to say. */
export function previewOf(message: FlowMessage): string {
  if (message.type === 'data') return formatBytes(message.sizeBytes);
  if (message.encoding === 'base64') return hexOf(message.text, 24);
  return message.text.slice(0, previewLength).replace(/\s+/g, ' ').trim();
}

/** The bytes of a base64 text; what is no base64 is no bytes. */
export function bytesOf(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function hexOf(base64: string, most: number): string {
  const bytes = bytesOf(base64.slice(0, Math.ceil((most * 4) / 3 / 4) * 4));
  return Array.from(bytes.subarray(0, most), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Whether the text of a message, or what is said about it, has this in it; case does not matter. */
export function messageHas(message: FlowMessage, wanted: string): boolean {
  if (wanted === '') return true;
  const lower = wanted.toLowerCase();
  const said = `${message.summary}\n${message.error ?? ''}\n${typeWords[message.type]}`;
  return (
    said.toLowerCase().includes(lower) ||
    (message.encoding === 'text' && message.text.toLowerCase().includes(lower))
  );
}

/** For a screen reader, and for tests: `text to the client, 12 B, hello`. */
export function messageName(message: FlowMessage): string {
  const towards = message.direction === 'request' ? 'from the client' : 'to the client';
  const parts = [`${typeWords[message.type]} ${towards}`, formatBytes(message.sizeBytes), previewOf(message)];
  if (message.summary !== '') parts.push(message.summary);
  if (message.error !== null) parts.push(message.error);
  return parts.filter((part) => part !== '').join(', ');
}
