/** Whether calls to a place pass the upstream proxy by. `host` as it was asked for, an IPv6 address without brackets. */
export type NoProxyTest = (host: string, port: number) => boolean;

interface Address {
  readonly bits: bigint;
  readonly width: 32 | 128;
}

/**
 * One entry of `noProxy`, in the forms that NO_PROXY has in curl, Go and Python:
 *
 *     *                      everything
 *     db.corp, .corp         that name, and every name below it
 *     *.corp                 every name that the glob matches: below corp, not corp itself
 *     10.1.2.3, [::1]        that address
 *     10.0.0.0/8, fd00::/8   the addresses of a network; names are not looked up for it
 *     db.corp:5432           each of these (but networks), at one port
 *
 * A text is what is wrong with it, as a sentence.
 */
export function parseNoProxy(entry: string): NoProxyTest | string {
  const text = entry.trim().toLowerCase();
  if (text === '*') return () => true;
  if (text.includes('/')) return network(text) ?? `Expected a network such as 10.0.0.0/8, not "${entry}".`;
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text);
  // More than one colon without brackets: an IPv6 address.
  const place = parts === null ? { host: text, port: null } : { host: bare(parts[1] ?? ''), port: parts[2] };
  const port = Number(place.port ?? 0);
  const test = port > 65_535 ? null : hostTest(place.host);
  if (test === null) {
    return `Expected a host, a .suffix, a *.glob, an address or a network such as 10.0.0.0/8, with or without :port, not "${entry}".`;
  }
  return port === 0 ? test : (host, asked) => asked === port && test(host, asked);
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function hostTest(host: string): NoProxyTest | null {
  const address = parseAddress(host);
  if (address !== null) return (asked) => sameAddress(parseAddress(asked), address);
  if (!/^[a-z0-9_.*?-]+$/.test(host) || /^[0-9.]+$/.test(host)) return null;
  if (/[*?]/.test(host)) {
    const source = host.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*').replaceAll('?', '.');
    const expression = new RegExp(`^${source}$`, 's');
    return (asked) => expression.test(nameOf(asked));
  }
  const name = host.replace(/^\.+|\.$/g, '');
  if (name === '') return null;
  return (asked) => nameOf(asked) === name || nameOf(asked).endsWith(`.${name}`);
}

/** DNS knows no case, and a final dot says that the name is whole. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function network(text: string): NoProxyTest | null {
  const parts = /^(.+)\/(\d{1,3})$/.exec(text);
  const first = parseAddress(bare(parts?.[1] ?? ''));
  const length = Number(parts?.[2]);
  if (first === null || length > first.width) return null;
  const shift = BigInt(first.width - length);
  return (host) => {
    const address = parseAddress(host);
    return address !== null && address.width === first.width && address.bits >> shift === first.bits >> shift;
  };
}

function sameAddress(a: Address | null, b: Address): boolean {
  return a !== null && a.width === b.width && a.bits === b.bits;
}

/** An IPv4 address within IPv6 (::ffff:10.0.0.1) is that IPv4 address. Null for what is no address. */
function parseAddress(text: string): Address | null {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== null) return { bits: ipv4, width: 32 };
  const bits = text.includes(':') ? parseIpv6(text) : null;
  if (bits === null) return null;
  return bits >> 32n === 0xffffn ? { bits: bits & 0xffff_ffffn, width: 32 } : { bits, width: 128 };
}

function parseIpv4(text: string): bigint | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return null;
  const octets = text.split('.').map(Number);
  if (octets.some((octet) => octet > 255)) return null;
  return octets.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

function parseIpv6(text: string): bigint | null {
  const embedded = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text);
  const ipv4 = embedded === null ? null : parseIpv4(embedded[2] as string);
  if (embedded !== null && ipv4 === null) return null;
  const whole =
    ipv4 === null
      ? text
      : `${(embedded as RegExpExecArray)[1]}${(ipv4 >> 16n).toString(16)}:${(ipv4 & 0xffffn).toString(16)}`;
  const halves = whole.split('::');
  if (halves.length > 2) return null;
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...right];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}
