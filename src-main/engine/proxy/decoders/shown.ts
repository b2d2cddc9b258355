/** How what was read is shown: the same words and bounds in every decoder. */

/** Text of octets of which the last ones may be missing: a character that was cut through is left out. */
export function cutUtf8(bytes: Buffer, start: number, end: number): string {
  let last = end - 1;
  while (last > start && last > end - 4 && ((bytes[last] as number) & 0xc0) === 0x80) last--;
  const lead = last >= start ? (bytes[last] as number) : 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return bytes.toString('utf8', start, last >= start && last + length > end ? last : end);
}

export function bounded(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

/** `1 row`, `3 rows`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** From one Unix time to another in ms, with the µs that the clock has and without what floating point adds. */
export function elapsedMs(from: number, to: number): number {
  return Math.max(0, Math.round((to - from) * 1_000) / 1_000);
}
