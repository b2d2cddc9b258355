// Which process holds a socket: /proc/PID/fd has a link `socket:[INODE]` for each. The kernel keeps no index the other way
// round, so folders are searched: first those of processes that had connections before, then all others, newest first.
import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';

/** Then the event loop gets its turn. */
const SLICE_MS = 2;
const LINKS_A_SLICE_CHECK = 64;
/** After a search of all processes, how much longer than it took no other one begins: an unknown owner must not cost a core. */
const REST_FACTOR = 9;
const MAX_REMEMBERED = 256;

export interface SocketOwners {
  /** The pids of the sockets that were found, by inode. */
  find(inodes: ReadonlySet<number>): Promise<Map<number, number>>;
}

/** @param root normally '/proc'. */
export function createSocketOwners(root: string, clock: Clock): SocketOwners {
  /** Pids that had a socket we asked for, the latest last. */
  const remembered = new Set<number>();
  /** All that were there at the last search of all; while that rests, only newer ones are searched. */
  let searched: ReadonlySet<number> = new Set();
  let allSearchableAt = 0;
  let sliceStartedAt = 0;

  async function breathe(): Promise<void> {
    if (clock.now() - sliceStartedAt < SLICE_MS) return;
    await setImmediate();
    sliceStartedAt = clock.now();
  }

  async function searchIn(
    pids: Iterable<number>,
    missing: Set<number>,
    found: Map<number, number>,
  ): Promise<void> {
    for (const pid of pids) {
      if (missing.size === 0) return;
      const before = missing.size;
      await searchOne(pid, missing, found);
      if (missing.size < before) remember(pid);
    }
  }

  async function searchOne(pid: number, missing: Set<number>, found: Map<number, number>): Promise<void> {
    const folder = `${root}/${pid}/fd`;
    const descriptors = list(folder);
    if (descriptors === null) remembered.delete(pid);
    // The newest sockets mostly have the highest numbers.
    for (let i = (descriptors?.length ?? 0) - 1; i >= 0 && missing.size > 0; i -= 1) {
      if (i % LINKS_A_SLICE_CHECK === 0) await breathe();
      const inode = inodeOf(`${folder}/${descriptors?.[i]}`);
      if (!missing.delete(inode)) continue;
      found.set(inode, pid);
    }
  }

  function remember(pid: number): void {
    remembered.delete(pid);
    remembered.add(pid);
    if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.values().next().value as number);
  }

  return {
    async find(inodes) {
      const missing = new Set(inodes);
      const found = new Map<number, number>();
      sliceStartedAt = clock.now();
      const recent = [...remembered].reverse();
      await searchIn(recent, missing, found);
      if (missing.size === 0) return found;
      const startedAt = clock.now();
      const isResting = startedAt < allSearchableAt;
      const all = (list(root) ?? []).map(Number).filter((pid) => pid > 0);
      const skipped = new Set(isResting ? [...recent, ...searched] : recent);
      const others = all.filter((pid) => !skipped.has(pid)).sort((a, b) => b - a);
      await searchIn(others, missing, found);
      if (missing.size === 0) return found;
      searched = new Set(all);
      if (!isResting) allSearchableAt = clock.now() + (clock.now() - startedAt) * REST_FACTOR;
      return found;
    },
  };
}

/** null when it is gone, or of a user whose processes may not be read. */
function list(folder: string): string[] | null {
  try {
    return readdirSync(folder);
  } catch {
    return null;
  }
}

/** 0 for what is no socket, or was closed in between. */
function inodeOf(path: string): number {
  try {
    const link = readlinkSync(path);
    return link.startsWith('socket:[') ? Number(link.slice(8, -1)) : 0;
  } catch {
    return 0;
  }
}
