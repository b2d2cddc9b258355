import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Electron's cancellable event. */
export class StandInEvent {
  defaultPrevented = false;
  preventDefault = (): void => {
    this.defaultPrevented = true;
  };
}

interface Closable {
  destroy(): void;
}

/** Folders of the instances that run in this process: Electron's single instance lock is one for each `userData`. */
const instances = new Map<string, StandInApp>();

/** Electron's `app`; `exit` ends what it stands for, not this process. */
export class StandInApp extends EventEmitter {
  readonly isPackaged = false;
  readonly windows = new Set<Closable>();
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  isReady = false;
  readonly #paths: Record<string, string> = {
    userData: join(tmpdir(), 'electron-stand-in'),
    downloads: join(tmpdir(), 'downloads'),
  };
  readonly #ready: Promise<void>;
  #end: (code: number) => void = () => undefined;
  #over = false;
  #quitting = false;

  constructor() {
    super();
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#ready = new Promise((resolve) =>
      setImmediate(() => {
        this.isReady = true;
        resolve();
        this.emit('ready', new StandInEvent());
      }),
    );
  }

  whenReady(): Promise<void> {
    return this.#ready;
  }

  getVersion(): string {
    return '0.0.0';
  }

  getPath(name: string): string {
    const path = this.#paths[name];
    if (path === undefined) throw new Error(`Failed to get '${name}' path`);
    return path;
  }

  setPath(name: string, path: string): void {
    this.#paths[name] = path;
  }

  setAppUserModelId(): void {
    // Windows' own; nothing to see of it.
  }

  requestSingleInstanceLock(): boolean {
    const folder = this.getPath('userData');
    const first = instances.get(folder);
    if (first === undefined) instances.set(folder, this);
    else if (first !== this)
      setImmediate(() => first.emit('second-instance', new StandInEvent(), [], '', null));
    return first === undefined || first === this;
  }

  /** Asks `before-quit`; then windows close, `will-quit` and `quit` are told. */
  quit(): void {
    const event = new StandInEvent();
    this.emit('before-quit', event);
    if (event.defaultPrevented) return;
    this.#quitting = true;
    for (const window of [...this.windows]) window.destroy();
    this.emit('will-quit', new StandInEvent());
    this.exit(0);
  }

  /** Without asking anybody. */
  exit(code = 0): void {
    if (this.#over) return;
    this.#over = true;
    this.#quitting = true;
    for (const window of [...this.windows]) window.destroy();
    if (instances.get(this.getPath('userData')) === this) instances.delete(this.getPath('userData'));
    this.emit('quit', new StandInEvent(), code);
    this.#end(code);
  }

  windowClosed(window: Closable): void {
    this.windows.delete(window);
    if (this.windows.size > 0 || this.#quitting) return;
    // Electron's default, unless somebody listens.
    if (!this.emit('window-all-closed')) this.quit();
  }
}
