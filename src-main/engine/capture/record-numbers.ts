import { at, flag, MalformedBatchError, recordFixedBytes, textNames } from './batch-format.ts';

// What is read of one record by itself, at its place in a batch or among the heads of a block.

const rareLengthAt = at.textLengths + 4 * textNames.indexOf('rare');

/** The id of the record at `offset`, without reading its other texts. */
export function idAt(bytes: Buffer, offset: number): string {
  const from = offset + recordFixedBytes;
  const length = bytes.readUInt32LE(offset + at.textLengths);
  const wide = (bytes.readUInt32LE(offset + at.flags) & flag.wide) !== 0;
  return bytes.toString(wide ? 'utf16le' : 'latin1', from, from + (wide ? length * 2 : length));
}

/** In ms as it was recorded; -1 while the flow is open. */
export function durationAt(bytes: Buffer, offset: number): number {
  return bytes.readDoubleLE(offset + at.duration);
}

/** Whether there are no faults, error, messages or decoded protocol in the record. */
export function isPlainRecord(bytes: Buffer, offset: number): boolean {
  return bytes.readUInt32LE(offset + rareLengthAt) === 0;
}

/** What the bodies of the record at `offset` take, wherever they lie. */
export function storedBodyBytes(bytes: Buffer, offset: number): number {
  return (
    bytes.readUInt32LE(offset + at.requestBodyStored) + bytes.readUInt32LE(offset + at.responseBodyStored)
  );
}

/** Whether a whole head is there. */
export function hasHead(bytes: Buffer, offset: number): boolean {
  if (offset + recordFixedBytes > bytes.length) return false;
  const headLength = bytes.readUInt32LE(offset + at.headLength);
  return headLength >= recordFixedBytes && offset + headLength <= bytes.length;
}

export function checkHead(bytes: Buffer, offset: number): number {
  if (offset < 0 || offset + recordFixedBytes > bytes.length)
    throw new MalformedBatchError('a record is cut', offset);
  const headLength = bytes.readUInt32LE(offset + at.headLength);
  if (headLength < recordFixedBytes || offset + headLength > bytes.length)
    throw new MalformedBatchError("a record's head is cut", offset);
  return headLength;
}

/** Cut to whole µs in the way that the ISO text is, so that a row and its flow name the same instant. */
export function startOf(bytes: Buffer, offset: number): number {
  const ms = finite(bytes, offset + at.startedAt);
  // Beyond it, there is no Date (ECMA-262, section 21.4.1.1).
  if (Math.abs(ms) > 8.64e15) throw new MalformedBatchError('not a time', offset + at.startedAt);
  const whole = Math.floor(ms);
  return whole + Math.min(999, Math.round((ms - whole) * 1000)) / 1000;
}

export function coded<T>(codes: readonly T[], bytes: Buffer, offset: number): T {
  const value = codes[bytes.readUInt8(offset)];
  if (value === undefined) throw new MalformedBatchError('an unknown code', offset);
  return value;
}

/** Clocks count in ns, and a difference of two fractions has digits that mean nothing. */
export function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

export function finite(bytes: Buffer, offset: number): number {
  const value = bytes.readDoubleLE(offset);
  if (!Number.isFinite(value)) throw new MalformedBatchError('not a number', offset);
  return value;
}

export function whole(bytes: Buffer, offset: number): number {
  const value = bytes.readDoubleLE(offset);
  if (!Number.isSafeInteger(value) || value < 0) throw new MalformedBatchError('not a size', offset);
  return value;
}
