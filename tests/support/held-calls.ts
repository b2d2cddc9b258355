import type { HeldCall, HeldEdit, HeldMessage, HeldOutcome } from '../../src-shared/contract/held.ts';
import type { DataPlaneHarness } from './data-plane-harness.ts';

/** The calls that are held once there are so many, oldest first. */
export async function heldCalls(spike: DataPlaneHarness, count = 1): Promise<readonly HeldCall[]> {
  await spike.until(() => spike.held.list().length >= count);
  return spike.held.list();
}

/** The one call that is held, once it is, and its message once the body is there. */
export async function heldMessage(spike: DataPlaneHarness): Promise<HeldMessage> {
  const [call] = await heldCalls(spike);
  const id = call?.id ?? '';
  let message = await spike.held.get(id);
  while (message.message.why === 'it is still coming') {
    const told = spike.heldEvents.length;
    await spike.until(() => spike.heldEvents.length > told);
    message = await spike.held.get(id);
  }
  return message;
}

export function base64(text: string | Buffer): string {
  return Buffer.from(text).toString('base64');
}

/** Lets the one call that is held go, with this edit. */
export async function release(spike: DataPlaneHarness, edit: HeldEdit = {}): Promise<HeldOutcome> {
  const { id } = await heldMessage(spike);
  return spike.held.release(id, edit);
}

/** The headers of a held message, with some of them set or (null) left out. */
export function withHeaders(
  { message: { headers } }: HeldMessage,
  changes: Readonly<Record<string, string | null>>,
): [string, string][] {
  const names = new Set(Object.keys(changes).map((name) => name.toLowerCase()));
  const added = Object.entries(changes).flatMap(([name, value]): [string, string][] =>
    value === null ? [] : [[name, value]],
  );
  return [...headers.filter(([name]) => !names.has(name.toLowerCase())), ...added];
}
