import { setFlagsFromString } from 'node:v8';

/**
 * Imported before everything else: while modules are loaded nearly all that is made survives, so V8 would let the place for
 * young objects grow to its limit of 48 MiB, which an agent that waits for calls never needs again. The factor is read
 * when it is about to grow.
 */
setFlagsFromString('--semi-space-growth-factor=1');
