import { parse } from 'yaml';
import type { z } from 'zod';
import type { Imported, ImportNote } from '#shared/rules/interop/imported.ts';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import { expandText } from '../workspace/environment.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A rule as it stands in a workspace file. */
export function isOwnRule(value: Fields): boolean {
  return typeof value['name'] === 'string' && Array.isArray(value['faults']);
}

/** A workspace file, or the part of one that has rules. */
export function isOwnFile(value: Fields): boolean {
  return value['kind'] === undefined && Array.isArray(value['rules']);
}

/** What a workspace file says besides its rules. */
export function notesOfFile(file: Fields): ImportNote[] {
  return Object.keys(file)
    .filter((key) => key !== 'version' && key !== 'rules')
    .map((key) => ({ at: key, message: `Only rules are taken: ${key} is not.` }));
}

/** A rule that Spike wrote, or that was written for it. @param enabled As which it will be added. */
export function importOwnRule(value: unknown, enabled: boolean): Imported {
  const issues: z.core.$ZodIssue[] = [];
  const expanded = withoutPlaceholders(value, [], issues);
  if (issues.length > 0) return { ok: false, issues };
  const read = RuleDefinitionSchema.safeParse(expanded);
  if (!read.success) return { ok: false, issues: read.error.issues };
  const notes =
    read.data.enabled && !enabled
      ? [{ at: 'enabled', message: 'It is on there, and off as it is added here.' }]
      : [];
  return { ok: true, rules: [read.data], notes };
}

/** Texts with their defaults in place: what an import says must not depend on the environment of the agent. */
function withoutPlaceholders(value: unknown, path: PropertyKey[], issues: z.core.$ZodIssue[]): unknown {
  if (Array.isArray(value)) return value.map((item, at) => withoutPlaceholders(item, [...path, at], issues));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, withoutPlaceholders(item, [...path, key], issues)]),
    );
  }
  if (typeof value !== 'string' || !value.includes('${')) return value;
  const expansion = expandText(value, {});
  if (expansion.ok) return /^\$\{[^}]*\}$/.test(value) ? scalarOf(expansion.text) : expansion.text;
  issues.push({ code: 'custom', input: value, path, message: expansion.sentence });
  return value;
}

/** What a placeholder stands for by itself may be a number. */
function scalarOf(text: string): unknown {
  try {
    const read: unknown = parse(text);
    return typeof read === 'object' ? text : read;
  } catch {
    return text; // no YAML by itself: it is the text that it is
  }
}
