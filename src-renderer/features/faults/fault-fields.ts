import { z } from 'zod';
import { faultSchemas } from '#shared/rules/fault.ts';
import type { Fault, FaultType } from '#shared/rules/fault.ts';

/**
 * The form of a fault, made from its schema: a fault that is added to the registry has its form with it. What is written
 * is kept as text, so that a half-typed number is not lost; `readField` makes the value, the schema judges it.
 */
export interface FaultField {
  readonly key: string;
  readonly title: string;
  readonly description: string | null;
  readonly unit: string | null;
  readonly kind: FieldKind;
  readonly choices: readonly string[];
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly whole: boolean;
  /** Absent when it is empty. */
  readonly optional: boolean;
  /** What a new fault has here, as text. */
  readonly initial: string;
}

/**
 * `record`, `numbers`: one `name: value` a line. `list`: one value a line. `multiline`: a text of several lines. `json`: what
 * has no field of its own.
 */
export type FieldKind =
  'number' | 'choice' | 'switch' | 'text' | 'multiline' | 'record' | 'numbers' | 'list' | 'json';

export interface FaultForm {
  readonly type: FaultType;
  readonly title: string;
  readonly icon: string;
  readonly description: string | null;
  readonly fields: readonly FaultField[];
}

interface PropertySchema {
  title?: string;
  description?: string;
  unit?: string;
  type?: string;
  multiline?: boolean;
  enum?: unknown[];
  items?: { type?: string };
  additionalProperties?: { type?: string } | boolean;
  minimum?: number;
  maximum?: number;
  default?: unknown;
}

export const faultTypes = Object.keys(faultSchemas) as FaultType[];

export const faultForms: Readonly<Record<FaultType, FaultForm>> = Object.fromEntries(
  faultTypes.map((type) => [type, formOf(type)]),
) as Record<FaultType, FaultForm>;

function formOf(type: FaultType): FaultForm {
  const schema = z.toJSONSchema(faultSchemas[type], { io: 'input' }) as {
    title?: string;
    icon?: string;
    description?: string;
    required?: string[];
    properties?: Record<string, PropertySchema>;
  };
  const properties = Object.entries(schema.properties ?? {}).filter(([key]) => key !== 'type');
  const required = new Set(schema.required);
  return {
    type,
    title: schema.title ?? type,
    icon: schema.icon ?? '',
    description: schema.description ?? null,
    fields: properties.map(([key, property]) => fieldOf(key, property, !required.has(key))),
  };
}

function fieldOf(key: string, property: PropertySchema, optional: boolean): FaultField {
  const kind = kindOf(property);
  return {
    key,
    title: property.title ?? key,
    description: property.description ?? null,
    unit: property.unit ?? null,
    kind,
    choices: (property.enum ?? []).map(String),
    minimum: property.minimum ?? null,
    maximum: property.maximum ?? null,
    whole: property.type === 'integer',
    optional,
    initial: writeField(kind, property.default),
  };
}

function kindOf(property: PropertySchema): FieldKind {
  const { type, enum: choices, additionalProperties, items, multiline = false } = property;
  if (choices !== undefined) return 'choice';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'boolean') return 'switch';
  if (type === 'string') return multiline ? 'multiline' : 'text';
  if (type === 'array' && items?.type === 'string') return 'list';
  const values = typeof additionalProperties === 'object' ? additionalProperties.type : undefined;
  if (type === 'object' && values === 'string') return 'record';
  return type === 'object' && values === 'number' ? 'numbers' : 'json';
}

/** A value as it stands in its field. */
export function writeField(kind: FieldKind, value: unknown): string {
  if (value === undefined || value === null) return '';
  switch (kind) {
    case 'record':
    case 'numbers':
      return Object.entries(value as Record<string, unknown>)
        .map(([name, text]) => `${name}: ${String(text)}`)
        .join('\n');
    case 'list':
      return (value as string[]).join('\n');
    case 'json':
      return JSON.stringify(value, null, 2);
    default:
      return String(value as string | number | boolean);
  }
}

