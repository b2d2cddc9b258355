import { isScalar, parseDocument, Scalar, visit } from 'yaml';
import type { Document } from 'yaml';

/** Values by name; process.env has this shape. */
export type Environment = Readonly<Record<string, string | undefined>>;

type Expansion = { ok: true; text: string } | { ok: false; offset: number; sentence: string };

// `$${` stands for `${` itself.
const marker = /\$\$\{|\$\{([^}]*)(\}?)/g;
const placeholder = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** Replaces `${NAME}` and `${NAME:-default}`; as in a shell, `:-` also stands in for an empty value. */
export function expandText(text: string, environment: Environment): Expansion {
  let failure: { offset: number; sentence: string } | null = null;
  const expanded = text.replaceAll(
    marker,
    (whole, inner: string | undefined, end: string, offset: number) => {
      if (whole === '$${') return '${';
      const value = valueOf(inner ?? '', end, environment);
      if (typeof value === 'string') return value;
      failure ??= { offset, sentence: value.sentence };
      return '';
    },
  );
  return failure === null
    ? { ok: true, text: expanded }
    : { ok: false, ...(failure as { offset: number; sentence: string }) };
}

/** A text that expands to `text`. */
export function escapedText(text: string): string {
  return text.replaceAll('${', () => '$${');
}

function valueOf(inner: string, end: string, environment: Environment): string | { sentence: string } {
  const parts = end === '}' ? placeholder.exec(inner) : null;
  if (parts === null) {
    return { sentence: 'Expected ${NAME} or ${NAME:-default}; for the characters themselves write $${.' };
  }
  const [, name = '', fallback] = parts;
  const value = environment[name];
  if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
  if (value !== undefined) return value;
  return {
    sentence: `The environment variable ${name} is not set. Set it, or give a default: \${${name}:-…}.`,
  };
}

export type DocumentExpansion =
  | {
      ok: true;
      document: Document.Parsed;
      /** Quoted scalars that held a placeholder: what they would be if they were not quoted, by their offset. */
      unquoted: ReadonlyMap<number, unknown>;
    }
  | { ok: false; offset: number; sentence: string };

/**
 * A copy of the document with its values expanded; the document itself keeps its placeholders. A plain scalar is read
 * again after it was expanded, so that `latencyMs: ${DELAY:-2000}` is a number.
 */
export function expandDocument(source: Document.Parsed, environment: Environment): DocumentExpansion {
  const document = source.clone() as Document.Parsed;
  const unquoted = new Map<number, unknown>();
  let failure: { offset: number; sentence: string } | null = null;
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return undefined;
      const expansion = expandText(node.value, environment);
      const offset = node.range?.[0] ?? 0;
      if (!expansion.ok) {
        // Within a quoted or folded text the offset in the value is not that in the file: the scalar itself is shown.
        const within = node.type === Scalar.PLAIN && !node.source?.includes('\n') ? expansion.offset : 0;
        failure = { offset: offset + within, sentence: expansion.sentence };
        return visit.BREAK;
      }
      const read = readPlain(expansion.text);
      if (node.type === Scalar.PLAIN) node.value = read;
      else {
        node.value = expansion.text;
        unquoted.set(offset, read);
      }
      return undefined;
    },
  });
  return failure === null
    ? { ok: true, document, unquoted }
    : { ok: false, ...(failure as { offset: number; sentence: string }) };
}

/** What a plain scalar with this text is; a value from outside never turns into a list or a mapping. */
function readPlain(text: string): unknown {
  const document = parseDocument(text);
  const simple = document.errors.length === 0 && isScalar(document.contents) && !document.contents.comment;
  return simple ? (document.contents as Scalar).value : text;
}
