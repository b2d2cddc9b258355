import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import type { MenuItemConstructorOptions, SaveDialogOptions, SaveDialogReturnValue } from 'electron';

/** The parts of a desktop that have no page: what was asked of them is kept, and tests do what a user would. */

export class StandInMenu {
  static applicationMenu: StandInMenu | null | undefined;
  readonly template: readonly MenuItemConstructorOptions[];

  constructor(template: readonly MenuItemConstructorOptions[]) {
    this.template = template;
  }

  /** Clicks the item with this label, as a user who can see and press it. */
  click(label: string): void {
    const item = this.template.find((candidate) => candidate.label === label);
    const labels = this.template.map((candidate) => candidate.label);
    if (item === undefined) throw new Error(`No item "${label}" among ${JSON.stringify(labels)}`);
    if (item.enabled === false) throw new Error(`"${label}" is disabled`);
    (item.click as (() => void) | undefined)?.();
  }
}

export interface StandInImage {
  readonly path: string;
  isEmpty(): boolean;
}

export class StandInTray extends EventEmitter {
  image: StandInImage;
  toolTip = '';
  menu: StandInMenu | null = null;
  destroyed = false;

  constructor(image: StandInImage) {
    super();
    this.image = image;
  }

  setImage(image: StandInImage): void {
    this.#alive();
    this.image = image;
  }

  setToolTip(text: string): void {
    this.#alive();
    this.toolTip = text;
  }

  setContextMenu(menu: StandInMenu | null): void {
    this.#alive();
    this.menu = menu;
  }

  destroy(): void {
    this.destroyed = true;
  }

  #alive(): void {
    if (this.destroyed) throw new TypeError('Tray is destroyed');
  }
}

export class StandInShortcuts {
  readonly registered = new Map<string, () => void>();
  /** Keys that another program holds. */
  readonly taken = new Set<string>();

  register = (keys: string, callback: () => void): boolean => {
    if (this.taken.has(keys) || this.registered.has(keys)) return false;
    this.registered.set(keys, callback);
    return true;
  };

  unregister = (keys: string): void => void this.registered.delete(keys);

  press(keys: string): void {
    const callback = this.registered.get(keys);
    if (callback === undefined) throw new Error(`Nobody holds ${keys}`);
    callback();
  }
}

export class StandInDialogs {
  readonly errors: { title: string; content: string }[] = [];
  readonly saves: SaveDialogOptions[] = [];
  /** Where the user saves; null: cancels. */
  answerSave: (options: SaveDialogOptions) => string | null = () => null;

  showErrorBox = (title: string, content: string): void => void this.errors.push({ title, content });

  showSaveDialog = (_window: unknown, options: SaveDialogOptions): Promise<SaveDialogReturnValue> => {
    this.saves.push(options);
    const path = this.answerSave(options);
    return Promise.resolve({ canceled: path === null, filePath: path ?? '' });
  };
}

export const standInImages = {
  createFromPath: (path: string): StandInImage => ({ path, isEmpty: () => !existsSync(path) }),
};
