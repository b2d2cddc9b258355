// Payment card numbers told from the many other long numbers of a capture: by the lengths that each range of issuers uses
// (ISO/IEC 7812), and by the check digit. Unix times in ms, µs and ns start with 1, which no issuer of cards has.

/**
 * 13 to 19 digits without separators, or in the groups that are printed on cards. Not part of a longer word or number: hex
 * hashes and fractions have such digits by chance. For use inside a larger expression, hence the named group.
 */
export const cardPattern = String.raw`(?<![0-9A-Za-z_]|\d[.,])(?:\d{13,19}|\d{4}(?<gap>[ -])\d{4}\k<gap>\d{4}\k<gap>\d{1,4}(?:\k<gap>\d{1,3})?|\d{4}[ -]\d{6}[ -]\d{4,5})(?![0-9A-Za-z_]|[.,]\d)`;

/** First digits and lengths, as the issuers' tables have them. */
const issuers: readonly RegExp[] = [
  /^4(?:\d{12}|\d{15}|\d{18})$/, // Visa
  /^5[1-5]\d{14}$/, // Mastercard
  /^2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$/, // Mastercard, since 2017
  /^3[47]\d{13}$/, // American Express
  /^3(?:0[0-5]|09|[689]\d)\d{11}(?:\d{2})?$/, // Diners Club
  /^35(?:2[89]|[3-8]\d)\d{12}(?:\d{3})?$/, // JCB
  /^6(?:011|4[4-9]\d|5\d\d)\d{12}(?:\d{3})?$/, // Discover
  /^62\d{14,17}$/, // UnionPay
  /^(?:50|5[6-9]|6[37])\d{11,17}$/, // Maestro
  /^220[0-4]\d{12}$/, // Mir
];

/** @param digits as found, separators and all. */
export function isCardNumber(digits: string): boolean {
  const plain = digits.replace(/[ -]/g, '');
  return issuers.some((issuer) => issuer.test(plain)) && passesLuhn(plain);
}

/** ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    const doubled = digit * 2;
    sum += place % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
