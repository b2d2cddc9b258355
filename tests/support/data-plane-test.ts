import { afterEach, beforeEach } from 'vitest';
import { DataPlaneHarness } from './data-plane-harness.ts';
import type { HarnessOptions, HarnessParts } from './data-plane-harness.ts';
import { assertNothingOpen, Peers } from './network-peers.ts';

export interface Scene {
  readonly peers: Peers;
  readonly spike: DataPlaneHarness;
}

/** A data plane and peers of its own for each test of a file; a test fails that leaves a socket behind. */
export function useScene(options: HarnessOptions = {}, parts: HarnessParts = {}): Scene {
  const scene = {} as { peers: Peers; spike: DataPlaneHarness };
  beforeEach(async () => {
    scene.peers = new Peers();
    scene.spike = await DataPlaneHarness.start(options, parts);
  });
  afterEach(async () => {
    await scene.peers[Symbol.asyncDispose]();
    await scene.spike[Symbol.asyncDispose]();
    await assertNothingOpen();
  });
  return scene;
}

/** A route to a port of this machine, on a port that the system picks. */
export function routeTo(port: number, scheme: 'http' | 'https' | 'tcp' = 'http', name = 'service') {
  return { name, listen: '127.0.0.1:0', upstream: `${scheme}://127.0.0.1:${port}` };
}

/** A call by curl through the proxy; `args` come last. */
export function curlArgs(spike: DataPlaneHarness, ...args: string[]): string[] {
  return ['-sS', '-m', '20', '-x', `http://${spike.proxy}`, ...args];
}
