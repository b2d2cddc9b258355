// Which names promise a secret. Names are compared without case and punctuation, so that `client_secret`, `client-secret`,
// `clientSecret` and `oauth[client_secret]` are one.

const exact = new Set(
  `auth authorization proxyauthorization bearer jwt pass passcode passwd pw pwd pin otp totp mfacode
   csrf xsrf credential credentials cookie setcookie sessionid sessionkey connectionstring
   secrets secretvalue secretaccesskey appkey accesskey accesskeyid signingkey encryptionkey subscriptionkey
   assertion clientassertion codeverifier devicecode samlresponse
   cvv cvc cvv2 cvc2 csc cardcode securitycode pan primaryaccountnumber cardno ccno ccnum ccnumber creditcard`.split(
    /\s+/,
  ),
);
const parts =
  /password|passwd|passphrase|apikey|secretkey|privatekey|cardnumber|(?:secret|token|tokens|credentials|pwd|signingkey)$/;
/** Where a page of a list goes on: said to be tokens, and no secret. */
const places = /(?:page|next|continuation|sync|cancellation)tokens?$/;
/** In the query of a URL, where shorter names are customary. */
const queryOnly = new Set(
  [
    'key',
    'sig',
    'signature',
    'xamzsignature',
    'xgoogsignature',
    'sid',
    'session',
    'jsessionid',
    'phpsessid',
  ].concat(['ticket', 'hmac']),
);
const cards = new Set(['card', 'creditcard', 'debitcard', 'paymentcard', 'carddetails', 'carddata']);
const cardNumbers = new Set(['number', 'num', 'no']);

const bare = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** A field of JSON or of a form, a header, or a word before `=` in a text. */
export function isSecretName(name: string): boolean {
  const word = bare(name);
  return exact.has(word) || (parts.test(word) && !places.test(word));
}

/** A count rather than tokens, when its value is a number: `max_tokens`, `total_tokens`. */
export const isTokenCount = (name: string): boolean => bare(name).endsWith('tokens');

/** `{"card": {"number": …}}`: neither name alone says it. */
export function isCardNumberField(parent: string | null, name: string): boolean {
  return parent !== null && cards.has(bare(parent)) && cardNumbers.has(bare(name));
}

/**
 * A parameter of a query or of a form. `code` is the secret of OAuth only beside the parameters that go with it (RFC 6749,
 * sections 4.1.2 and 4.1.3); elsewhere it is a country or a coupon.
 */
export function isSecretParameter(name: string, siblings: ReadonlySet<string>): boolean {
  if (isSecretName(name) || queryOnly.has(bare(name))) return true;
  return name === 'code' && (siblings.has('state') || siblings.has('grant_type'));
}

const headers = new Set(
  `authorization proxy-authorization cookie set-cookie set-cookie2 x-api-key x-auth-token www-authenticate
   proxy-authenticate authentication-info proxy-authentication-info x-csrf-token x-xsrf-token csrf-token xsrf-token
   x-csrftoken x-amz-security-token`.split(/\s+/),
);

/** @param more names in lower case, from the settings. */
export function isSecretHeader(lowerName: string, more: ReadonlySet<string>): boolean {
  return headers.has(lowerName) || more.has(lowerName) || isSecretName(lowerName);
}
