import { z } from 'zod';

const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
type Unit = keyof typeof unitsMs;

const whole = /^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** ms of a text such as `500ms`, `10s`, `1.5s`, `5m`, `1h30m`, `2d`; null when it is none. Fractions of a ms are rounded. */
export function parseDuration(text: string): number | null {
  if (!whole.test(text)) return null;
  let ms = 0;
  let before = Infinity;
  for (const [, count, unit] of text.matchAll(part)) {
    const unitMs = unitsMs[unit as Unit];
    // `1h30m`, the largest first and each once: `30m1h` or `1s1s` is more likely a slip than meant.
    if (unitMs >= before) return null;
    before = unitMs;
    ms += Number(count) * unitMs;
  }
  return Math.round(ms);
}

/** The shortest such text in whole units: `1h30m`, `10s`, `1s500ms`, `0s`. `parseDuration` reads it back. */
export function printDuration(ms: number): string {
  let rest = Math.round(ms);
  let text = '';
  for (const [unit, unitMs] of Object.entries(unitsMs)) {
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text === '' ? '0s' : text;
}

/** ms of a duration that its schema has let through. A text that is none throws: it did not come through the schema. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new TypeError(`not a duration: ${text}`);
  return ms;
}

export const longestDurationMs = 30 * unitsMs.d;

/** A duration as a text, kept as it was written, so that a file that is written back stays as it was. */
export function durationSchema(leastMs: number) {
  return z.string().superRefine((text, context) => {
    const ms = parseDuration(text);
    if (ms === null) {
      context.addIssue({ code: 'custom', message: 'Expected a duration such as 500ms, 10s, 5m or 1h30m.' });
    } else if (ms < leastMs || ms > longestDurationMs) {
      const range = `${printDuration(leastMs)} to ${printDuration(longestDurationMs)}`;
      context.addIssue({ code: 'custom', message: `Expected a duration from ${range}.` });
    }
  });
}
