/** How figures are written, everywhere in the window: three digits, thousands with commas, unknown is "–". */

export const unknown = '–';

const integer = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function formatCount(count: number | null): string {
  return count === null ? unknown : integer.format(count);
}

/** `1 call`, `1,204 calls`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${integer.format(count)} ${count === 1 ? noun : plural}`;
}

/** Three digits at the most: `8.4 ms`, `148 ms`, `2.19 s`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return unknown;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  return `${integer.format(ms / 1000)} s`;
}

/** Whole milliseconds with commas, for what Spike held back: `2,014 ms`. */
export function formatHeld(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : integer.format(ms)} ms`;
}

const decimalUnits = ['kB', 'MB', 'GB', 'TB'] as const;

/** Bytes that passed, in powers of 1000: `612 B`, `38.2 kB`, `118 MB`. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return unknown;
  return scaled(bytes, 1000, decimalUnits);
}

const binaryUnits = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A bound, which settings give in powers of 1024: `2 GiB`. */
export function formatBound(bytes: number): string {
  return scaled(bytes, 1024, binaryUnits).replace('.0 ', ' ');
}

function scaled(bytes: number, base: number, units: readonly string[]): string {
  if (bytes < base) return `${bytes} B`;
  let value = bytes;
  let unit = -1;
  while (value >= base * 0.9995 && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${value < 99.95 ? value.toFixed(1) : integer.format(value)} ${units[unit]}`;
}

/** A rate: `61/s`, `2.4/s`, `0.3/s`; 0 as `0/s`, and what is not 0 never as 0. */
export function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.05) return '< 0.1/s';
  return `${perSecond === 0 || perSecond >= 9.95 ? integer.format(perSecond) : perSecond.toFixed(1)}/s`;
}

const two = (part: number) => String(part).padStart(2, '0');

/** Local time to the minute, with its colon: `14:32:`. */
export function formatMinute(unixMs: number): string {
  const date = new Date(unixMs);
  return `${two(date.getHours())}:${two(date.getMinutes())}:`;
}

/** Seconds of the minute: `31.684`. */
export function formatSecond(unixMs: number): string {
  const date = new Date(unixMs);
  return `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Local time: `14:32:31.684`. */
export function formatTime(unixMs: number): string {
  return formatMinute(unixMs) + formatSecond(unixMs);
}

/** Local time without fraction: `14:32:31`. */
export function formatClock(unixMs: number): string {
  return formatTime(unixMs).slice(0, 8);
}

/** How long something runs: `04:12`, `1:04:12`. */
export function formatElapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours === 0 ? rest : `${hours}:${rest}`;
}

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(number: number): string {
  const ending = { one: 'st', two: 'nd', few: 'rd', other: 'th', zero: 'th', many: 'th' };
  return `${number}${ending[new Intl.PluralRules('en', { type: 'ordinal' }).select(number)]}`;
}
