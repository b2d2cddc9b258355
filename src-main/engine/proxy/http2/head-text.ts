import type { FlatFields } from '../http1/fields.ts';

/** Fields as lines of text, as flows keep them. They have been found valid by the codec that read them. */
export function fieldsText(fields: FlatFields): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}
