/** Stable: scripts and the user interface tell these apart. */
export type CertificateAuthorityErrorCode =
  | 'ca-corrupt-certificate'
  | 'ca-corrupt-key'
  | 'ca-unsupported-key'
  | 'ca-key-mismatch'
  | 'ca-missing-key'
  | 'ca-missing-certificate'
  | 'ca-expired'
  | 'ca-not-yet-valid'
  | 'ca-not-a-ca'
  | 'ca-unreadable'
  | 'ca-unwritable';

const START_AFRESH =
  'Put the right file back, or move ca.pem and ca-key.pem away and start again: Spike then makes a new CA, which has to be trusted anew.';

const NEXT_STEPS: Record<CertificateAuthorityErrorCode, string> = {
  'ca-corrupt-certificate': START_AFRESH,
  'ca-corrupt-key': START_AFRESH,
  'ca-unsupported-key': START_AFRESH,
  'ca-key-mismatch': START_AFRESH,
  'ca-missing-key': START_AFRESH,
  'ca-missing-certificate': START_AFRESH,
  'ca-expired': START_AFRESH,
  'ca-not-yet-valid': 'Set the clock, or put the right file back.',
  'ca-not-a-ca': START_AFRESH,
  'ca-unreadable': 'Let the user that runs Spike read it, or give another home directory with --home.',
  'ca-unwritable': 'Let the user that runs Spike write there, or give another home directory with --home.',
};

/** The CA's files cannot be used as they are; the message names the file, what is wrong and the next step. */
export class CertificateAuthorityError extends Error {
  override readonly name = 'CertificateAuthorityError';
  readonly code: CertificateAuthorityErrorCode;
  readonly file: string;

  constructor(code: CertificateAuthorityErrorCode, file: string, problem: string, cause?: unknown) {
    super(`${file} ${problem}. ${NEXT_STEPS[code]}`, { cause });
    this.code = code;
    this.file = file;
  }
}
