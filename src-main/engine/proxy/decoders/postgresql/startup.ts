import { bounded } from '../shown.ts';
import { readCString } from './payload.ts';

/** What a client may begin with, by the number behind its length ("Message Formats"; major 3 is a version of the protocol). */
const requestCodes = { cancel: 80_877_102, ssl: 80_877_103, gssEncryption: 80_877_104 };

/** Of a startup message this much is read; servers refuse longer ones (MAX_STARTUP_PACKET_LENGTH). */
export const longestStartup = 10_000;
const longestName = 64;

export type Startup =
  | { readonly kind: 'ssl' | 'gss-encryption' }
  /** @property processId Of the session whose command is to be cancelled. */
  | { readonly kind: 'cancel'; readonly processId: number }
  | { readonly kind: 'session'; readonly text: string }
  | { readonly kind: 'unknown' };

/** Which kind of beginning a code is; null: none of this protocol. Any 3.x is taken: a server negotiates down. */
export function startupKind(code: number): Startup['kind'] | null {
  if (code === requestCodes.ssl) return 'ssl';
  if (code === requestCodes.gssEncryption) return 'gss-encryption';
  if (code === requestCodes.cancel) return 'cancel';
  return code >>> 16 === 3 ? 'session' : null;
}

/** The payload of an untyped message. */
export function readStartup(bytes: Buffer, start: number, end: number): Startup {
  if (end - start < 4) return { kind: 'unknown' };
  const kind = startupKind(bytes.readUInt32BE(start));
  if (kind === 'session') return { kind, text: sessionText(bytes, start + 4, end) };
  if (kind === 'cancel')
    return end - start < 8 ? { kind: 'unknown' } : { kind, processId: bytes.readUInt32BE(start + 4) };
  return { kind: kind ?? 'unknown' };
}

/** Only what names the session: `options` and settings of drivers may hold anything. */
function sessionText(bytes: Buffer, start: number, end: number): string {
  const settings = new Map<string, string>();
  let at = start;
  while (at < end && bytes[at] !== 0) {
    const name = readCString(bytes, at, end);
    const value = readCString(bytes, Math.min(name.next, end), end);
    settings.set(name.text, bounded(value.text, longestName));
    at = value.next;
  }
  const user = settings.get('user') ?? '';
  const application = settings.get('application_name');
  const replication = settings.get('replication');
  return [
    `connect as ${user} to ${settings.get('database') ?? user}`,
    application === undefined || application === '' ? '' : ` (${application})`,
    replication === undefined ? '' : `, replication ${replication}`,
  ].join('');
}
