/** Whether a response's status is meant. */
export type StatusTest = (status: number) => boolean;

const one = /^(?:([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?)$/i;

/** Of `503`, `5xx`, `500-504`, or several of them with commas between; null when it is none of these. */
export function parseStatus(value: number | string): StatusTest | null {
  const ranges: (readonly [number, number])[] = [];
  for (const text of String(value).split(',')) {
    const parts = one.exec(text.trim());
    if (parts === null) return null;
    const [, family, from, to = from] = parts;
    const low = family === undefined ? Number(from) : Number(family) * 100;
    const high = family === undefined ? Number(to) : low + 99;
    if (high < low) return null;
    ranges.push([low, high]);
  }
  return (status) => ranges.some(([low, high]) => status >= low && status <= high);
}
