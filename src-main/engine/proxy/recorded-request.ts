import type { RecordedRequest } from './exchange-record.ts';
import type { RequestHead } from './http1/head.ts';

/** A request in HTTP/1 as its flow shows it. */
export function recorded(head: RequestHead): RecordedRequest {
  return {
    method: head.method,
    path: head.destination.path,
    httpVersion: head.httpVersion,
    fieldsText: head.text.slice(head.fieldsAt, -2),
    headBytes: head.rawHeadBytes,
  };
}
