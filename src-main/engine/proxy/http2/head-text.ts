import { getField, removeField, splitFields } from '../http1/fields.ts';
import type { FlatFields } from '../http1/fields.ts';
import type { Http2RequestHead } from './ports.ts';
import { withoutConnectionFields } from './translate-head.ts';

/** Fields as lines of text, as flows keep them. They have been found valid by the codec that read them. */
export function fieldsText(fields: FlatFields): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}

/** The first line that a request would have in HTTP/1.1. */
export function requestLine({ method, path }: Http2RequestHead): string {
  return `${method} ${path} HTTP/2\r\n`;
}

/** What a flow shows of a request: whom it asked is in no other field of it. */
export function requestFieldsText({ authority, fields }: Http2RequestHead): string {
  return `:authority: ${authority}\r\n${fieldsText(fields)}`;
}

/** Lines of an answer of our own as fields: a rule may have written any names, in any case. */
export function localFields(lines: string): FlatFields {
  return withoutConnectionFields(splitFields(`${lines}\r\n`, 0));
}

/** The request with the fields of its text (`requestFieldsText`), as a rule has changed them. */
export function withFields(head: Http2RequestHead, changed: FlatFields): Http2RequestHead {
  const fields = withoutConnectionFields(changed);
  const authority = getField(fields, ':authority') ?? head.authority;
  removeField(fields, ':authority');
  return { ...head, authority, fields };
}
