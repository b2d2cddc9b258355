import type { BrowserContext } from '@playwright/test';
import type { Session } from 'electron';

type RequestHandler = Parameters<Session['setPermissionRequestHandler']>[0];
type CheckHandler = Parameters<Session['setPermissionCheckHandler']>[0];

/** Electron's names of permissions, and Chromium's as Playwright has them. */
const names = {
  geolocation: ['geolocation'],
  notifications: ['notifications'],
  media: ['camera', 'microphone'],
  midi: ['midi'],
  'clipboard-read': ['clipboard-read'],
  'clipboard-sanitized-write': ['clipboard-write'],
} as const;

export type AskedPermission = keyof typeof names;

/** Electron's permission handlers of a session: the browser grants what both would, and nothing else. */
export class StandInPermissions {
  #request: RequestHandler = null;
  #check: CheckHandler = null;

  setPermissionRequestHandler = (handler: RequestHandler): void => void (this.#request = handler);
  setPermissionCheckHandler = (handler: CheckHandler): void => void (this.#check = handler);

  /** Without handlers Electron grants everything. */
  grants(permission: AskedPermission): boolean {
    let granted = this.#request === null;
    this.#request?.(null as never, permission, (answer) => (granted = answer), {} as never);
    return granted && (this.#check?.(null, permission, '', {} as never) ?? true);
  }

  async apply(context: BrowserContext): Promise<void> {
    const granted = Object.entries(names).filter(([name]) => this.grants(name as AskedPermission));
    await context.grantPermissions(granted.flatMap(([, chromium]) => [...chromium]));
  }
}
