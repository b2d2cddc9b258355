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
  readonly kind: 'number' | 'choice' | 'lines' | 'text';
  readonly choices: readonly string[];
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** What a new fault has here, as text. */
  readonly initial: string;
}

export interface FaultForm {
  readonly type: FaultType;
  readonly title: string;
  readonly icon: string;
  readonly fields: readonly FaultField[];
}

interface PropertySchema {
  title?: string;
  description?: string;
  unit?: string;
  type?: string;
  enum?: unknown[];
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
    properties?: Record<string, PropertySchema>;
  };
  const properties = Object.entries(schema.properties ?? {}).filter(([key]) => key !== 'type');
  return {
    type,
    title: schema.title ?? type,
    icon: schema.icon ?? '',
    fields: properties.map(([key, property]) => fieldOf(key, property)),
  };
}

function fieldOf(key: string, property: PropertySchema): FaultField {
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
    initial: writeField(kind, property.default),
  };
}

function kindOf({ type, enum: choices }: PropertySchema): FaultField['kind'] {
  if (choices !== undefined) return 'choice';
  if (type === 'integer' || type === 'number') return 'number';
  return type === 'object' ? 'lines' : 'text';
}

/** A value as it stands in its field. A record is one `name: value` a line. */
export function writeField(kind: FaultField['kind'], value: unknown): string {
  if (value === undefined || value === null) return '';
  if (kind !== 'lines') return String(value);
  return Object.entries(value as Record<string, string>)
    .map(([name, text]) => `${name}: ${text}`)
    .join('\n');
}

/** What a field says; absent when it is empty and may be. */
export function readField(field: FaultField, text: string): unknown {
  if (field.kind === 'number') return readNumber(text);
  if (field.kind !== 'lines') return text;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

/** `2000`, `2,000`; anything else is no number, and empty is none. */
export function readNumber(text: string): number | undefined {
  const plain = text.replace(/[,\s]/g, '');
  if (plain === '') return undefined;
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : NaN;
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
    const key = String(issue.path[0] ?? '');
    const field = fields.find((candidate) => candidate.key === key);
    problems[key] ??= field?.kind === 'number' ? expectedNumber(field) : issue.message;
  }
  return { fault: null, problems };
}

/** `Expected a whole number from 0 to 3,600,000.` */
export function expectedNumber({ minimum, maximum }: Pick<FaultField, 'minimum' | 'maximum'>): string {
  const number = (value: number) => value.toLocaleString('en-US');
  if (minimum === null || maximum === null) return 'Expected a whole number.';
  return `Expected a whole number from ${number(minimum)} to ${number(maximum)}.`;
}
