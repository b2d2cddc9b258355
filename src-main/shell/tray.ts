import type { MenuItemConstructorOptions, Tray } from 'electron';
import type { Rule } from '#shared/rules/rule.ts';
import type { Engine } from '../engine/engine-interface.ts';
import type { Log } from '../engine/log.ts';
import type { ElectronParts } from './electron-parts.ts';
import { changesFaults, stopAllAccelerator } from './stop-all-shortcut.ts';

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

/** Whether calls are recorded has no event: it is looked at. */
const refreshEveryMs = 1000;

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
    // On Linux a menu that is shown does not follow: a changed one has to be set again.
    tray.setContextMenu(electron.Menu.buildFromTemplate(template));
  };
  // Not everywhere: with a menu macOS opens that, and some Linux desktops do not tell of clicks.
  tray.on('click', () => options.openWindow());
  refresh();
  const unsubscribe = options.engine.subscribe((event) => {
    if (changesFaults(event.type)) refresh();
  });
  const timer = setInterval(refresh, refreshEveryMs);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      unsubscribe();
      tray.destroy();
    },
  };
}

export function trayTemplate(options: TrayOptions): MenuItemConstructorOptions[] {
  const { engine } = options;
  const { activeFaults, capture } = engine.status();
  const rules = engine.rules.list();
  return [
    { label: activeFaults > 0 ? `${faults(activeFaults)} active` : 'No faults active', enabled: false },
    {
      label: 'Stop all faults',
      accelerator: stopAllAccelerator,
      // The keys are held by globalShortcut (stop-all-shortcut.ts); here they are only shown.
      registerAccelerator: false,
      enabled: activeFaults > 0,
      click: () =>
        void engine.rules.disableAll().catch((error: unknown) => {
          options.log.warn({ error: String(error) }, 'The faults could not be stopped.');
        }),
    },
    { type: 'separator' },
    ...rules.slice(0, mostRules).map((rule) => ruleItem(rule, options)),
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

function ruleItem(rule: Rule, { engine, log }: TrayOptions): MenuItemConstructorOptions {
  return {
    // Also what tells a rule from another of the same name, when menus are compared.
    id: rule.id,
    // A single & would mark the key of a menu.
    label: rule.name.replaceAll('&', '&&'),
    type: 'checkbox',
    checked: rule.enabled,
    click: () => {
      try {
        engine.rules.update(rule.id, { enabled: !engine.rules.get(rule.id).enabled });
      } catch (error) {
        log.warn({ error: String(error) }, 'The rule was removed while the menu was open.');
      }
    },
  };
}

function faults(count: number): string {
  return count === 1 ? '1 fault' : `${count} faults`;
}
