import { X509Certificate } from 'node:crypto';
import type { Clock } from '../engine/clock.ts';
import type { CaFacts } from '../engine/engine-interface.ts';
import type { Log } from '../engine/log.ts';
import { detectTrustPlatform, isInstalled } from '../engine/tls/system-trust.ts';
import { findProgram } from './find-program.ts';

const refreshMs = 10_000;

/** Whether the machine trusts the CA, looked up again now and then, since `spike ca install` is another process. */
export function createSystemTrustProbe(ca: CaFacts, clock: Clock, log: Log): () => boolean | null {
  const platform = detectTrustPlatform(process.platform, (name) => findProgram(name) !== null);
  if (platform === null) return () => null;
  const file = {
    path: ca.path,
    certificatePem: ca.certificatePem,
    certificateDer: new X509Certificate(ca.certificatePem).raw,
  };
  let known: boolean | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;

  const ask = (): void => {
    askedAt = clock.now();
    isInstalled(platform, file).then(
      (installed) => (known = installed),
      (error: unknown) => log.warn({ error }, 'Whether the system trusts the CA cannot be told'),
    );
  };
  ask();
  return () => {
    if (clock.now() - askedAt > refreshMs) ask();
    return known;
  };
}
