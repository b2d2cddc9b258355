// CPU time and resident memory of a process and its children, from /proc (Linux).
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;
const pageBytes = 4096;

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
        residentBytes: Number(fields[21]) * pageBytes,
      });
    } catch {
      // Ended between the two reads.
    }
  }
  return processes;
}

/** Sums over the tree below and with `pid`; zeros when it is gone. */
export function measureTree(pid) {
  const processes = snapshot();
  const sum = { pids: [], cpuSeconds: 0, residentBytes: 0 };
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const found = processes.get(next);
    if (found === undefined) continue;
    sum.pids.push(next);
    sum.cpuSeconds += found.cpuSeconds;
    sum.residentBytes += found.residentBytes;
    for (const [child, { parent }] of processes) if (parent === next) waiting.push(child);
  }
  return sum;
}
