import { CommanderError } from 'commander';
import { SpikeError } from '#shared/contract/errors.ts';
import type { ErrorCode } from '#shared/contract/errors.ts';
import { CertificateAuthorityError } from '../engine/tls/certificate-authority-error.ts';
import { TrustStoreError } from '../engine/tls/trust-store.ts';
import { WorkspaceFileError } from '../workspace/defect.ts';

export const exitCodes = { fine: 0, failed: 1, usage: 2 } as const;

/** What is wrong is the way Spike was called or set up; the message says what to do. Ends with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was right and could not do its work; the message says why and what to do. Ends with 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

const mendedBySettings: ReadonlySet<ErrorCode> = new Set([
  'bad-request',
  'invalid-input',
  'invalid-filter',
  'conflict',
  'port-in-use',
  'workspace-invalid',
]);

/** The exit code for a failure, and what to print; null for what commander has printed already. */
export function exitStatusOf(error: unknown): { code: number; message: string | null } {
  if (error instanceof CommanderError)
    return { code: error.exitCode === 0 ? exitCodes.fine : exitCodes.usage, message: null };
  if (isConfigurationError(error)) return { code: exitCodes.usage, message: (error as Error).message };
  if (error instanceof CommandFailure || error instanceof SpikeError)
    return { code: exitCodes.failed, message: error.message };
  return { code: exitCodes.failed, message: bugReport(error) };
}

function isConfigurationError(error: unknown): boolean {
  return (
    error instanceof UsageError ||
    error instanceof WorkspaceFileError ||
    error instanceof CertificateAuthorityError ||
    error instanceof TrustStoreError ||
    (error instanceof SpikeError && mendedBySettings.has(error.code))
  );
}

/** Anything else is a bug, and its trace is what a report of it needs. */
function bugReport(error: unknown): string {
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `Spike failed in a way that it should not:\n${trace}`;
}
