import { randomUUID } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { wholeFileDefect } from './defect.ts';
import type { Defect } from './defect.ts';

/** The schema's 10,000 rules fit in with room to spare, and YAML of this size is still read in a few seconds. */
export const maxFileBytes = 2 * 1024 ** 2;

export type FileText = { ok: true; text: string } | { ok: false; missing: boolean; defect: Defect };

/** Reads the whole file as UTF-8. What stands in the way is a defect, never thrown. */
export async function readFileText(path: string): Promise<FileText> {
  let bytes: Buffer;
  try {
    const read = await readBounded(path);
    if (typeof read === 'string') return refusal(read);
    bytes = read;
  } catch (error) {
    return unreadable(error as NodeJS.ErrnoException);
  }
  try {
    // The decoder takes a byte order mark away; it is put back on writing (see writeFileText).
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return refusal('The file is not UTF-8. Save it in that encoding.'); // the only failure of a fatal decoder
  }
}

/** The bytes, or the sentence that refuses them. */
async function readBounded(path: string): Promise<Buffer | string> {
  // Opened without waiting: a FIFO would otherwise hold the agent until somebody writes into it.
  const facts = await stat(path);
  if (facts.isDirectory()) return 'Expected a file; this is a directory.';
  if (!facts.isFile()) return 'Expected an ordinary file.';
  if (facts.size > maxFileBytes)
    return `The file is too large: ${facts.size} bytes, where ${maxFileBytes} are read.`;
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(maxFileBytes + 1), 0, maxFileBytes + 1, 0);
    return bytesRead > maxFileBytes
      ? `The file is larger than the ${maxFileBytes} bytes that are read.`
      : buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function refusal(sentence: string): FileText {
  return { ok: false, missing: false, defect: wholeFileDefect(sentence) };
}

function unreadable({ code }: NodeJS.ErrnoException): FileText {
  if (code === 'ENOENT')
    return { ok: false, missing: true, defect: wholeFileDefect('There is no such file.') };
  const why = code === 'EACCES' ? 'it is not allowed' : String(code);
  return refusal(`The file cannot be read (${why}).`);
}

/**
 * Replaces the file: written beside it, flushed, renamed over it, with its mode. A link stays a link: what it points to is
 * replaced. Throws what the file system throws.
 */
export async function writeFileText(path: string, text: string): Promise<void> {
  const target = await realpath(path);
  const { mode } = await stat(target);
  const marked = await startsWithMark(target);
  const temporary = join(dirname(target), `.${randomUUID()}.spike.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(marked ? `\uFEFF${text}` : text);
      await file.chmod(mode & 0o777);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function startsWithMark(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(3), 0, 3, 0);
    return bytesRead === 3 && buffer.equals(Buffer.from([0xef, 0xbb, 0xbf]));
  } finally {
    await file.close();
  }
}
