import { loadConfigFromFile } from 'electron-vite';
import { build } from 'vite';

/** Once before all tests: what they open is the window's sources as they are, built. The other parts run from their sources. */
export default async function buildRenderer(): Promise<void> {
  const found = await loadConfigFromFile({ command: 'build', mode: 'production' }, 'electron.vite.config.ts');
  const renderer = typeof found.config === 'object' ? found.config.renderer : undefined;
  if (renderer === undefined || renderer instanceof Promise || typeof renderer === 'function') {
    throw new Error('electron.vite.config.ts has no plain renderer part');
  }
  await build({ ...renderer, configFile: false, mode: 'production', logLevel: 'warn' });
}
