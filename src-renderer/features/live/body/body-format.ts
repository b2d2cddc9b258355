import { toBase64 } from '../../../ui/base64.ts';
import { prettyJson } from './pretty-json.ts';

/** A body made readable. Plain data: a large one is made in a worker. */
export interface PresentedBody {
  kind: 'json' | 'html' | 'text' | 'image' | 'binary';
  /** For a person: `JSON`, `HTML`, `PNG`, … */
  name: string;
  sizeBytes: number;
  language: 'json' | 'html' | 'text';
  /** Indented where that is possible; null for a binary body. */
  pretty: string | null;
  /** The decoded text as it is; null for a binary body. */
  raw: string | null;
  hex: string;
  /** How many bytes the hex view holds; null: all. */
  hexCutAt: number | null;
  /** A data URL; null when it is not an image. */
  image: string | null;
}

const mostHexBytes = 1_048_576;
const mostImageBytes = 8_388_608;
const shownImages = /^image\/(png|jpeg|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon)$/;

/** @param contentType the field of the message; null when it had none. */
export function formatBody(bytes: Uint8Array, contentType: string | null): PresentedBody {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const common = {
    sizeBytes: bytes.length,
    hex: hexDump(bytes.subarray(0, mostHexBytes)),
    hexCutAt: bytes.length > mostHexBytes ? mostHexBytes : null,
    image: null,
  };
  if (shownImages.test(type) && bytes.length <= mostImageBytes) {
    const name = type.slice('image/'.length).toUpperCase();
    const image = `data:${type};base64,${toBase64(bytes)}`;
    return { ...common, kind: 'image', name, language: 'text', pretty: null, raw: null, image };
  }
  const text = decodeText(bytes, contentType);
  if (text === null) {
    return {
      ...common,
      kind: 'binary',
      name: type === '' ? 'Bytes' : type,
      language: 'text',
      pretty: null,
      raw: null,
    };
  }
  return { ...common, ...formatText(text, type) };
}

function formatText(
  text: string,
  type: string,
): Pick<PresentedBody, 'kind' | 'name' | 'language' | 'pretty' | 'raw'> {
  if (/[/+]json$/.test(type) || /^\s*[[{]/.test(text)) {
    const pretty = prettyJson(text);
    if (pretty !== null) return { kind: 'json', name: 'JSON', language: 'json', pretty, raw: text };
  }
  if (/[/+](html|xml)$/.test(type)) {
    const name = type.endsWith('html') ? 'HTML' : 'XML';
    return { kind: 'html', name, language: 'html', pretty: text, raw: text };
  }
  const name = type.startsWith('text/') ? type.slice('text/'.length) : 'Text';
  return { kind: 'text', name, language: 'text', pretty: text, raw: text };
}

/** The text of a body, or null when it is not text: not decodable, or with bytes that no text has. */
function decodeText(bytes: Uint8Array, contentType: string | null): string | null {
  const charset = /charset="?([^";\s]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    const text = new TextDecoder(charset, { fatal: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null; // an unknown charset or bytes that are not in it: shown as bytes
  }
}

/** `00000010  48 65 6c 6c 6f …  Hello`. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const cells = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'));
    const left = cells.slice(0, 8).join(' ').padEnd(23);
    const right = cells.slice(8).join(' ').padEnd(23);
    const text = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    lines.push(`${at.toString(16).padStart(8, '0')}  ${left}  ${right}  ${text.join('')}`);
  }
  return lines.join('\n');
}
