import { trimmedUtf8Length } from './redaction-body.ts';

/** A stored body, as the export needs it. */
export interface HarBody {
  /** Content coding removed, if `decoded`. */
  readonly bytes: Buffer;
  /** `bytes` is the first part only. */
  readonly truncated: boolean;
  /** False: the content coding could not be removed, `bytes` is as it was transferred. */
  readonly decoded: boolean;
}

/** A body as text, or as base64 where it is no text. */
export interface HarText {
  readonly text: string;
  readonly encoding?: 'base64';
}

/** Text is what is UTF-8 without NUL, or what its declared charset can decode. */
export function harTextOf(body: HarBody, contentType: string | null): HarText {
  const text = body.decoded ? textOf(body, contentType) : null;
  return text === null ? { text: body.bytes.toString('base64'), encoding: 'base64' } : { text };
}

function textOf({ bytes, truncated }: HarBody, contentType: string | null): string | null {
  const charset = /charset=["']?([\w.:-]{1,40})/i.exec(contentType ?? '')?.[1]?.toLowerCase() ?? 'utf-8';
  const isWide = charset.startsWith('utf-16');
  const length = bytes.includes(0) || isWide ? null : trimmedUtf8Length(bytes);
  if (length !== null && (truncated || length === bytes.length)) return bytes.toString('utf8', 0, length);
  if (charset === 'utf-8' || charset === 'utf8') return null;
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes, { stream: truncated });
  } catch {
    // An unknown charset, or bytes that it does not have: base64 loses nothing.
    return null;
  }
}

/** What a reader should know of a body that is not there as it passed; '' when nothing. */
export function bodyComment(body: (HarBody & { readonly sizeBytes: number }) | null, state: string): string {
  if (body === null)
    return state === 'none' || state === 'stored' ? '' : `The body is not in this capture: ${state}.`;
  if (!body.decoded) return 'The content coding could not be removed: the body is as it was transferred.';
  return body.truncated ? `Only the first ${body.sizeBytes} bytes of the body are in this capture.` : '';
}
