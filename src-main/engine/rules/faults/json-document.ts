/**
 * JSON documents that are written back as they came but for what is changed: numbers keep their text, since a double does not
 * hold every one of them (an id of 64 bits would come out as another).
 */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** ECMAScript's `JSON.parse` source text access and `JSON.rawJSON`, which TypeScript does not describe yet. */
const withSource = JSON as unknown as {
  parse(text: string, reviver: (name: string, value: Json, context: { source?: string }) => Json): Json;
  rawJSON(text: string): Json;
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};

/** Throws a SyntaxError for what is no JSON. */
export function readJson(text: string): Json {
  return withSource.parse(text, (_name, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? withSource.rawJSON(source)
      : value,
  );
}

export function isList(value: Json): value is Json[] {
  return Array.isArray(value);
}

export function isObject(value: Json): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !isList(value) && !withSource.isRawJSON(value);
}

export function copyOf(value: Json): Json {
  if (isList(value)) return value.map(copyOf);
  if (!isObject(value)) return value;
  const copy: { [name: string]: Json } = {};
  for (const [name, member] of Object.entries(value)) setMember(copy, name, copyOf(member));
  return copy;
}

/** Sets a member of whatever name: `__proto__` is one like others in JSON. */
export function setMember(object: { [name: string]: Json }, name: string, value: Json): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** As RFC 6902, section 4.6, has it: numbers by their value, members in any order. */
export function isEqual(one: Json, other: Json): boolean {
  if (isList(one)) {
    return (
      isList(other) &&
      one.length === other.length &&
      one.every((item, index) => isEqual(item, other[index] as Json))
    );
  }
  if (!isObject(one)) return plain(one) === plain(other);
  if (!isObject(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isEqual(one[name] as Json, other[name] as Json))
  );
}

/** Numbers that differ only beyond a double's precision are told apart by their texts. */
function plain(value: Json): unknown {
  if (!withSource.isRawJSON(value)) return value;
  const number = Number(value.rawJSON);
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(value.rawJSON) ? number : value.rawJSON;
}
