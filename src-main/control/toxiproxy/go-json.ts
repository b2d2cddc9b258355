import { badRequestBody } from './api-error.ts';

/**
 * JSON as Go's encoding/json reads it into a struct, because clients rely on it: keys in any case, unknown ones passed over,
 * null as if it were absent, text after the first value passed over; an integer must be written as one (1.0 and 1e3 are none).
 */

/** A number as it was written: an int64 has more digits than a double. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | { [key: string]: JsonValue };

/** Where a value stands, for the words of an error: `Proxy.name`. */
export interface GoField {
  readonly struct: string;
  readonly path: string;
}

/** Reads the first value of a text. @throws ToxiproxyError `bad request body: …` */
export function decodeJson(text: string): JsonValue {
  if (text.trim() === '') throw badRequestBody('EOF');
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const after = /^Unexpected non-whitespace character after JSON at position (\d+)/.exec(error.message);
    if (after !== null) return parse(text.slice(0, Number(after[1])));
    throw badRequestBody(syntaxProblem(text, error.message));
  }
}

function parse(text: string): JsonValue {
  const keepNumbers = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value;
  return JSON.parse(text, keepNumbers as (key: string, value: unknown) => unknown) as JsonValue;
}

function syntaxProblem(text: string, message: string): string {
  const at = Number(/at position (\d+)/.exec(message)?.[1] ?? -1);
  const ended = /^(Unexpected end|Unterminated)/.test(message) || at >= text.length;
  if (ended) return 'unexpected EOF';
  const found = /^Unexpected token '(.)'/su.exec(message)?.[1] ?? text[at] ?? '';
  return `invalid character '${found}' looking for beginning of value`;
}

/** The fields of an object, by their names in lower case; of a repeated one the last. null: there was none (Go keeps the defaults). */
export class GoObject {
  readonly #fields = new Map<string, JsonValue>();
  readonly #struct: string;
  readonly #prefix: string;

  /** @param at Where the object stands in another; absent for the whole body. */
  constructor(value: JsonValue, struct: string, at?: GoField) {
    this.#struct = struct;
    this.#prefix = at === undefined ? '' : `${at.path}.`;
    if (value === null) return;
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof JsonNumber)
      throw mismatch(value, at, `toxiproxy.${struct}`);
    for (const [key, field] of Object.entries(value)) this.#fields.set(key.toLowerCase(), field);
  }

  string(name: string): string | undefined {
    const value = this.#given(name);
    if (value === undefined || typeof value === 'string') return value;
    throw mismatch(value, this.#at(name), 'string');
  }

  boolean(name: string): boolean | undefined {
    const value = this.#given(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw mismatch(value, this.#at(name), 'bool');
  }

  int64(name: string): bigint | undefined {
    const value = this.#given(name);
    if (value === undefined) return undefined;
    if (!(value instanceof JsonNumber)) throw mismatch(value, this.#at(name), 'int64');
    const number = /^-?\d+$/.test(value.text) ? BigInt(value.text) : null;
    if (number !== null && BigInt.asIntN(64, number) === number) return number;
    throw mismatch(value, this.#at(name), 'int64', `number ${value.text}`);
  }

  /** As precise as a float32, written in as few digits as say it. */
  float32(name: string): number | undefined {
    const value = this.#given(name);
    if (value === undefined) return undefined;
    if (!(value instanceof JsonNumber)) throw mismatch(value, this.#at(name), 'float32');
    const number = Math.fround(Number(value.text));
    if (Number.isFinite(number)) return shortest(number);
    throw mismatch(value, this.#at(name), 'float32', `number ${value.text}`);
  }

  object(name: string, struct: string): GoObject {
    return new GoObject(this.#given(name) ?? null, struct, this.#at(name));
  }

  #given(name: string): JsonValue | undefined {
    return this.#fields.get(name) ?? undefined;
  }

  #at(name: string): GoField {
    return { struct: this.#struct, path: `${this.#prefix}${name}` };
  }
}

/** The items of an array; none for null. */
export function goArray(value: JsonValue, type: string): JsonValue[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw mismatch(value, undefined, type);
}

function mismatch(value: JsonValue, at: GoField | undefined, type: string, described = kindOf(value)) {
  const where = at === undefined ? 'Go value' : `Go struct field ${at.struct}.${at.path}`;
  return badRequestBody(`json: cannot unmarshal ${described} into ${where} of type ${type}`);
}

function kindOf(value: JsonValue): string {
  if (value instanceof JsonNumber) return 'number';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function shortest(float32: number): number {
  for (let digits = 1; digits < 9; digits += 1) {
    const number = Number(float32.toPrecision(digits));
    if (Math.fround(number) === float32) return number;
  }
  return Number(float32.toPrecision(9));
}
