import type * as Electron from 'electron';

/**
 * The parts of Electron that the shell uses, and no others: handed in by the entry (`index.ts`), so that the same code
 * runs on the Chromium-backed stand-in of the tests. Widen it only with what the stand-in has as well.
 */
export interface ElectronParts {
  readonly app: Pick<
    Electron.App,
    | 'whenReady'
    | 'requestSingleInstanceLock'
    | 'quit'
    | 'exit'
    | 'on'
    | 'getVersion'
    | 'getPath'
    | 'isPackaged'
    | 'setPath'
    | 'setAppUserModelId'
  >;
  readonly BrowserWindow: typeof Electron.BrowserWindow;
  readonly Menu: typeof Electron.Menu;
  readonly MessageChannelMain: typeof Electron.MessageChannelMain;
  readonly Tray: typeof Electron.Tray;
  readonly dialog: Pick<Electron.Dialog, 'showSaveDialog' | 'showErrorBox'>;
  readonly globalShortcut: Pick<Electron.GlobalShortcut, 'register' | 'unregister'>;
  readonly ipcMain: Pick<Electron.IpcMain, 'on' | 'handle'>;
  readonly nativeImage: Pick<typeof Electron.nativeImage, 'createFromPath'>;
  readonly nativeTheme: Pick<Electron.NativeTheme, 'shouldUseDarkColors'>;
  readonly powerMonitor: Pick<Electron.PowerMonitor, 'on'>;
  readonly protocol: Pick<Electron.Protocol, 'registerSchemesAsPrivileged' | 'handle'>;
  readonly session: {
    readonly defaultSession: Pick<
      Electron.Session,
      'setPermissionRequestHandler' | 'setPermissionCheckHandler'
    >;
  };
  readonly shell: Pick<Electron.Shell, 'showItemInFolder'>;
}
