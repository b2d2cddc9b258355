import { createSystemClock } from '../../src-main/engine/clock.ts';
import { silentLog } from '../../src-main/engine/log.ts';
import { createSupervisor } from '../../src-main/engine/cluster/supervisor.ts';
import { workerConfig, workerIdentity } from './worker-config.ts';

/** A primary to be killed from outside: prints its workers' pids and the proxy's address as one JSON line. */
const supervisor = createSupervisor({
  clock: createSystemClock(),
  log: silentLog,
  workers: 2,
  exec: { workerPath: new URL('./cluster-fixture-worker.ts', import.meta.url) },
  identityFor: workerIdentity,
  config: () => workerConfig(1),
  onMessage: () => undefined,
  onEvent: () => undefined,
  onChange: () => undefined,
});
const { address } = await supervisor.start();
console.log(JSON.stringify({ address, pids: supervisor.workers().map(({ pid }) => pid) }));
