import { splitFields } from '../../proxy/http1/fields.ts';
import type { FlatFields } from '../../proxy/http1/fields.ts';

/** A head on a link, in parts that a fault may change. Names in HTTP/2 are in lower case; `:authority` is among them. */
export interface EditableHead {
  /** Without its CRLF. */
  readonly startLine: string;
  readonly fields: FlatFields;
}

/** @param text A whole head, latin1, with its empty line. It has been found valid by the codec that read it. */
export function readHead(text: string): EditableHead {
  const lineEnd = text.indexOf('\r\n');
  return { startLine: text.slice(0, lineEnd), fields: splitFields(text, lineEnd + 2) };
}

/** The head as bytes. What a fault has put into it was checked when its rule was taken. */
export function writeHead({ startLine, fields }: EditableHead): Buffer {
  let text = `${startLine}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}
