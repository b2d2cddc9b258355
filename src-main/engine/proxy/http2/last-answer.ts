import type { LocalResponse } from '../local-response.ts';
import { http2Code } from './error-codes.ts';
import { localFields } from './head-text.ts';
import type { Http2ClientStream } from './ports.ts';

/** Answers a client that has not said all yet, past all rules: nothing more of it is wanted (RFC 9113, section 8.1). */
export function lastAnswer(stream: Http2ClientStream, { status, fieldsText, body }: LocalResponse): void {
  stream.respond({ status, fields: localFields(fieldsText), neverIndexed: [], ended: false });
  stream.write(body);
  stream.endWith(null);
  stream.resetWith(http2Code.noError);
}
