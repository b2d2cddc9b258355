import { z } from 'zod';

const units = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** Bytes from a number or a text such as `10MiB`, `2 GiB`, `500kB`; null when it is neither. */
export function parseByteSize(value: string | number): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null;
  const parts = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|KiB|MiB|GiB)?$/.exec(value.trim());
  if (parts === null) return null;
  return Math.round(Number(parts[1]) * units[(parts[2] ?? 'B') as keyof typeof units]);
}

/** A size in bytes, as a number or with a unit. */
export const ByteSizeSchema = z.union([z.number(), z.string()]).transform((value, context) => {
  const bytes = parseByteSize(value);
  if (bytes !== null) return bytes;
  context.addIssue({ code: 'custom', message: 'Expected a size such as 10MiB, 500kB or a number of bytes.' });
  return z.NEVER;
});