/** What a field says; absent when it is empty and may be. */
export function readField(field: FaultField, text: string): unknown {
  if (field.optional && text.trim() === '' && field.kind !== 'multiline') return undefined;
  switch (field.kind) {
    case 'number':
      return readNumber(text);
    case 'switch':
      return text === 'true';
    case 'list':
      return linesOf(text).map((line) => line.trim());
    case 'record':
      return recordOf(text);
    case 'numbers':
      return Object.fromEntries(
        Object.entries(recordOf(text)).map(([name, value]) => [name, readNumber(value) ?? NaN]),
      );
    case 'json':
      return readJson(text);
    default:
      return text;
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** One space after the colon is ours, more are the value's. */
function recordOf(text: string): Record<string, string> {
  const entries = linesOf(text).map((line): [string, string] => {
    const colon = line.indexOf(':');
    return colon < 0
      ? [line.trim(), '']
      : [line.slice(0, colon).trim(), line.slice(colon + 1).replace(/^ /, '')];
  });
  return Object.fromEntries(entries);
}

/** A text that is no JSON is passed on as it is: the schema says what was expected. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** `2000`, `2,000`, `0.5`; anything else is no number, and empty is none. */
export function readNumber(text: string): number | undefined {
  const plain = text.replace(/[,\s]/g, '');
  if (plain === '') return undefined;
  return /^-?\d+(\.\d+)?(e-?\d+)?$/.test(plain) ? Number(plain) : NaN;
}

/** The fields of a fault, as text by key. */
export function writeFault(fault: Fault): Record<string, string> {
  const values: Readonly<Record<string, unknown>> = { ...fault };
  return Object.fromEntries(
    faultForms[fault.type].fields.map((field) => [field.key, writeField(field.kind, values[field.key])]),
  );
}

export function newFaultFields(type: FaultType): Record<string, string> {
  return Object.fromEntries(faultForms[type].fields.map((field) => [field.key, field.initial]));
}

export type FieldProblems = Readonly<Record<string, string>>;

/** The fault that the fields say, or what is wrong with which of them. */
export function readFault(
  type: FaultType,
  texts: Readonly<Record<string, string>>,
): { fault: Fault; problems: null } | { fault: null; problems: FieldProblems } {
  const { fields } = faultForms[type];
  const input = Object.fromEntries(
    fields.map((field) => [field.key, readField(field, texts[field.key] ?? '')]),
  );
  const read = faultSchemas[type].safeParse({ type, ...input });
  if (read.success) return { fault: read.data, problems: null };
  const problems: Record<string, string> = {};
  for (const issue of read.error.issues) {
    const key = String(issue.path[0] ?? fields[0]?.key ?? '');
    const field = fields.find((candidate) => candidate.key === key);
    problems[key] ??= problemWords(field, texts[key] ?? '', issue);
  }
  return { fault: null, problems };
}

function problemWords(field: FaultField | undefined, text: string, issue: z.core.$ZodIssue): string {
  if (field?.kind === 'number') return expectedNumber(field);
  if (field?.kind === 'text' && text.trim() === '' && issue.code === 'too_small') return 'Expected a text.';
  // Within a record, the name of the entry says which line is meant.
  const entry = issue.path[1];
  if (field?.kind === 'numbers' && issue.code === 'invalid_type')
    return `${String(entry)}: expected a number.`;
  const reason = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return typeof entry === 'string' ? `${entry}: ${reason}` : reason;
}

/** `Expected a whole number from 0 to 3,600,000.` */
export function expectedNumber(
  bounds: Pick<FaultField, 'minimum' | 'maximum'> & { readonly whole?: boolean },
): string {
  const { minimum, maximum, whole = true } = bounds;
  const what = whole ? 'a whole number' : 'a number';
  const number = (value: number) => value.toLocaleString('en-US');
  if (minimum === null || maximum === null) return `Expected ${what}.`;
  return `Expected ${what} from ${number(minimum)} to ${number(maximum)}.`;
}
