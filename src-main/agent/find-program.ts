import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The file that a shell would run for a name, or null. `path` as in PATH; on Windows the usual endings are tried. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | null {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  const candidates = path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .flatMap((directory) => endings.map((ending) => join(directory, name + ending)));
  return candidates.find(isExecutable) ?? null;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // absent, or not for us: both mean that it cannot be run
  }
}
