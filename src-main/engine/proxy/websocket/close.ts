/** Status codes of a close frame (RFC 6455, section 7.4.1, and the registry of IANA). */
const names: Readonly<Record<number, string>> = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1007: 'invalid payload data',
  1008: 'policy violation',
  1009: 'message too big',
  1010: 'mandatory extension',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
  1014: 'bad gateway',
};

/** Code and reason as they were sent: "1000 bye". */
export function closeText(payload: Buffer): string {
  if (payload.length < 2) return '';
  return `${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`.trimEnd();
}

/** What its code means: "1000 normal closure". */
export function closeSummary(payload: Buffer): string {
  if (payload.length < 2) return 'no code';
  const code = payload.readUInt16BE(0);
  return `${code} ${names[code] ?? (code >= 4000 ? 'of the application' : '')}`.trimEnd();
}
