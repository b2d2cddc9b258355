import type { Engine } from '../engine/engine-interface.ts';
import type { Log } from '../engine/log.ts';
import type { ElectronParts } from './electron-parts.ts';

export const stopAllAccelerator = 'CommandOrControl+Shift+X';

/**
 * Stops all faults from whatever window the user is in. The keys are the whole system's, so they are held only while a
 * fault is active: editors use the same ones. Where another program has them, that is logged once and the tray remains.
 */
export function holdStopAllShortcut(
  electron: ElectronParts,
  { engine, log }: { engine: Engine; log: Log },
): { close(): void } {
  const { globalShortcut } = electron;
  let held = false;
  let told = false;
  const stopAll = (): void => {
    engine.rules.disableAll().catch((error: unknown) => {
      log.error({ error: String(error) }, 'The faults could not be stopped.');
    });
  };
  const release = (): void => {
    if (held) globalShortcut.unregister(stopAllAccelerator);
    held = false;
  };
  const follow = (): void => {
    if (engine.status().activeFaults === 0) return release();
    if (held) return;
    held = globalShortcut.register(stopAllAccelerator, stopAll);
    if (held || told) return;
    told = true;
    log.warn({ keys: stopAllAccelerator }, 'Another program has the keys that stop all faults');
  };
  follow();
  const unsubscribe = engine.subscribe((event) => {
    if (changesFaults(event.type)) follow();
  });
  return {
    close() {
      unsubscribe();
      release();
    },
  };
}

/** Whether the number of active faults, or the list of rules, may be another after an event of this type. */
export function changesFaults(type: string): boolean {
  return type.startsWith('rule.') && type !== 'rule.hits';
}
