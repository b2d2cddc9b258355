import { isUtf8 } from 'node:buffer';
import type { FaultOf } from '#shared/rules/fault.ts';
import { readJsonPatch } from '#shared/rules/json-patch.ts';
import { compileReplacement } from '#shared/rules/pattern.ts';
import { byteCount } from '../fault-mark.ts';
import { readJson } from './json-document.ts';
import { mergeJson, PatchMisfit, patchJson } from './patch-json.ts';

/** Expressions and documents are worked on in one go, while the worker does nothing else. */
export const longestEditedBytes = 1024 ** 2;

/** The new content; a sentence about why there is none. */
export type BodyChange = (content: Buffer) => Buffer | string;

/** What a body fault makes of a content without codings. */
export function bodyChange({ how, pattern, text }: FaultOf<'body'>): BodyChange {
  const bytes = Buffer.from(text);
  switch (how) {
    case 'replace':
      return () => bytes;
    case 'regex':
      return replaceText(compileReplacement(pattern, text));
    case 'json-merge':
      return changeJson((document) => mergeJson(document, readJson(text)));
    case 'json-patch': {
      const patch = readJsonPatch(text);
      if (typeof patch === 'string') return () => patch;
      return changeJson((document) => patchJson(document, patch));
    }
  }
}

function replaceText(replace: (text: string) => string): BodyChange {
  return (content) => {
    if (content.length > longestEditedBytes) return tooLong;
    // As latin1 every byte is a sign: what is no UTF-8 comes out as it went in, but for what is replaced.
    const encoding = isUtf8(content) ? 'utf8' : 'latin1';
    const before = content.toString(encoding);
    const after = replace(before);
    return after === before ? 'the pattern is not in it' : Buffer.from(after, encoding);
  };
}

function changeJson(
  change: (document: ReturnType<typeof readJson>) => ReturnType<typeof readJson>,
): BodyChange {
  return (content) => {
    if (content.length > longestEditedBytes) return tooLong;
    try {
      return Buffer.from(JSON.stringify(change(readJson(content.toString('utf8')))));
    } catch (error) {
      if (error instanceof PatchMisfit) return `the patch does not fit: ${error.message}`;
      if (error instanceof SyntaxError) return 'it is not JSON';
      throw error;
    }
  };
}

const tooLong = `it is longer than ${byteCount(longestEditedBytes)}`;
