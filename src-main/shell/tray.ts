import type { MenuItemConstructorOptions, Tray } from 'electron';
import type { Engine } from '../engine/engine-interface.ts';
import type { Log } from '../engine/log.ts';
import type { ElectronParts } from './electron-parts.ts';

export interface TrayOptions {
  readonly engine: Engine;
  readonly iconPath: string;
  readonly activeIconPath: string;
  readonly log: Log;
  openWindow(): void;
  quit(): void;
}

/** Rules that a menu can hold and a person can read. */
const mostRules = 12;

export const stopAllAccelerator = 'CommandOrControl+Shift+X';

/** The icon beside the clock: what is broken on purpose right now, and the way to stop it, without the window. */
export function createTray(electron: ElectronParts, options: TrayOptions): { close(): void } {
  const icon = electron.nativeImage.createFromPath(options.iconPath);
  const activeIcon = electron.nativeImage.createFromPath(options.activeIconPath);
  const tray: Tray = new electron.Tray(icon);
  let shown = '';

  const refresh = (): void => {
    const template = trayTemplate(options);
    const now = JSON.stringify(template);
    if (now === shown) return;
    shown = now;
    const active = options.engine.status().activeFaults;
    tray.setImage(active > 0 ? activeIcon : icon);
    tray.setToolTip(active > 0 ? `Spike: ${faults(active)} active` : 'Spike');
    tray.setContextMenu(electron.Menu.buildFromTemplate(template));
  };
  tray.on('click', () => options.openWindow());
  refresh();
  const unsubscribe = options.engine.subscribe((event) => {
    if (event.type.startsWith('rule.') && event.type !== 'rule.hits') refresh();
    if (event.type === 'status.changed') refresh();
  });
  return {
    close() {
      unsubscribe();
      tray.destroy();
    },
  };
}

export function trayTemplate(options: TrayOptions): MenuItemConstructorOptions[] {
  const { engine, log } = options;
  const { activeFaults, capture } = engine.status();
  const rules = engine.rules.list();
  const failed = (error: unknown): void =>
    log.warn({ error: String(error) }, 'A command of the tray failed.');
  return [
    { label: activeFaults > 0 ? `${faults(activeFaults)} active` : 'No faults active', enabled: false },
    {
      label: 'Stop all faults',
      accelerator: stopAllAccelerator,
      enabled: activeFaults > 0,
      click: () => void engine.rules.disableAll().catch(failed),
    },
    { type: 'separator' },
    ...rules.slice(0, mostRules).map((rule): MenuItemConstructorOptions => ({
      label: rule.name,
      type: 'checkbox',
      checked: rule.enabled,
      click: () => {
        try {
          engine.rules.update(rule.id, { enabled: !engine.rules.get(rule.id).enabled });
        } catch (error) {
          failed(error); // Removed while the menu was open.
        }
      },
    })),
    ...(rules.length > mostRules
      ? [{ label: `${rules.length - mostRules} more in Spike…`, click: () => options.openWindow() }]
      : []),
    { type: 'separator' },
    {
      label: capture.recording ? 'Pause recording' : 'Resume recording',
      click: () => engine.flows.setRecording(!engine.status().capture.recording),
    },
    { label: 'Open Spike', click: () => options.openWindow() },
    { label: 'Quit Spike', click: () => options.quit() },
  ];
}

function faults(count: number): string {
  return count === 1 ? '1 fault' : `${count} faults`;
}
