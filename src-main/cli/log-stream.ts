import { pino } from 'pino';
import type { Logger } from 'pino';
import type { LogLevel } from './options.ts';

/** The log, on stderr: a line of JSON each for programs, a line of text each in a terminal. stdout is for results. */
export function createLog(level: LogLevel): Logger {
  const settings = { level, base: { pid: process.pid } };
  if (!process.stderr.isTTY) return pino(settings, pino.destination({ fd: 2, sync: true }));
  return pino(settings, { write: (line: string) => void process.stderr.write(`${readableLine(line)}\n`) });
}

const levelNames: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warning', 50: 'error' };
const shownElsewhere = new Set(['level', 'time', 'pid', 'msg']);

/** `12:30:05 warning  Port 9101 is taken  route=orders` */
export function readableLine(line: string): string {
  const record = JSON.parse(line) as Record<string, unknown>;
  const time = new Date(Number(record['time'])).toTimeString().slice(0, 8);
  const level = (levelNames[Number(record['level'])] ?? '').padEnd(7);
  const fields = Object.entries(record)
    .filter(([name]) => !shownElsewhere.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [time, level, String(record['msg']), ...fields].join('  ').replaceAll('\n', ' ');
}
