import { defaultMatchBodyBytes } from '#shared/rules/match.ts';
import type { BodyMatch } from '#shared/rules/match.ts';
import { compileJsonPath } from '#shared/rules/json-path.ts';
import { compileExpression } from '#shared/rules/pattern.ts';

/** A test of the first part of a request body, as it was transferred, chunk framing removed. */
export interface BodyTest {
  /** How much of the body it wants to see. */
  readonly firstBytes: number;
  matches(body: Buffer): boolean;
}

/**
 * Compiles what is asked of a body. A body with a content coding is compared as it was transferred, so it hardly matches; one
 * that is longer than `firstBytes` is no JSON, since its end is missing.
 */
export function compileBodyMatch(match: BodyMatch): BodyTest {
  const { firstBytes = defaultMatchBodyBytes } = match;
  const test = contentTest(match);
  return {
    firstBytes,
    matches: (body) => test(body.length > firstBytes ? body.subarray(0, firstBytes) : body),
  };
}

function contentTest({
  contains,
  matches,
  json,
  equals,
  exists = true,
}: BodyMatch): (body: Buffer) => boolean {
  if (contains !== undefined) {
    const wanted = Buffer.from(contains);
    return (body) => body.includes(wanted);
  }
  if (matches !== undefined) {
    const found = compileExpression(matches, true);
    return (body) => found(body.toString());
  }
  const select = compileJsonPath(json ?? '');
  if (select === null) throw new SyntaxError(`${json} is not a JSON path.`);
  const isWanted = equals === undefined ? () => true : (value: unknown) => value === equals;
  return (body) => {
    const document = parsed(body);
    return document !== undefined && select(document.value, isWanted) === exists;
  };
}

function parsed(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body.toString()) };
  } catch {
    // What is no JSON (also for want of its end) has no paths.
    return undefined;
  }
}
