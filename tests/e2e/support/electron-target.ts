import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findElectron } from '../../../src-main/cli/electron.ts';
import { packageDirectory } from '../../../src-main/cli/package-directory.ts';

/** Ways to the window. The first two run everywhere; the third where Electron itself does. */
export const targets = ['browser', 'stand-in', 'electron'] as const;
export type Target = (typeof targets)[number];

export const builtMain = fileURLToPath(new URL('out/main/index.js', packageDirectory));
export const builtPreload = fileURLToPath(new URL('out/preload/index.cjs', packageDirectory));

export type ElectronBinary = { ok: true; path: string } | { ok: false; reason: string };

/** Electron's binary where it is installed and could show a window; nothing is fetched for a test. */
export async function electronBinary(): Promise<ElectronBinary> {
  if (!existsSync(builtMain)) return { ok: false, reason: 'out/main is not built' };
  const found = await findElectron({
    packageDirectory,
    environment: process.env,
    platform: process.platform,
    download: () => Promise.resolve(false),
  });
  if (!found.ok) return found;
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    return {
      ok: false,
      reason: 'Electron does not run as root without --no-sandbox, which would test another shell',
    };
  }
  return found;
}
