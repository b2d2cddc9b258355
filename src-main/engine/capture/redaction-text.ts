// Secrets that are recognised wherever they stand: in a sentence of a log, in the value of a harmless field, in a path.
// Every expression here is linear in its input: what is read comes from strangers and may be megabytes long.
import { cardPattern, isCardNumber } from './redaction-card.ts';
import { isSecretName } from './redaction-names.ts';
import type { StandIns } from './redaction-stand-in.ts';

/** JWS and JWE in compact form (RFC 7515, section 7.1; RFC 7516, section 7.1): `eyJ` is `{"` in base64url. */
const jwtPattern = String.raw`eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}`;
const urlPattern = String.raw`(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s"'<>\\\x60{}]+`;
/** Its digits could pass for a card's. */
const uuidPattern = String.raw`(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f])`;
/** With a digit among its characters: "basic authentication" is no credential. */
const credentialsPattern = String.raw`\b(?<scheme>Bearer|Basic)(?<space>[ \t]{1,4}|%20|\+)(?<credentials>(?=[^\s0-9]{0,200}\d)[A-Za-z0-9._~+/-]{12,}=*)`;
const anywhere = new RegExp(
  `(?<url>${urlPattern})|(?<uuid>${uuidPattern})|(?<jwt>(?<![A-Za-z0-9_-])${jwtPattern})|${credentialsPattern}|(?<card>${cardPattern})`,
  'gi',
);

const secretWord = String.raw`(?<name>[\w.[\]-]{0,40}(?:pass|pwd|pw|pin|secret|token|key|auth|jwt|credential|session|cookie|csrf|xsrf|cvv|cvc|csc|otp|card|assertion|pan)[\w\]-]{0,40})`;
const nameBefore = new RegExp(
  String.raw`(?<![\w.-])${secretWord}(?<mark>\\?["']?[ \t]{0,4}[:=][ \t]{0,4})`,
  'gi',
);
const valueAfter = /(?<quote>\\?["'])(?<quoted>[^"'\\\r\n]{1,4096})|(?<plain>[^\s"'&;,<>(){}[\]\\]{1,4096})/y;
const xmlElement = new RegExp(
  String.raw`(?<open><(?:[\w-]{1,60}:)?${secretWord}(?:\s[^<>]{0,500})?>)(?<content>[^<]{1,65536})(?=</)`,
  'gi',
);

type Groups = Record<string, string | undefined>;

/** What none of the expressions can do without: most values of most bodies end here. */
const suspicious = /[:=<]|\d{4}|eyJ|basic|bearer/i;

/** @param url replaces what is secret in a URL. Returns the very text when nothing was found. */
export function redactText(text: string, standIns: StandIns, url: (text: string) => string): string {
  if (!suspicious.test(text)) return text;
  const scanned = text.replace(anywhere, (...found) => {
    const groups = found.at(-1) as Groups;
    if (groups['url'] !== undefined) return url(groups['url']);
    if (groups['jwt'] !== undefined) return standIns.text(groups['jwt'], 'jwt', '');
    if (groups['card'] !== undefined && isCardNumber(groups['card']))
      return standIns.text(groups['card'], 'card', '');
    if (groups['credentials'] === undefined) return found[0] as string;
    const { scheme = '', space = '', credentials } = groups;
    return scheme + space + standIns.text(credentials, 'credentials', scheme);
  });
  return redactNamedValues(scanned, standIns);
}

function redactNamedValues(text: string, standIns: StandIns): string {
  const pairs = redactPairsInText(text, standIns);
  if (!pairs.includes('</')) return pairs;
  return pairs.replace(xmlElement, (...found) => {
    const { name = '', open = '', content = '' } = found.at(-1) as Groups;
    return isSecretName(name) ? open + standIns.text(content, 'field', name) : (found[0] as string);
  });
}

/** `password=x`, `token: x`, `"secret":"x"` in what is not JSON as a whole. */
function redactPairsInText(text: string, standIns: StandIns): string {
  let output = '';
  let from = 0;
  nameBefore.lastIndex = 0;
  for (let found = nameBefore.exec(text); found !== null; found = nameBefore.exec(text)) {
    const { name = '' } = found.groups as Groups;
    // Otherwise its value may hold a pair itself: "key: password=x".
    if (!isSecretName(name)) continue;
    valueAfter.lastIndex = nameBefore.lastIndex;
    const { quote = '', quoted, plain } = (valueAfter.exec(text)?.groups ?? {}) as Groups;
    const value = quoted ?? plain ?? '';
    // What follows the word of a scheme is the secret, and was replaced where it looked like one.
    if (value === '' || /^(?:Basic|Bearer)$/i.test(value)) continue;
    output += text.slice(from, nameBefore.lastIndex) + quote + standIns.text(value, 'field', name);
    from = nameBefore.lastIndex + quote.length + value.length;
    nameBefore.lastIndex = from;
  }
  return from === 0 ? text : output + text.slice(from);
}

const jwtInBytes = new RegExp(jwtPattern, 'g');

/**
 * JWTs inside bytes that are no text, replaced at equal length: a length in front of them, as in protobuf, stays right.
 * Nothing else is looked for: digits and names are found in any compressed image.
 */
export function redactBinary(bytes: Buffer, standIns: StandIns): Buffer {
  if (!bytes.includes('eyJ')) return bytes;
  const text = bytes.toString('latin1');
  const redacted = text.replace(jwtInBytes, (jwt) =>
    standIns.text(jwt, 'jwt', '').padEnd(jwt.length, '.').slice(0, jwt.length),
  );
  return redacted === text ? bytes : Buffer.from(redacted, 'latin1');
}
