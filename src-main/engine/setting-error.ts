/**
 * A setting of the workspace that cannot be used, found by the engine: a file that is not there, an address that is Spike's own.
 * The message names what is wrong and the next step.
 */
export class SettingError extends Error {
  override readonly name = 'SettingError';
  /** Where it stands: `['tls', 'clientCertificates', 0, 'key']`. */
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], message: string, cause?: unknown) {
    super(message, { cause });
    this.path = path;
  }
}
