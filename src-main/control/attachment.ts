/** A switch as contract inputs have it: JSON gives booleans, query strings `1` and `0`, `true` and `false`. */
export type SwitchInput = boolean | '1' | '0' | 'true' | 'false';

export function isOn(value: SwitchInput): boolean {
  return value === true || value === '1' || value === 'true';
}

/**
 * Bytes that somebody else wrote, as an answer. Over REST they are in the window's own origin: a hostile page that was
 * captured must be saved, never shown or run, whatever type it claims.
 */
export function attachment(
  bytes: Uint8Array | string,
  about: { name: string; type: string; resHeaders: Headers | undefined },
): File {
  const { resHeaders } = about;
  resHeaders?.set('content-disposition', `attachment; filename="${about.name}"`);
  resHeaders?.set('x-content-type-options', 'nosniff');
  resHeaders?.set('content-security-policy', "sandbox; default-src 'none'");
  // The DOM's types refuse views over shared memory; what the engine gives is never shared.
  return new File([bytes as Uint8Array<ArrayBuffer> | string], about.name, { type: about.type });
}
