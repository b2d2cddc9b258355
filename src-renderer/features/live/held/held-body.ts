import { fromBase64 } from '../../../ui/base64.ts';
import { presentBody } from '../body/present-body.ts';

/** The body of a held message, as it is shown and whether it can be changed. */
export interface HeldBody {
  /** For a person: `JSON`, `XML`, `PNG`, … */
  readonly name: string;
  readonly sizeBytes: number;
  readonly language: 'json' | 'html' | 'text';
  /** What is sent when nobody touches it, as text; null: it is no text. */
  readonly text: string | null;
  /** The same with line breaks and indentation; null: it has no other form. */
  readonly pretty: string | null;
  readonly hex: string;
  readonly hexCutAt: number | null;
  /** Why it cannot be changed, as a sentence; null: it can. */
  readonly why: string | null;
}

/** Colours and indentation of a longer text cost more than they tell. */
const mostFormatted = 1_048_576;

export async function readHeldBody(
  message: {
    readonly body: string;
    readonly why: string | null;
    readonly headers: readonly (readonly [string, string])[];
  },
  signal: AbortSignal,
): Promise<HeldBody> {
  const contentType = contentTypeOf(message.headers);
  const bytes = fromBase64(message.body);
  const text = exactText(bytes);
  if (text !== null && bytes.length > mostFormatted) return plainText(text, bytes.length, message.why);
  const { sizeBytes, name, language, pretty, raw, hex, hexCutAt } = await presentBody(
    bytes,
    contentType,
    signal,
  );
  return {
    name,
    sizeBytes,
    language,
    text,
    pretty: pretty === text ? null : pretty,
    hex,
    hexCutAt,
    why: message.why === null ? whyNoText(text, raw, name) : fixedWords(message.why),
  };
}

function plainText(text: string, sizeBytes: number, why: string | null): HeldBody {
  const plain = { name: 'Text', language: 'text', pretty: null, hex: '', hexCutAt: null } as const;
  return { ...plain, sizeBytes, text, why: why === null ? null : fixedWords(why) };
}

function fixedWords(why: string): string {
  return `The body cannot be edited: ${why}.`;
}

/** The text whose UTF-8 are exactly these bytes; null: there is none. A byte order mark stays. */
function exactText(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null; // other bytes: they are shown as such
  }
}

function whyNoText(text: string | null, raw: string | null, name: string): string | null {
  if (text !== null) return null;
  return raw === null
    ? `The body is not text (${name}): it is shown as bytes and passes as it came.`
    : 'The body is text in another encoding than UTF-8: it is shown as bytes and passes as it came.';
}

export function contentTypeOf(headers: readonly (readonly [string, string])[]): string | null {
  return headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? null;
}

/** How the editor colours a body that is written here. */
export function languageOf(contentType: string | null): HeldBody['language'] {
  if (/[/+]json\b/.test(contentType ?? '')) return 'json';
  return /[/+](html|xml)\b/.test(contentType ?? '') ? 'html' : 'text';
}
