import type { MenuItemConstructorOptions } from 'electron';
import type { ElectronParts } from './electron-parts.ts';

export interface MenuOptions {
  readonly platform: NodeJS.Platform;
  readonly devTools: boolean;
  quit(): void;
}

/**
 * Electron's own menu would take keys that are Spike's (Ctrl+Shift+R reloads in it) and offer the developer tools.
 * macOS needs one for copying, pasting and quitting; elsewhere Chromium has those keys by itself.
 */
export function setApplicationMenu(electron: ElectronParts, options: MenuOptions): void {
  const template = applicationMenuTemplate(options);
  electron.Menu.setApplicationMenu(template.length === 0 ? null : electron.Menu.buildFromTemplate(template));
}

export function applicationMenuTemplate(options: MenuOptions): MenuItemConstructorOptions[] {
  const menus = options.platform === 'darwin' ? macMenus(options) : [];
  if (options.devTools) {
    menus.push({ label: 'Develop', submenu: [{ role: 'toggleDevTools' }, { role: 'reload' }] });
  }
  return menus;
}

function macMenus({ quit }: MenuOptions): MenuItemConstructorOptions[] {
  return [
    {
      label: 'Spike',
      submenu: [
        { role: 'about' },
        { type: 'separator' },
        { role: 'hide' },
        { role: 'hideOthers' },
        { role: 'unhide' },
        { type: 'separator' },
        // Not the role: it would tell `powerMonitor` of a shutdown, which is not waited for (run-shell.ts).
        { label: 'Quit Spike', accelerator: 'Command+Q', click: () => quit() },
      ],
    },
    { role: 'editMenu' },
    { role: 'windowMenu' },
  ];
}
