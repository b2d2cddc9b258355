import { getField, removeField, splitFields } from '../http1/fields.ts';
import type { FlatFields } from '../http1/fields.ts';
import type { ChangedHead } from './linked-message.ts';
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

/** The status of a first line of an answer that a rule has changed; null: it has not. */
export function statusIn(startLine: string | null): number | null {
  return startLine === null ? null : Number(startLine.split(' ')[1]);
}

/** The request as rules have changed its text (`requestLine`, `requestFieldsText`). */
export function withChanges(head: Http2RequestHead, changed: ChangedHead): Http2RequestHead {
  const fields = withoutConnectionFields(changed.fields);
  const authority = getField(fields, ':authority') ?? head.authority;
  removeField(fields, ':authority');
  const [method = head.method, path = head.path] = changed.startLine?.split(' ') ?? [];
  return { ...head, method, path, authority, fields, ended: head.ended && !changed.mayHaveBody };
}
