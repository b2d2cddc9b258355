/**
 * `CREATE ROLE app PASSWORD 'secret'`, `OPTIONS (password 'secret')`, `SET password = 'secret'`: the literal, in any of
 * the ways to quote one, also one whose end was cut off.
 */
const passwordLiteral =
  /(\bpassword"?\s*(?:=\s*)?)(?:(?:[eEnN]|[uU]&)?'(?:[^'\\]|''|\\[^])*(?:'|\\?$)|\$(\w*)\$[^]*?(?:\$\2\$|$))/gi;
/** A connection string inside a literal: `CONNECTION 'host=db password=secret'`. */
const passwordInConnection = /(\bpassword\s*=\s*)(?:''(?:[^'\\]|\\[^])*''|[^\s'$)]+)/gi;

/** Passwords that a statement holds are not shown. Any other literal of a statement is. */
export function hidePasswords(statement: string): string {
  if (!/password/i.test(statement)) return statement;
  const hidden = statement.replace(passwordLiteral, "$1'…'");
  return /\bconnection\s+e?'/i.test(statement) ? hidden.replace(passwordInConnection, '$1…') : hidden;
}
