/**
 * Fields as one flat list, [name, value, name, value, ...], in the order, case and number in which they came.
 * Names are compared without case (RFC 9110, section 5.1); only ASCII letters can differ in case in a token.
 */
export type FlatFields = string[];

function indexOfField(fields: readonly string[], name: string, from = 0): number {
  const wanted = name.toLowerCase();
  for (let i = from; i < fields.length; i += 2) {
    const candidate = fields[i] as string;
    if (candidate.length === wanted.length && candidate.toLowerCase() === wanted) return i;
  }
  return -1;
}

/** The value of the first field of that name, or null. */
export function getField(fields: readonly string[], name: string): string | null {
  const i = indexOfField(fields, name);
  return i < 0 ? null : (fields[i + 1] as string);
}

/** Every value of that name, in order; empty when absent. */
export function getAllFields(fields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = indexOfField(fields, name); i >= 0; i = indexOfField(fields, name, i + 2)) {
    values.push(fields[i + 1] as string);
  }
  return values;
}

/** Sets the value in the place and spelling of the first field of that name and removes the others; appends when absent. */
export function setField(fields: FlatFields, name: string, value: string): void {
  const first = indexOfField(fields, name);
  if (first < 0) {
    fields.push(name, value);
    return;
  }
  fields[first + 1] = value;
  removeFrom(fields, name, first + 2);
}

/** Removes every field of that name; returns how many there were. */
export function removeField(fields: FlatFields, name: string): number {
  return removeFrom(fields, name, 0);
}

function removeFrom(fields: FlatFields, name: string, from: number): number {
  let removed = 0;
  for (let i = indexOfField(fields, name, from); i >= 0; i = indexOfField(fields, name, i)) {
    fields.splice(i, 2);
    removed++;
  }
  return removed;
}

/**
 * Makes the flat list from a field block that was already found valid: `name: value CRLF` lines from `from`, closed by
 * an empty line.
 */
export function splitFields(text: string, from: number): FlatFields {
  const fields: FlatFields = [];
  let lineStart = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', lineStart);
    if (lineEnd <= lineStart) return fields;
    // Behind the first sign: the pseudo-fields of HTTP/2 begin with one.
    const colon = text.indexOf(':', lineStart + 1);
    fields.push(text.slice(lineStart, colon), trimmedSlice(text, colon + 1, lineEnd));
    lineStart = lineEnd + 2;
  }
}

/** The text between two indices without SP and HTAB at its ends (OWS; `trim` would also take obs-text such as 0xA0). */
export function trimmedSlice(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}
