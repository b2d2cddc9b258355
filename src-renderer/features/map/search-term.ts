/** A name as a value of the search language: in quotes where it is more than letters, digits, dots and dashes. */
export function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`;
}
