/** A table over all octets: 1 where the octet is allowed. A lookup costs less than comparisons on the hot path. */
function octetTable(isAllowed: (octet: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => (isAllowed(octet) ? 1 : 0));
}

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const hostCharacters = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** token (RFC 9110, section 5.6.2): methods, field names, codings. */
export const isToken = octetTable((octet) => tokenCharacters.includes(String.fromCharCode(octet)));

/** field-value and reason-phrase (RFC 9110, section 5.5): HTAB, SP, VCHAR and obs-text. */
export const isFieldValue = octetTable((octet) => octet === 9 || (octet >= 32 && octet !== 127));

/**
 * Request targets: visible ASCII without `#`, which never travels (RFC 9110, section 4.1). What else the grammar of URIs
 * forbids (quotes, braces, bars) is common, harmless to framing, and passes.
 */
export const isTarget = octetTable((octet) => octet > 32 && octet < 127 && octet !== 35);

/** Host names: unreserved only. The grammar also allows sub-delims, which no resolver knows. */
export const isHostName = octetTable((octet) => hostCharacters.includes(String.fromCharCode(octet)));

/** The value of a hexadecimal digit, or 255. */
export const hexValue = Uint8Array.from({ length: 256 }, (_, octet) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(octet).toLowerCase());
  return value < 0 ? 255 : value;
});

export const NUL = 0;
export const HTAB = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;
export const COLON = 58;
export const SEMICOLON = 59;
