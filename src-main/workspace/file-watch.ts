import { stat } from 'node:fs/promises';
import { watch } from 'chokidar';
import type { Clock, Timer } from '../engine/clock.ts';
import type { Log } from '../engine/log.ts';

export interface FileWatch {
  close(): Promise<void>;
}

const glanceEveryMs = 1000;

/**
 * Calls back after a file has, or may have, changed, been replaced, gone or returned; resolves once it is followed.
 *
 * Notifications are quick and not to be relied on: a second replacement right after the first is missed while the new file is
 * not followed yet, and mounts over a network or into a container may send none. So the file is glanced at once a second.
 */
export async function watchFile(
  path: string,
  clock: Clock,
  log: Log,
  changed: () => void,
): Promise<FileWatch> {
  const watcher = watch(path, { ignoreInitial: true });
  watcher.on('all', changed);
  watcher.on('error', (error) =>
    log.warn({ error, path }, 'The workspace file is followed by a glance a second'),
  );
  await new Promise<void>((ready) => watcher.once('ready', () => ready()));
  let seen = await signatureOf(path);
  let closed = false;
  let timer: Timer;
  const glance = async (): Promise<void> => {
    const now = await signatureOf(path);
    if (closed) return;
    if (now !== seen) changed();
    seen = now;
    timer = later();
  };
  const later = (): Timer => clock.setTimer(glanceEveryMs, () => void glance(), true);
  timer = later();
  return {
    close: () => {
      closed = true;
      timer.cancel();
      return watcher.close();
    },
  };
}

/** Differs whenever the file does, short of an edit within a clock's step that keeps its size. */
async function signatureOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return [ino, size, mtimeMs, ctimeMs].join(':');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code); // gone, or not to be seen: that is a state as well
  }
}
