/** What crosses a text channel: JSON, with `{ $: kind, v }` for what JSON has not. */
export interface CloneCodec {
  encode(value: unknown): string;
  decode(text: string): unknown;
}

/**
 * Structured clone over text, for the values that programs send: JSON's, undefined, numbers without JSON form, bigint, Date,
 * Map, Set, ArrayBuffer and Uint8Array. What a port refuses (functions, symbols) is refused as it would be.
 *
 * One function without anything from outside: its text also runs in the page (page-host.ts).
 */
export function createCloneCodec(): CloneCodec {
  const toBase64 = (bytes: Uint8Array): string => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 0x8000) {
      text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    }
    return btoa(text);
  };
  const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => {
    const characters = atob(text);
    const bytes = new Uint8Array(characters.length);
    for (let at = 0; at < characters.length; at += 1) bytes[at] = characters.charCodeAt(at);
    return bytes;
  };
  const tagged = (kind: string, value?: unknown): object => ({ $: kind, v: value });

  const fold = (value: unknown): unknown => {
    if (value === undefined) return tagged('undefined');
    if (typeof value === 'bigint') return tagged('bigint', String(value));
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
      return tagged('number', Object.is(value, -0) ? '-0' : String(value));
    }
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError');
    }
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof ArrayBuffer) return tagged('buffer', toBase64(new Uint8Array(value)));
    if (ArrayBuffer.isView(value)) {
      if (!(value instanceof Uint8Array))
        throw new DOMException('Only Uint8Array views are carried.', 'DataCloneError');
      return tagged('bytes', toBase64(value));
    }
    if (value instanceof Date) return tagged('date', value.getTime());
    if (value instanceof Map)
      return tagged(
        'map',
        [...value].map(([key, entry]) => [fold(key), fold(entry)]),
      );
    if (value instanceof Set) return tagged('set', [...value].map(fold));
    if (Array.isArray(value)) return value.map(fold);
    const entries = Object.entries(value).map(([key, entry]) => [key, fold(entry)]);
    const plain = Object.fromEntries(entries) as object;
    return '$' in plain ? tagged('object', plain) : plain;
  };

  const unfoldEntries = (value: object): object =>
    Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, unfold(entry)]));

  const unfold = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(unfold);
    if (!('$' in value)) return unfoldEntries(value);
    const { $: kind, v } = value as unknown as { $: string; v: never };
    switch (kind) {
      case 'undefined':
        return undefined;
      case 'bigint':
        return BigInt(v);
      case 'number':
        return Number(v);
      case 'buffer':
        return fromBase64(v).buffer;
      case 'bytes':
        return fromBase64(v);
      case 'date':
        return new Date(v);
      case 'map':
        return new Map((v as [unknown, unknown][]).map(([key, entry]) => [unfold(key), unfold(entry)]));
      case 'set':
        return new Set((v as unknown[]).map(unfold));
      default:
        return unfoldEntries(v);
    }
  };
  return {
    encode: (value) => JSON.stringify(fold(value)),
    decode: (text) => unfold(JSON.parse(text)),
  };
}
