import type { Fields } from '#shared/flow/flow.ts';
import { isSecretHeader } from './redaction-names.ts';
import type { StandIns } from './redaction-stand-in.ts';

/** Their value is a URL, also a relative one. */
const urlHeaders = new Set(
  'location content-location referer x-original-url x-rewrite-url x-forwarded-uri x-forwarded-url :path'.split(
    ' ',
  ),
);
/** Authentication schemes (IANA's registry, and customary ones). Any other first word could be part of the secret. */
const scheme =
  /^(?:Basic|Bearer|Concealed|Digest|DPoP|GNAP|HOBA|Mutual|Negotiate|NTLM|OAuth|PrivateToken|SCRAM-SHA-1|SCRAM-SHA-256|vapid|AWS4-HMAC-SHA256|AWS|Token|ApiKey|Key|SharedKey|GoogleLogin)[ \t]+/i;
/** Tokens in the list of WebSocket subprotocols, as Kubernetes' and others' servers take them. */
const subprotocolToken = /((?:^|[\s,.])(?:token|bearer|auth|authorization)(?:\.k8s\.io)?\.)([^\s,]+)/gi;

/** @param more header names of the settings, in lower case. Order, case and number of the fields stay. */
export function redactFields(
  fields: Fields,
  more: ReadonlySet<string>,
  standIns: StandIns,
  value: { text(text: string): string; url(url: string): string },
): Fields {
  return fields.map(([name, content]) => {
    const lower = name.toLowerCase();
    if (lower === 'cookie' && !more.has(lower)) return [name, redactCookies(content, standIns)];
    if (lower.startsWith('set-cookie')) return [name, redactSetCookie(content, standIns)];
    if (isSecretHeader(lower, more)) return [name, redactCredentials(content, lower, standIns)];
    if (lower === 'sec-websocket-protocol') return [name, value.text(redactSubprotocols(content, standIns))];
    return [name, urlHeaders.has(lower) ? value.url(content) : value.text(content)];
  });
}

/** Cookie names tell what a call carries, and no secret (RFC 6265, section 4.2.1). */
function redactCookies(content: string, standIns: StandIns): string {
  return content
    .split(';')
    .map((pair) => redactCookie(pair, standIns))
    .join(';');
}

function redactCookie(pair: string, standIns: StandIns): string {
  const [, before = '', value = '', after = ''] = /^([^=]*=\s*|\s*)(.*?)(\s*)$/s.exec(pair) ?? [];
  const name = before.replace('=', '').trim();
  const bare = /^"(.*)"$/s.exec(value)?.[1] ?? value;
  return before + standIns.text(bare, 'cookie', name) + after;
}

/** Attributes stay: whether a cookie is Secure, and for how long, is often the very question. */
function redactSetCookie(content: string, standIns: StandIns): string {
  const semicolon = content.indexOf(';');
  const pair = semicolon < 0 ? content : content.slice(0, semicolon);
  return redactCookie(pair, standIns) + (semicolon < 0 ? '' : content.slice(semicolon));
}

function redactCredentials(content: string, name: string, standIns: StandIns): string {
  const word = scheme.exec(content)?.[0] ?? '';
  return word + standIns.text(content.slice(word.length), 'header', name);
}

function redactSubprotocols(content: string, standIns: StandIns): string {
  return content.replace(
    subprotocolToken,
    (_, before: string, token: string) =>
      before + standIns.text(token, 'credentials', 'sec-websocket-protocol'),
  );
}
