import { z } from 'zod';

/**
 * Patches of JSON documents (RFC 6902) as they are written in rules: read and checked here, applied in the engine.
 */

/** A JSON pointer (RFC 6901): '' or `/` before each of its parts, in which `~` stands only as `~0` and `~1`. */
const pointer = z
  .string()
  .regex(/^(\/([^~/]|~[01])*)*$/, 'Expected a JSON pointer (RFC 6901), such as /items/0.');

const value = z.json();

// Members that an operation does not know are passed over (RFC 6902, section 4).
const JsonPatchSchema = z
  .array(
    z.discriminatedUnion('op', [
      z.object({ op: z.literal('add'), path: pointer, value }),
      z.object({ op: z.literal('remove'), path: pointer }),
      z.object({ op: z.literal('replace'), path: pointer, value }),
      z.object({ op: z.literal('move'), path: pointer, from: pointer }),
      z.object({ op: z.literal('copy'), path: pointer, from: pointer }),
      z.object({ op: z.literal('test'), path: pointer, value }),
    ]),
  )
  .max(1000);
export type JsonPatch = z.infer<typeof JsonPatchSchema>;
export type JsonPatchOperation = JsonPatch[number];

/** The patch that a text says; a sentence for one that says none. */
export function readJsonPatch(text: string): JsonPatch | string {
  const problem = jsonProblem(text);
  if (problem !== null) return problem;
  const read = JsonPatchSchema.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  const [first] = read.error.issues;
  const at = (first?.path ?? []).join('.');
  return `Not a JSON patch (RFC 6902)${at === '' ? '' : `, at ${at}`}: ${first?.message ?? ''}`;
}

export function jsonPatchProblem(text: string): string | null {
  const read = readJsonPatch(text);
  return typeof read === 'string' ? read : null;
}

export function jsonProblem(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return `Not JSON: ${error.message}`;
  }
}

/** The parts of a pointer, unescaped. */
export function pointerParts(path: string): string[] {
  const parts = path.split('/').slice(1);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
