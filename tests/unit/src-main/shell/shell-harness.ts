import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHarness } from '../../../support/control-harness.ts';
import type { ControlHarness } from '../../../support/control-harness.ts';
import { createElectronStandIn } from '../../../support/electron-stand-in/index.ts';
import type { ElectronStandIn } from '../../../support/electron-stand-in/index.ts';
import { runShell } from '../../../../src-main/shell/run-shell.ts';
import type { ShellOptions } from '../../../../src-main/shell/run-shell.ts';
import type { Agent } from '../../../../src-main/agent/agent.ts';
import type { Log } from '../../../../src-main/engine/log.ts';

export function temporaryHome(): string {
  return mkdtempSync(join(tmpdir(), 'spike-shell-'));
}

export interface Logged {
  readonly log: Log;
  readonly messages: string[];
}

export function listLog(): Logged {
  const messages: string[] = [];
  const keep = (_fields: object, message: string): void => void messages.push(message);
  return { messages, log: { debug: keep, info: keep, warn: keep, error: keep } };
}

export interface RunningShell {
  readonly desktop: ElectronStandIn;
  readonly harness: ControlHarness;
  readonly messages: string[];
  /** What ended, in order. */
  readonly ended: string[];
}

/** The shell on a desktop without pages, around the real control API and an engine that makes up its calls. */
export async function startShell(given: Partial<ShellOptions> = {}): Promise<RunningShell> {
  const harness = await startHarness();
  const desktop = createElectronStandIn({ browser: null });
  const { log, messages } = listLog();
  const ended: string[] = [];
  const agent = {
    engine: harness.engine,
    control: harness.control,
    async close() {
      ended.push('agent');
      await harness.close();
    },
  } as unknown as Agent; // addresses and URLs are not the shell's to ask
  desktop.app.on('quit', () => ended.push('app'));
  await runShell(desktop.electron, {
    preloadPath: '/nowhere/preload.cjs',
    rendererDirectory: '/nowhere/renderer',
    resourcesDirectory: '/nowhere/resources',
    homeDirectory: temporaryHome(),
    developmentUrl: null,
    log,
    startAgent: () => Promise.resolve(agent),
    ...given,
  });
  return { desktop, harness, messages, ended };
}
