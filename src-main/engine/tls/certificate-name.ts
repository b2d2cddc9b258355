// The name that a leaf certificate is made for comes from a stranger: SNI or a CONNECT target. Here it becomes one canonical
// name, which is also the cache's key, or a declared reason why no certificate is made.
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** RFC 1035 section 2.3.4. */
const NAME_MAX = 253;
const LABEL_MAX = 63;
/** Letters, digits and hyphens (RFC 5890), and the underscore that service names have in practice. */
const LABEL = /^[a-z0-9_-]+$/;

export type CertificateName =
  | {
      ok: true;
      kind: 'dns' | 'ip';
      /** Lower case, A-labels, without trailing dot, brackets or zone. */
      name: string;
      /** What the SAN holds: ASCII for a name, 4 or 16 bytes for an address. */
      sanBytes: Buffer;
    }
  | { ok: false; reason: NameRefusal };

export type NameRefusal = 'empty' | 'too-long' | 'bad-label' | 'label-too-long' | 'bad-address';

export function certificateNameOf(given: string): CertificateName {
  // Beyond this nothing is looked at; the longest text of an address with brackets and a zone is far shorter.
  if (given.length > 4 * NAME_MAX) return { ok: false, reason: 'too-long' };
  const bare = given.startsWith('[') && given.endsWith(']') ? given.slice(1, -1) : given;
  const address = bare.split('%', 1)[0] ?? '';
  if (isIP(address) !== 0) return addressName(address);
  if (bare !== given || bare.includes(':')) return { ok: false, reason: 'bad-address' };
  return dnsName(given);
}

function addressName(address: string): CertificateName {
  if (isIP(address) === 4) {
    return { ok: true, kind: 'ip', name: address, sanBytes: Buffer.from(address.split('.').map(Number)) };
  }
  // The URL parser's form is canonical (RFC 5952): one certificate for all spellings of an address.
  const name = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  return { ok: true, kind: 'ip', name, sanBytes: ipv6Bytes(name) };
}

/** From the canonical form, which has hexadecimal groups only. */
function ipv6Bytes(canonical: string): Buffer {
  const [head = '', tail] = canonical.split('::');
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':'));
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  const hex = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join('');
  return Buffer.from(hex, 'hex');
}

function dnsName(given: string): CertificateName {
  const ascii = isAscii(given) ? given : domainToASCII(given);
  const name = ascii.toLowerCase().replace(/\.$/, '');
  if (name === '') return { ok: false, reason: given === '' || isAscii(given) ? 'empty' : 'bad-label' };
  if (name.length > NAME_MAX) return { ok: false, reason: 'too-long' };
  for (const label of name.split('.')) {
    if (!LABEL.test(label)) return { ok: false, reason: 'bad-label' };
    if (label.length > LABEL_MAX) return { ok: false, reason: 'label-too-long' };
  }
  return { ok: true, kind: 'dns', name, sanBytes: Buffer.from(name, 'ascii') };
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
