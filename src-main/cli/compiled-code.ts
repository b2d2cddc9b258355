import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { packageDirectory } from './package-directory.ts';

/**
 * Imported before everything else: what is loaded from here on is taken as an earlier start has compiled it. In the repository
 * that spares the stripping of types as well: half the time of a start, and 30 MB of an agent.
 *
 * It lies with the packages that are installed: whoever may write there may change the code itself. Where Spike may not, nothing is
 * kept. `NODE_COMPILE_CACHE` goes before, as everywhere in Node.
 */
enableCompileCache(
  process.env['NODE_COMPILE_CACHE'] ??
    fileURLToPath(new URL('node_modules/.cache/compiled', packageDirectory)),
);
