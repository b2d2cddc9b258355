import { expect, test } from 'vitest';
import { applicationMenuTemplate } from '../../../../src-main/shell/application-menu.ts';

const quit = (): void => undefined;

test('there is no menu but on macOS, which has its keys for copying and quitting from one', () => {
  expect(applicationMenuTemplate({ platform: 'linux', devTools: false, quit })).toEqual([]);
  expect(applicationMenuTemplate({ platform: 'win32', devTools: false, quit })).toEqual([]);
  const menus = applicationMenuTemplate({ platform: 'darwin', devTools: false, quit });
  expect(menus.map(({ label, role }) => role ?? label)).toEqual(['Spike', 'editMenu', 'windowMenu']);
});

test('developer tools only while Spike itself is worked on', () => {
  const text = (devTools: boolean) =>
    JSON.stringify(applicationMenuTemplate({ platform: 'darwin', devTools, quit }));
  expect(text(false)).not.toContain('toggleDevTools');
  expect(text(true)).toContain('toggleDevTools');
});
