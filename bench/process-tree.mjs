// CPU time and memory of a process and its children, from /proc (Linux). Pages that processes share count once, in parts.
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;

function snapshot() {
  const processes = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      processes.set(Number(entry), {
        parent: Number(fields[1]),
        cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      });
    } catch {
      // Ended between the two reads.
    }
  }
  return processes;
}

function proportionalBytes(pid) {
  try {
    return (
      Number(/^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0) * 1024
    );
  } catch {
    return 0; // Ended.
  }
}

/** The memory of a tree, measured by itself since it takes the system a millisecond or two. */
export function memoryOfTree(pid) {
  return measureTree(pid).pids.reduce((sum, each) => sum + proportionalBytes(each), 0);
}

/** Sums over the tree below and with `pid`; zeros when it is gone. */
export function measureTree(pid) {
  const processes = snapshot();
  const sum = { pids: [], cpuSeconds: 0 };
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const found = processes.get(next);
    if (found === undefined) continue;
    sum.pids.push(next);
    sum.cpuSeconds += found.cpuSeconds;
    for (const [child, { parent }] of processes) if (parent === next) waiting.push(child);
  }
  return sum;
}
